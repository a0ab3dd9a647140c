/* Identity tokens: what a request asks for, and minting with a memory of one second. RS256 is
 * deterministic (RFC 8017 §8.2), so handing out the same bytes again within the second that `iat`
 * names is the same as signing again. */
#ifndef METADATA_IDENTITY_H
#define METADATA_IDENTITY_H

#include "base/clock.h"
#include "http/server.h"
#include "jose/keystore.h"
#include "policy/snapshot.h"

enum { AUDIENCE_MAX = 8 * 1024 };

typedef enum audience_fault {
    AUDIENCE_FINE,
    AUDIENCE_EMPTY, /* absent, empty or blank */
    AUDIENCE_LONG,
    AUDIENCE_NOT_TEXT /* not UTF-8, or with a NUL */
} audience_fault;

/* `audience` of a raw query, decoded, appended to out (made with AUDIENCE_MAX). */
audience_fault identity_audience(span query, buf *out);
const char *audience_fault_text(audience_fault f);

typedef struct identity identity;
identity *identity_open(keystore *keys, clock_source clock);
void identity_close(identity *i);
/* A reload: forgets what was remembered, accounts are compared by address. */
void identity_forget(identity *i);

/* The prepared answer of this very query by this account in this second, or NULL. */
http_answer *identity_recall(identity *i, const account *a, span query);

/* Mints, remembers and returns it (owned by the memory); NULL and *e when signing fails. */
http_answer *identity_mint(identity *i, const account *a, int64_t lifetime_s, span audience,
                           span query, error *e);

#endif
