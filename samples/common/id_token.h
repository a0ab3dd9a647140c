/* ID tokens of this service's own service account, from the metadata server, as Google's client
 * libraries fetch them: $GCE_METADATA_HOST or metadata.google.internal, the Metadata-Flavor header
 * both ways, kept until shortly before they expire. Any thread. */
#ifndef COMMON_ID_TOKEN_H
#define COMMON_ID_TOKEN_H

#include "problem.h"

/* The audience is the URL of the service to call. The caller frees the token. */
bool id_token_fetch(const char *audience, char **out_token, problem *p);

/* The called service refused this token as unverifiable: do not offer it again. */
void id_token_forget(const char *audience, const char *token);

void id_token_stop(void); /* frees what is kept */

#endif
