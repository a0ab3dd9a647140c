/* Header rules towards the container (Cloud Run docs "Container runtime contract", "Service to
 * service") and back. */
#include "gateway/forwarding.h"

#include <assert.h>

#include "gateway/pages.h"

/* Fields of the response that are the front end's own. */
static const char *const response_drop[] = {"Server", "X-Cloud-Trace-Context", "Alt-Svc", NULL};
static const char *const response_drop_telling[] = {"Server", "X-Cloud-Trace-Context", "Alt-Svc",
                                                    DECISION_HEADER, NULL};

span judge_keep(exchange *x, span s)
{
    if (s.n == 0)
        return (span){"", 0};
    char *p = exchange_alloc(x, s.n);
    memcpy(p, s.p, s.n);
    return (span){p, s.n};
}

static void drop(forwarding *w, const char *name)
{
    assert(w->drops + 1 < FORWARDING_DROPS_MAX);
    w->drop[w->drops++] = name;
    w->drop[w->drops] = NULL;
}

static void add(forwarding *w, span name, span value)
{
    assert(w->adds < FORWARDING_FIELDS_MAX);
    w->add[w->adds++] = (field){name, value};
}

/* A list field that each hop lengthens: what the caller says stays, what we saw stands behind it.
 * Several such fields stay as they are, with ours as the last. */
static void append(forwarding *w, exchange *x, const char *name, span ours, buf *scratch)
{
    span theirs = {0};
    size_t count = exchange_field(x, name, &theirs);
    if (count == 1)
        drop(w, name);
    if (count == 1 && theirs.n) {
        buf_clear(scratch);
        buf_span(scratch, theirs);
        buf_add(scratch, ", ", 2);
        buf_span(scratch, ours);
        ours = judge_keep(x, buf_view(scratch));
    }
    add(w, span_of(name), ours);
}

static span forwarded_element(exchange *x, span ip, buf *scratch)
{
    bool v6 = span_find(ip, ':') < ip.n;
    buf_clear(scratch);
    buf_str(scratch, v6 ? "for=\"[" : "for=\"");
    buf_span(scratch, ip);
    buf_str(scratch, v6 ? "]\";proto=" : "\";proto=");
    buf_str(scratch, exchange_is_secure(x) ? "https" : "http");
    return judge_keep(x, buf_view(scratch));
}

/* Nothing was proved by it, so it may be anything, and more than one. */
static void mask_values(forwarding *w, exchange *x, const char *name, buf *scratch)
{
    const size_t count = exchange_field(x, name, NULL);
    drop(w, name);
    for (size_t i = 0; i < count && i < FORWARDING_MASKED_MAX; i++) {
        buf_clear(scratch);
        credential_masked(scratch, exchange_field_at(x, name, i));
        add(w, span_of(name), judge_keep(x, buf_view(scratch)));
    }
}

/* The value that decided reaches the service without its signature, so that it cannot be replayed;
 * the other header is the application's own and travels untouched. */
static void replace_token(forwarding *w, exchange *x, token_header header, span token, buf *scratch)
{
    const char *name = header == HEADER_SERVERLESS ? "X-Serverless-Authorization" : "Authorization";
    if (header == HEADER_NONE)
        return;
    if (token.n == 0) {
        mask_values(w, x, name, scratch);
        return;
    }
    buf_clear(scratch);
    credential_forwarded(scratch, token);
    drop(w, name);
    add(w, span_of(name), judge_keep(x, buf_view(scratch)));
}

void forwarding_fill(forwarding *w, exchange *x, const trace *t, span peer_ip, span response_trace,
                     token_header header, span token, buf *scratch)
{
    w->drops = w->adds = 0;
    w->drop[0] = NULL;
    replace_token(w, x, header, token, scratch);
    append(w, x, "X-Forwarded-For", peer_ip, scratch);
    drop(w, "X-Forwarded-Proto");
    add(w, SPAN_LIT("X-Forwarded-Proto"),
        exchange_is_secure(x) ? SPAN_LIT("https") : SPAN_LIT("http"));
    append(w, x, "Forwarded", forwarded_element(x, peer_ip, scratch), scratch);
    drop(w, "X-Cloud-Trace-Context");
    add(w, SPAN_LIT("X-Cloud-Trace-Context"), trace_cloud(t, w->cloud));
    drop(w, "traceparent");
    add(w, SPAN_LIT("traceparent"), trace_parent(t, w->parent));
    if (!t->continues_parent)
        drop(w, "tracestate"); /* of another trace, or of none (W3C Trace Context, section 4.3) */
    drop(w, "X-Google-*");
    w->response_add[0] = (field){SPAN_LIT("server"), SPAN_LIT(PAGE_SERVER)};
    w->response_add[1] = (field){SPAN_LIT("x-cloud-trace-context"), response_trace};
    w->response_add[2] = (field){SPAN_LIT("alt-svc"), SPAN_LIT(PAGE_ALT_SVC)};
    w->response_adds = 3;
    w->response_drop = response_drop;
}

void forwarding_tell(forwarding *w, span value)
{
    w->response_add[w->response_adds++] = (field){SPAN_LIT(DECISION_HEADER), value};
    w->response_drop = response_drop_telling;
}
