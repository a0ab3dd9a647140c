/* Who holds an access token. A token of an account that was deleted, made anew or disabled is worth
 * nothing, however long it had been given for. */
#ifndef METADATA_BEARER_H
#define METADATA_BEARER_H

#include "http/server.h"
#include "metadata/access.h"
#include "policy/snapshot.h"

typedef enum token_standing {
    TOKEN_GOOD,
    TOKEN_UNKNOWN, /* never handed out, expired, or its account is gone */
    TOKEN_DISABLED /* its account is */
} token_standing;

/* *out (unless TOKEN_UNKNOWN) is valid until the next token is minted. */
token_standing bearer_standing(access_book *book, const snapshot *s, span token, int64_t now_s,
                               const access_token **out);

enum { BEARER_EMAIL_MAX = 320 };

typedef struct bearer {
    char email[BEARER_EMAIL_MAX + 1];
    principal who; /* a view of email */
} bearer;

/* Of the Authorization field; the token has to have one of the scopes (a list that NULL ends).
 * false: answered, in Google's shape. */
bool bearer_find(access_book *book, const snapshot *s, http_request *r, const char *const *scopes,
                 int64_t now_s, bearer *out);

#endif
