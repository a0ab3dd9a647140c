/* What a request of the IAM Service Account Credentials API asks for (REST reference,
 * projects.serviceAccounts). Pure: JSON text in, checked values out. */
#ifndef METADATA_CREDENTIALS_ASK_H
#define METADATA_CREDENTIALS_ASK_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"

typedef enum credentials_method {
    CREDENTIALS_ACCESS_TOKEN,
    CREDENTIALS_ID_TOKEN,
    CREDENTIALS_SIGN_BLOB,
    CREDENTIALS_SIGN_JWT
} credentials_method;

enum {
    CREDENTIALS_DELEGATES_MAX = 16,
    CREDENTIALS_LIFETIME_S = 3600, /* unless stated; and the most without an organization policy */
    CREDENTIALS_JWT_LIFETIME_S = 12 * 3600
};

/* Zero-initialise. Views live as long as the struct. */
typedef struct credentials_ask {
    span delegates[CREDENTIALS_DELEGATES_MAX]; /* e-mails or unique ids */
    size_t delegate_count;
    buf scopes;         /* generateAccessToken: as access_scopes writes them */
    int64_t lifetime_s; /* likewise */
    span audience;      /* generateIdToken */
    bool include_email; /* likewise */
    bool email_azp;     /* likewise */
    span claims;        /* signJwt */
    buf blob;           /* signBlob: decoded */
    json_t *json;       /* owns the texts */
} credentials_ask;

/* false: *e says what Google's API would answer with INVALID_ARGUMENT. */
bool credentials_ask_parse(credentials_method method, span body, int64_t now_s,
                           credentials_ask *out, error *e);
void credentials_ask_clear(credentials_ask *a);

/* "projects/-/serviceAccounts/E" → E; the bare E too, which the API takes for delegates. */
bool credentials_account_name(span text, span *out, error *e);

#endif
