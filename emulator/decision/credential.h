/* From header values to "the credential that counts": precedence, scheme, shape. Pure. */
#ifndef DECISION_CREDENTIAL_H
#define DECISION_CREDENTIAL_H

#include "base/buf.h"
#include "decision/decide.h"

typedef struct credential {
    token_header header; /* which header counts; X-Serverless-Authorization wins when present */
    token_state state;   /* TOKEN_UNCHECKED: looks like one JWT, must still be verified */
    span token;          /* the JWT, a view of the value; empty unless TOKEN_UNCHECKED */
} credential;

/* count: how often the header came; value: its first value. */
credential credential_find(size_t authorization_count, span authorization, size_t serverless_count,
                           span serverless);

/* What the service gets to see in place of the value that decided: "bearer " (lower case, as
 * production delivers it) + header.payload + ".SIGNATURE_REMOVED_BY_GOOGLE". Appends to b. */
void credential_forwarded(buf *b, span token);

/* A value in which the same is done to every word that looks like a JWT, and nothing else: what a
 * service gets to see of a value that proves nothing, where it is forwarded nevertheless. */
void credential_masked(buf *b, span value);

/* Its header and payload. */
span credential_unsigned(span token);

/* The third part of a token that has passed a front end once. */
#define SIGNATURE_REMOVED "SIGNATURE_REMOVED_BY_GOOGLE"

#endif
