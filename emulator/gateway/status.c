/* What the control listener may ask the process. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "gateway/process_impl.h"

process_requests process_count_requests(const process *p)
{
    process_requests total = {0};
    for (unsigned i = 0; i < p->worker_count; i++) {
        const admit_counters *c = worker_counters(p->workers[i]);
#define X(id, name) total.id += atomic_load_explicit(&c->id, memory_order_relaxed);
        ADMIT_COUNTERS(X)
#undef X
    }
    return total;
}

static void add_counters(const process *p, buf *b)
{
    const process_requests total = process_count_requests(p);
    char before = '{';
    buf_str(b, ",\"requests\":");
#define X(id, name)                                                                                \
    buf_fmt(b, "%c\"" name "\":%llu", before, total.id);                                           \
    before = ',';
    ADMIT_COUNTERS(X)
#undef X
    buf_char(b, '}');
}

static void add_string(buf *b, const char *key, const char *value)
{
    buf_fmt(b, ",\"%s\":", key);
    if (value)
        buf_json(b, span_of(value));
    else
        buf_str(b, "null");
}

static void add_service(const process *p, buf *b, const service *s)
{
    const view_service *vs = &p->view->services[s->index];
    char text[NET_ADDR_TEXT_MAX];
    const net_addr *at = listeners_find(p->listeners, s->name);
    buf_json(b, span_of(s->name));
    buf_str(b, ":{\"url\":");
    buf_json(b, span_of(s->url));
    add_string(b, "listen", at ? net_addr_text(at, text) : NULL);
    add_string(b, "metadata", s->metadata);
    add_string(b, "service_account", s->account->email);
    add_string(b, "upstream",
               vs->kind != UPSTREAM_NONE ? net_addr_text(&vs->upstream, text) : s->upstream);
    buf_fmt(b, ",\"attached\":%s}", vs->kind == UPSTREAM_ATTACHED ? "true" : "false");
}

/* When the topology's files were looked at last, and how many problems kept them from being taken.
 */
static void add_last_load(const process *p, buf *b)
{
    char at[CLOCK_RFC3339_MAX];
    const reload_history past = live_reloads(p->live);
    clock_rfc3339(past.tried_us, 6, at);
    buf_fmt(b, ",\"load\":{\"at\":\"%s\",\"problems\":%zu}", at, past.problems);
}

/* The names are those of `invoker up --json`. */
void process_status(const process *p, buf *b)
{
    const project *about = snapshot_project(p->snap);
    char text[NET_ADDR_TEXT_MAX];
    const net_addr *front = p->listeners ? listeners_find(p->listeners, NULL) : NULL;
    buf_fmt(b,
            "{\"ready\":%s,\"process\":{\"pid\":%ld,\"workers\":%u,\"uptime_s\":%lld,"
            "\"resident_kib\":%zu}",
            p->ready ? "true" : "false", (long)getpid(), p->worker_count,
            (long long)((clock_mono_us() - p->started_us) / 1000000),
            (size_t)(process_resident_bytes() / 1024));
    add_string(b, "project", about->id);
    add_string(b, "region", about->region);
    add_string(b, "topology", about->file);
    add_last_load(p, b);
    add_string(b, "mode", snapshot_emulation(p->snap)->audit ? "audit" : "enforce");
    auto_free char *kept = p->o.state.dir ? realpath(p->o.state.dir, NULL) : NULL;
    add_string(b, "state", kept);
    buf_fmt(b, ",\"durable\":%s", kept && p->o.state.durable ? "true" : "false");
    add_string(b, "ingress", front ? net_addr_text(front, text) : NULL);
    add_string(b, "metadata", about->metadata_listen);
    add_string(b, "control", about->control_listen);
    auto_free char *source = process_keys_source(p, NULL);
    add_string(b, "jwks", source);
    buf_fmt(b, ",\"keys\":%zu", p->keys ? jwks_count(p->keys) : (size_t)0);
    add_counters(p, b);
    buf_str(b, ",\"services\":{");
    for (size_t i = 0; i < snapshot_service_count(p->snap); i++) {
        if (i)
            buf_char(b, ',');
        add_service(p, b, snapshot_service(p->snap, i));
    }
    buf_str(b, "}}");
}

/* ---- recent decisions ---- */

typedef struct recent_answer {
    recent_item *items;
    size_t count;
} recent_answer;

typedef struct recent_question {
    worker_question q;
    recent_query query;
    recent_answer all;
    void (*done)(void *ctx, recent_item *items, size_t count);
    void *ctx;
} recent_question;

static void *collect(const void *ctx, const worker_parts *w)
{
    const recent_question *q = ctx;
    recent_answer *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    recent_collect(w->recent, &q->query, &a->items, &a->count);
    return a;
}

static void add_answer(void *ctx, void *answer)
{
    recent_answer *all = &((recent_question *)ctx)->all;
    recent_answer *a = answer;
    if (a->count) {
        recent_item *items = realloc(all->items, (all->count + a->count) * sizeof *items);
        if (!items)
            abort();
        memcpy(items + all->count, a->items, a->count * sizeof *items);
        *all = (recent_answer){items, all->count + a->count};
    }
    free(a->items);
    free(a);
}

static void answered(void *ctx)
{
    recent_question *q = ctx;
    const recent_answer *all = &q->all;
    recent_sort(all->items, all->count);
    q->done(q->ctx, all->items, all->count < q->query.limit ? all->count : q->query.limit);
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i].request);
    free(all->items);
    free(q);
}

void process_recent(process *p, const recent_query *query,
                    void (*done)(void *ctx, recent_item *items, size_t count), void *ctx)
{
    recent_question *q = calloc(1, sizeof *q);
    if (!q)
        abort();
    *q = (recent_question){
        .q = {.ask = collect, .take = add_answer, .done = answered, .ctx = q, .home = p->mailbox},
        .query = *query,
        .done = done,
        .ctx = ctx};
    workers_ask(p->workers, p->worker_count, &q->q);
}
