/* What the metadata process counts, and GET /metrics at its shared listener. */
#ifndef METADATA_METERS_H
#define METADATA_METERS_H

#include "http/server.h"

typedef struct metadata metadata;
typedef struct meters meters;

meters *meters_new(void);
void meters_free(meters *t); /* NULL is fine */

typedef enum minted_kind {
    MINTED_IDENTITY,
    MINTED_ACCESS,
    MINTED_JWT, /* signed for a caller who wrote it */
    MINTED_BLOB /* likewise */
} minted_kind;
/* A new one, for the account (or user) of that e-mail. */
void meters_minted(meters *t, minted_kind kind, const char *email);
/* meters_minted for access tokens, as the book of them calls it. */
void meters_access_minted(void *t, const char *email);

/* An identity token was asked for: remembered, or to be minted. */
void meters_identity_asked(meters *t, bool remembered);

/* As http_server_options.answered; ctx: the metadata. */
void meters_answered(void *ctx, const http_request *r, unsigned status);

/* false: not asked for, or not here. A service's own listener has nothing there, as in production.
 */
bool meters_serve(metadata *m, http_request *r);

#endif
