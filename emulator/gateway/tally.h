/* What came to a worker, in numbers: decisions by service, caller and reason; by the binding that
 * allowed them; each service's answers, latencies and failures. Counted on the worker's thread,
 * without locks; an answer to anybody else is a copy, and copies of all workers are added up. */
#ifndef GATEWAY_TALLY_H
#define GATEWAY_TALLY_H

#include "base/counts.h"
#include "gateway/record.h"
#include "jose/jws.h"

enum {
    TALLY_CELLS_MAX = 4096, /* of decisions, and as many of bindings */
    TALLY_SERVICES_MAX = 4096,
    TALLY_BUCKETS = 17,
    TALLY_CLASSES = 5,
    TALLY_FAILURES = PROXY_CLIENT_GONE + 1,
    TALLY_TOKEN_RESULTS = JWS_BAD_CLAIMS + 1
};

/* Upper bounds of the buckets, inclusive; what took longer counts in the sum and total only. */
extern const int64_t TALLY_BOUNDS_US[TALLY_BUCKETS];

typedef struct tally_latency {
    uint64_t buckets[TALLY_BUCKETS]; /* each without those below it */
    uint64_t count;
    int64_t sum_us;
} tally_latency;

typedef struct tally_service {
    char *name;
    uint64_t in_flight;                /* at its container */
    tally_latency forwarded, answered; /* by the container; by the gateway itself */
    uint64_t classes[TALLY_CLASSES];   /* 1xx … 5xx, as sent to callers */
    uint64_t failures[TALLY_FAILURES]; /* by proxy_failure */
    uint64_t unserved;                 /* no container was known */
} tally_service;

/* What became of tokens: they were remembered, or judged, or there were no keys to judge by. */
typedef struct tally_tokens {
    uint64_t remembered, keyless;
    uint64_t judged[TALLY_TOKEN_RESULTS]; /* by jws_result */
} tally_tokens;

typedef struct tally tally;

tally *tally_new(int64_t now_us);
void tally_free(tally *t); /* NULL is fine */

/* Requests are judged by this view from now on (borrowed; valid until the next one is given). */
void tally_take_view(tally *t, const view *v);

/* A request goes to the container of a service of that view; tally_leave when it is over. NULL: too
 * many services. */
tally_service *tally_enter(tally *t, const view *v, const service *svc);
void tally_leave(tally_service *s); /* NULL is fine */

/* A request is over. binding: what allowed it; NULL: none. credential: it came with one. */
void tally_add(tally *t, const record *r, const binding *allowed_by, bool credential);

/* Whoever looks at tokens counts them here. */
tally_tokens *tally_token_counts(tally *t);

/* Starts anew; what is in flight still is. */
void tally_reset(tally *t, int64_t now_us);

/* A new one. */
tally *tally_copy(const tally *t);
void tally_merge(tally *into, const tally *from);
/* Puts the services in the order of their names. */
void tally_sort(tally *t);

/* ---- reading: any thread that owns it ---- */
int64_t tally_since_us(const tally *t);
/* Of decisions. The texts are service ("": no service has that host) and caller (e-mail,
 * "anonymous", "unverified"); the number says the rest. */
const counts *tally_decisions(const tally *t);
reason tally_reason(const counts_cell *cell);
bool tally_enforced(const counts_cell *cell);
/* The texts are member, role, what it is on ("project", "service NAME") and where it stands. */
const counts *tally_bindings(const tally *t);
size_t tally_service_count(const tally *t);
const tally_service *tally_service_at(const tally *t, size_t i);
const tally_tokens *tally_tokens_of(const tally *t);
/* What found no room. */
uint64_t tally_overflow(const tally *t);

/* What GET /invoker/v1/traffic answers; appends one JSON object. */
void tally_json(const tally *t, buf *out);

#endif
