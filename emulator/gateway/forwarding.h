/* The request and response fields that Cloud Run's front end takes away, rewrites and adds on the
 * way to a container and back. */
#ifndef GATEWAY_FORWARDING_H
#define GATEWAY_FORWARDING_H

#include "decision/credential.h"
#include "gateway/trace.h"
#include "proxy/exchange.h"

/* MASKED: values of a header that came repeatedly; more are dropped. */
enum { FORWARDING_FIELDS_MAX = 16, FORWARDING_DROPS_MAX = 12, FORWARDING_MASKED_MAX = 8 };

/* Lives in the exchange's memory. */
typedef struct forwarding {
    const char *drop[FORWARDING_DROPS_MAX];
    size_t drops;
    field add[FORWARDING_FIELDS_MAX];
    size_t adds;
    field response_add[4];
    size_t response_adds;
    const char *const *response_drop;
    char cloud[TRACE_TEXT_MAX], parent[TRACE_TEXT_MAX];
} forwarding;

/* peer_ip and response_trace (the value for the caller) are views that live until on_done. header
 * and token: whose value is replaced by the form without signature; without a token, every JWT in
 * the header loses its signature. HEADER_NONE leaves both fields alone. */
void forwarding_fill(forwarding *w, exchange *x, const trace *t, span peer_ip, span response_trace,
                     token_header header, span token, buf *scratch);

/* The answer says what was decided about its request, in place of what it says itself by that name.
 * value: a view that lives until on_done. */
void forwarding_tell(forwarding *w, span value);

#define DECISION_HEADER "X-Invoker-Decision"

/* A copy in the exchange's memory. */
span judge_keep(exchange *x, span s);

#endif
