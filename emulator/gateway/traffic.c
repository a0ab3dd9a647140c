/* Questions to all workers about what came to them, and their answers added up. */
#include <stdlib.h>

#include "base/clock.h"
#include "gateway/process_impl.h"

typedef struct traffic_question {
    worker_question q;
    traffic sum;
    void (*done)(void *ctx, const traffic *t);
    void *ctx;
} traffic_question;

static void *copy_traffic(const void *ctx, const worker_parts *w)
{
    (void)ctx;
    traffic *t = malloc(sizeof *t);
    if (!t)
        abort();
    *t = (traffic){tally_copy(w->tally), proxy_count_connections(w->proxy)};
    return t;
}

static void add_connections(proxy_connections *to, const proxy_connections *c)
{
    to->accepted += c->accepted;
    to->http1 += c->http1;
    to->http2 += c->http2;
    to->connect += c->connect;
    to->tls_http1 += c->tls_http1;
    to->tls_http2 += c->tls_http2;
    to->handshakes += c->handshakes;
    to->failed_handshakes += c->failed_handshakes;
    to->open += c->open;
}

static void add_traffic(void *ctx, void *answer)
{
    traffic_question *t = ctx;
    traffic *one = answer;
    tally_merge(t->sum.tally, one->tally);
    add_connections(&t->sum.connections, &one->connections);
    tally_free(one->tally);
    free(one);
}

static void all_added(void *ctx)
{
    traffic_question *t = ctx;
    tally_sort(t->sum.tally);
    t->done(t->ctx, &t->sum);
    tally_free(t->sum.tally);
    free(t);
}

void process_traffic(process *p, void (*done)(void *ctx, const traffic *t), void *ctx)
{
    traffic_question *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    *t = (traffic_question){.q = {.ask = copy_traffic,
                                  .take = add_traffic,
                                  .done = all_added,
                                  .ctx = t,
                                  .home = p->mailbox},
                            .sum = {.tally = tally_new(clock_wall_us())},
                            .done = done,
                            .ctx = ctx};
    workers_ask(p->workers, p->worker_count, &t->q);
}
