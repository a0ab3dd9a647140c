/* Within the judge: one request on its way, and the judge's own state. */
#ifndef GATEWAY_ADMISSION_H
#define GATEWAY_ADMISSION_H

#include "gateway/admit.h"
#include "gateway/forwarding.h"
#include "gateway/pages.h"
#include "gateway/token_memory.h"

/* A worker's count on a view, with the requests that still use it counted without atomics. */
typedef struct view_hold {
    view *view;
    unsigned users; /* the judge itself is one while it is current */
} view_hold;

typedef struct admission {
    exchange *x;
    view_hold *hold;
    struct admission *next, **link; /* in the waiting list; link is NULL when not in it */
    door *door;
    int64_t wall_us;
    trace trace;
    char response_trace[TRACE_TEXT_MAX];
    size_t response_trace_n;
    char peer_ip[NET_ADDR_TEXT_MAX];
    const service *service;
    const binding *binding;
    reason reason;
    bool decided, unlogged, waited, by_run_app_host;
    bool audited;   /* it would be refused, but audit mode lets it pass */
    bool unserved;  /* there is no container that takes it */
    bool passed_on; /* to a host outside the topology: not judged, not logged */
    egress_wait wait;
    uint64_t epoch;      /* recorded only while this is the judge's */
    tally_service *at;   /* whose container has it; NULL: nobody's */
    bool h2c;            /* the container is spoken to over HTTP/2 */
    token_header header; /* whose token decided */
    span token;
    decision verdict;    /* its views: of the snapshot, or kept in the exchange's memory */
    request_facts facts; /* without claims */
    size_t audience_index;
    span judged; /* the token that was looked at, without its signature */
    uint64_t insert_id;
    span caller, explanation, fix, local_fix;
    const char *text_payload;
} admission;

struct admit {
    admit_options o;
    view_hold *hold;
    token_memory *tokens;
    uint64_t epoch; /* counts the resets */
    recent *late;   /* what a reset has forgotten before it was over, for the record; or NULL */
    ids ids;
    admission *waiting, **waiting_end;
    size_t waiting_count;
    loop_timer wait_timer;
    buf scratch; /* pages and explanations before they are copied */
    net_addr last_peer;
    char last_peer_ip[NET_ADDR_TEXT_MAX];
};

/* Routes, judges and acts; or puts it into the waiting list. */
void admission_judge(admit *a, admission *m);

/* Acts on the verdict. m may be gone when these return. */
void admission_forward(admit *a, admission *m);
void admission_refuse(admit *a, admission *m, error_page p, bool challenge);

/* proxied.c: a target in absolute-form at the shared ingress, which is asked as a proxy then. */
bool proxied_is(const admit *a, const admission *m);
/* The service at whose address the target points; NULL: none. */
const service *proxied_service(const admit *a, const admission *m);
/* true: it was answered, or passed on. */
bool proxied_judge(admit *a, admission *m);
/* The page for a host outside that could not be reached. */
void proxied_failure(admission *m, proxy_failure f, reply *out);

/* Fills a reply whose views live in the exchange's memory. */
void admission_page(admit *a, admission *m, error_page p, bool challenge, reply *out);

/* trouble.c: fill in explanation and fixes. */
void admission_explain_missing_upstream(admit *a, admission *m);
void admission_explain_no_instance(admit *a, admission *m);
void admission_explain_too_large(admit *a, admission *m);
void admission_explain_failure(admit *a, admission *m, proxy_failure f);

/* Waiting for keys. */
void admission_wait(admit *a, admission *m);
void admission_wait_over(admit *a, admission *m);

/* Tells log, ring and counters. */
void admission_report(admit *a, const admission *m, const exchange_outcome *o);

static inline void admission_count(atomic_ullong *c)
{
    /* One writer: no locked instruction is needed. */
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

#endif
