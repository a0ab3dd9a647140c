/* Collects lines and hands them to the sink in one write: a write for each would cost as much as
 * half a request. */
#include "gateway/request_log.h"

#include <stdlib.h>

enum { PENDING_MAX = 256 * 1024, FLUSH_AT = 32 * 1024, FLUSH_AFTER_US = 5000 };

struct request_log {
    loop *loop;
    request_log_mode mode;
    bool json;
    loop_timer timer;
    log_state state;
    buf pending;
};

static void flush(request_log *g)
{
    loop_timer_cancel(g->loop, &g->timer);
    if (g->pending.n == 0)
        return;
    if (!buf_ok(&g->pending)) {
        buf_clear(&g->pending);
        log_at(LOG_ERROR, "request log entries were too long and are lost");
        return;
    }
    log_line((span){g->pending.p, g->pending.n});
    buf_clear(&g->pending);
}

static void on_timer(loop_timer *t)
{
    flush(container_of(t, request_log, timer));
}

request_log *request_log_open(loop *l, request_log_mode mode)
{
    request_log *g = calloc(1, sizeof *g);
    if (!g)
        abort();
    *g = (request_log){.loop = l, .mode = mode};
    g->json = log_current_format() == LOG_JSON;
    g->pending = buf_make(PENDING_MAX);
    g->timer.fire = on_timer;
    return g;
}

void request_log_close(request_log *g)
{
    if (!g)
        return;
    flush(g);
    buf_free(&g->pending);
    free(g);
}

/* Production writes no entry for these, so a program that reads the log must not find one; a person
 * still wants to know. */
static void tell_unlogged(const record *r)
{
    log_at(LOG_WARN, "refused; Cloud Run logs no such request",
           LOG_S("reason", r->decided ? reason_info(r->reason)->name : ""),
           LOG_S("service", r->service ? r->service->name : ""), LOG_V("method", r->method),
           LOG_V("host", r->host), LOG_V("target", r->target), LOG_I("status", r->outcome.status),
           LOG_V("explanation", r->explanation), LOG_V("fix", r->fix));
}

static bool wanted(const request_log *g, const record *r)
{
    switch (g->mode) {
    case REQUEST_LOG_ALL:
        return true;
    case REQUEST_LOG_REFUSED:
        return record_troubled(r);
    case REQUEST_LOG_OFF:
        return false;
    }
    abort();
}

void request_log_add(request_log *g, const record *r)
{
    if (!wanted(g, r))
        return;
    if (r->unlogged) {
        tell_unlogged(r);
        return;
    }
    if (g->pending.n)
        buf_char(&g->pending, '\n');
    if (g->json)
        request_log_json(&g->pending, r, &g->state);
    else
        request_log_text(&g->pending, r);
    if (g->pending.n >= FLUSH_AT) {
        flush(g);
    } else if (!g->timer.slot) {
        loop_timer_set(g->loop, &g->timer, loop_now_us(g->loop) + FLUSH_AFTER_US);
    }
}
