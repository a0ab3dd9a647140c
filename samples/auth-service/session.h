/* End users' sessions: signed statements "this is alice until 12:00", nothing is stored.
 *   base64url(JSON {"sub", "iat", "exp"}) "." base64url(HMAC-SHA256 of the first part) */
#ifndef AUTH_SERVICE_SESSION_H
#define AUTH_SERVICE_SESSION_H

#include <stdint.h>
#include <time.h>

#include "../common/problem.h"

enum { SESSION_LIFETIME_S = 3600, SESSION_KEY_SIZE = 32, SESSION_USER_MAX = 64 };

typedef struct session_key {
    unsigned char bytes[SESSION_KEY_SIZE];
} session_key;

typedef struct session {
    char user[SESSION_USER_MAX];
    int64_t expires;
} session;

/* From $SESSION_KEY, a secret of at least 16 characters; without it a random key, so that sessions
 * end with the process. */
bool session_key_load(session_key *out_key, bool *out_random, problem *p);

/* The caller frees the token. */
bool session_issue(const session_key *key, const char *user, time_t now, char **out_token,
                   problem *p);

/* False, with the reason, for anything but a token of this key that still holds. */
bool session_check(const session_key *key, const char *token, time_t now, session *out, problem *p);

#endif
