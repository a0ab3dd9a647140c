/* Back to the beginning, for whoever runs one test behind another. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/process_impl.h"

typedef struct order {
    worker_question q;
    void (*done)(void *ctx);
    void *ctx;
} order;

static void *reset_worker(const void *ctx, const worker_parts *w)
{
    (void)ctx;
    admit_reset(w->admit);
    return NULL;
}

static void all_reset(void *ctx)
{
    order *o = ctx;
    o->done(o->ctx);
    free(o);
}

bool process_reset(process *p, bool *out_changed, void (*done)(void *ctx), void *ctx, error *e)
{
    if (!live_reset(p->live, out_changed, e))
        return false;
    p->resets++;
    p->reset_us = clock_mono_us();
    log_at(LOG_INFO, "reset", LOG_S("topology", *out_changed ? "as loaded again" : "as loaded"));
    order *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    *o = (order){.q = {.ask = reset_worker, .done = all_reset, .ctx = o, .home = p->mailbox},
                 .done = done,
                 .ctx = ctx};
    workers_ask(p->workers, p->worker_count, &o->q);
    return true;
}
