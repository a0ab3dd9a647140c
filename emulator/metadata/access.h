/* Access tokens: opaque, remembered, handed out again until five minutes are left. */
#ifndef METADATA_ACCESS_H
#define METADATA_ACCESS_H

#include "base/buf.h"

#define ACCESS_DEFAULT_SCOPE "https://www.googleapis.com/auth/cloud-platform"

enum {
    ACCESS_REMINT_S = 300,
    ACCESS_TOKENS_MAX = 2048, /* remembered at once */
    ACCESS_SCOPES_MAX = 64,
    ACCESS_SCOPES_TEXT_MAX = 8 * 1024
};

typedef struct access_token {
    const char *token;
    const char *email;
    const char *unique_id;
    const char *client; /* whom it was given to: a user's OAuth client, else the unique id */
    const char *scopes; /* space-separated, sorted */
    int64_t expires_s;
} access_token;

typedef struct access_book access_book;
access_book *access_open(void);
void access_close(access_book *a);
/* minted(ctx, email) is called for each new token. */
void access_tell(access_book *a, void (*minted)(void *ctx, const char *email), void *ctx);

/* "b,a,b" → "a b" (sorted, once each); the default scope for an empty list. false: too many. */
bool access_scopes(span list, char separator, buf *out);

/* The token of this account and scope set: the remembered one, or a new one of lifetime_s. For the
 * metadata server alone, which hands out tokens again; never one of access_mint. */
const access_token *access_get(access_book *a, const char *email, const char *unique_id,
                               span scopes, int64_t lifetime_s, int64_t now_s);

typedef struct access_grant {
    const char *email, *unique_id, *client;
    span scopes; /* as access_scopes writes them */
    int64_t expires_s;
} access_grant;

/* A token of its own for whoever asked, as Google's APIs give one; only within one second the same
 * grant gives the same token. */
const access_token *access_mint(access_book *a, const access_grant *g, int64_t now_s);

/* NULL: never handed out, expired or forgotten. */
const access_token *access_find(access_book *a, span token, int64_t now_s);

/* {"access_token":"ya29.c.…","expires_in":3599,"token_type":"Bearer"} */
void access_json(const access_token *t, int64_t now_s, buf *out);
/* The same as "name value" lines (alt=text). */
void access_text(const access_token *t, int64_t now_s, buf *out);

#endif
