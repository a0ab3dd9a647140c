/* Questions to all workers about what came to them, and their answers added up. */
#include <stdlib.h>

#include "base/clock.h"
#include "gateway/process_impl.h"

typedef struct traffic_question {
    worker_question q;
    tally *sum;
    void (*done)(void *ctx, const tally *t);
    void *ctx;
} traffic_question;

static void *copy_tally(const worker_parts *w)
{
    return tally_copy(w->tally);
}

static void add_tally(void *ctx, void *answer)
{
    const traffic_question *t = ctx;
    tally *one = answer;
    tally_merge(t->sum, one);
    tally_free(one);
}

static void all_added(void *ctx)
{
    traffic_question *t = ctx;
    t->done(t->ctx, t->sum);
    tally_free(t->sum);
    free(t);
}

void process_traffic(process *p, void (*done)(void *ctx, const tally *t), void *ctx)
{
    traffic_question *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    *t = (traffic_question){.q = {.ask = copy_tally,
                                  .take = add_tally,
                                  .done = all_added,
                                  .ctx = t,
                                  .home = p->mailbox},
                            .sum = tally_new(clock_wall_us()),
                            .done = done,
                            .ctx = ctx};
    for (unsigned i = 0; i < p->worker_count; i++)
        worker_ask(p->workers[i], &t->q);
    if (p->worker_count == 0)
        all_added(t); /* on the way out */
}
