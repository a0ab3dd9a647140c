/* Who may log in. The two demo users and their passwords stand in samples/README.md. */
#ifndef AUTH_SERVICE_USERS_H
#define AUTH_SERVICE_USERS_H

#include <stdbool.h>

/* Takes as long for an unknown user as for a wrong password. */
bool users_check(const char *user, const char *password);

#endif
