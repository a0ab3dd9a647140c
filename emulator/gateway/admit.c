/* The proxy's handler: begins and ends admissions, swaps views, keeps those that wait for keys. */
#include "gateway/admit.h"

#include <stdlib.h>

#include "gateway/admission.h"

enum { TOKENS_REMEMBERED = 1024 };

static view_hold *hold_new(view *v)
{
    view_hold *h = malloc(sizeof *h);
    if (!h)
        abort();
    *h = (view_hold){v, 1};
    return h;
}

static void hold_release(view_hold *h)
{
    if (--h->users)
        return;
    view_unref(h->view);
    free(h);
}

/* ---- waiting for keys ---- */

void admission_wait(admit *a, admission *m)
{
    exchange_defer(m->x);
    m->waited = true;
    m->next = NULL;
    m->link = a->waiting_end;
    *a->waiting_end = m;
    a->waiting_end = &m->next;
    a->waiting_count++;
    if (!a->wait_timer.slot)
        loop_timer_set(a->o.loop, &a->wait_timer, loop_now_us(a->o.loop) + ADMIT_WAIT_KEYS_US);
    a->o.want_keys(a->o.ctx);
}

void admission_wait_over(admit *a, admission *m)
{
    if (!m->link)
        return;
    *m->link = m->next;
    if (m->next)
        m->next->link = m->link;
    else
        a->waiting_end = m->link;
    m->link = NULL;
    a->waiting_count--;
}

static void judge_again(admit *a, admission *m)
{
    admission_wait_over(a, m);
    hold_release(m->hold);
    m->hold = a->hold;
    m->hold->users++;
    admission_judge(a, m);
}

/* Those that have waited long enough; the timer then follows the oldest of the rest. */
static void judge_waiting(admit *a, int64_t begun_before_us)
{
    while (a->waiting && exchange_started_us(a->waiting->x) <= begun_before_us)
        judge_again(a, a->waiting);
    loop_timer_cancel(a->o.loop, &a->wait_timer);
    if (a->waiting)
        loop_timer_set(a->o.loop, &a->wait_timer,
                       exchange_started_us(a->waiting->x) + ADMIT_WAIT_KEYS_US);
}

static void waited_long_enough(loop_timer *t)
{
    admit *a = container_of(t, admit, wait_timer);
    judge_waiting(a, loop_now_us(a->o.loop) - ADMIT_WAIT_KEYS_US);
}

/* ---- the proxy's events ---- */

static void note_peer(admit *a, admission *m)
{
    const net_addr *peer = exchange_peer(m->x);
    if (a->last_peer.ss.ss_family != peer->ss.ss_family || !net_addr_same_ip(&a->last_peer, peer)) {
        a->last_peer = *peer;
        (void)net_addr_ip(peer, a->last_peer_ip);
    }
    memcpy(m->peer_ip, a->last_peer_ip, sizeof m->peer_ip);
}

static span only_one(const exchange *x, const char *name)
{
    span value = {0};
    return exchange_field(x, name, &value) == 1 ? value : (span){0};
}

static void on_head(void *ctx, exchange *x)
{
    admit *a = ctx;
    admission *m = exchange_alloc(x, sizeof *m);
    memset(m, 0, sizeof *m);
    m->x = x;
    m->door = exchange_tag(x);
    m->wall_us = clock_now_us(a->o.clock);
    m->epoch = a->epoch;
    m->hold = a->hold;
    m->hold->users++;
    exchange_set_user(x, m);
    note_peer(a, m);
    trace_begin(&m->trace, &a->ids, only_one(x, "X-Cloud-Trace-Context"),
                only_one(x, "traceparent"));
    m->insert_id = ids_next(&a->ids);
    m->response_trace_n = trace_response(&m->trace, m->response_trace).n;
    admission_judge(a, m);
}

static error_page page_of(proxy_failure f)
{
    if (f == PROXY_TIMEOUT)
        return ERROR_504;
    if (f == PROXY_RESPONSE_TOO_LARGE)
        return ERROR_500;
    return f == PROXY_REQUEST_TOO_LARGE ? ERROR_413 : ERROR_503;
}

static const char *log_text_of(proxy_failure f)
{
    if (f == PROXY_RESPONSE_TOO_LARGE)
        return "Response size was too large. Please consider reducing response size.";
    return pages_info(page_of(f))->log_text;
}

static void on_failure(void *ctx, exchange *x, proxy_failure f, reply *out)
{
    admit *a = ctx;
    admission *m = exchange_user(x);
    if (m->passed_on) {
        proxied_failure(m, f, out);
        return;
    }
    m->text_payload = log_text_of(f);
    admission_explain_failure(a, m, f);
    admission_page(a, m, page_of(f), false, out);
}

static void on_malformed(void *ctx, const net_addr *peer, unsigned status, const char *why)
{
    admit *a = ctx;
    char ip[NET_ADDR_TEXT_MAX];
    admission_count(&a->o.counters->malformed);
    log_at(LOG_WARN, "malformed request", LOG_I("status", status), LOG_S("why", why),
           LOG_S("peer", net_addr_ip(peer, ip)));
}

static void on_done(void *ctx, exchange *x, const exchange_outcome *o)
{
    admit *a = ctx;
    admission *m = exchange_user(x);
    admission_wait_over(a, m);
    egress_cancel(&m->wait);
    tally_leave(m->at);
    admission_report(a, m, o);
    hold_release(m->hold);
}

exchange_handler admit_handler(admit *a)
{
    return (exchange_handler){.on_head = on_head,
                              .on_failure = on_failure,
                              .on_malformed = on_malformed,
                              .on_done = on_done,
                              .ctx = a};
}

/* ---- life ---- */

admit *admit_new(const admit_options *o, view *first)
{
    admit *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->o = *o;
    a->hold = hold_new(first);
    tally_take_view(a->o.tally, first);
    a->tokens = token_memory_new(TOKENS_REMEMBERED);
    a->ids = ids_new();
    a->waiting_end = &a->waiting;
    a->wait_timer.fire = waited_long_enough;
    a->scratch = buf_make(PAGE_BODY_MAX);
    return a;
}

void admit_free(admit *a)
{
    if (!a)
        return;
    loop_timer_cancel(a->o.loop, &a->wait_timer);
    hold_release(a->hold);
    token_memory_free(a->tokens);
    recent_free(a->late);
    buf_free(&a->scratch);
    free(a);
}

void admit_take_view(admit *a, view *v)
{
    const view *old = a->hold->view;
    if (old->keys && (!v->keys || !jwks_same(old->keys, v->keys)))
        token_memory_clear(a->tokens);
    bool attempted = old->keys_attempt != v->keys_attempt;
    hold_release(a->hold);
    a->hold = hold_new(v);
    tally_take_view(a->o.tally, v);
    /* Without any key yet there is nothing to judge by: wait on. */
    if (attempted && v->keys)
        judge_waiting(a, INT64_MAX);
}

void admit_reset(admit *a)
{
    admit_counters *c = a->o.counters;
#define X(id, name) atomic_store_explicit(&c->id, 0, memory_order_relaxed);
    ADMIT_COUNTERS(X)
#undef X
    a->epoch++;
    recent_clear(a->o.recent);
    tally_reset(a->o.tally, clock_now_us(a->o.clock));
}
