/* The worker's thread: set up before it starts, taken down after it ended. */
#include "gateway/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/certificates.h"
#include "gateway/egress.h"

enum {
    STACK_BYTES = 256 * 1024,
    CONNECTION_MEMORY = 16 * 1024, /* bounds the request head, and is resident per connection */
    IDLE_TIMEOUT_S = 620, /* above that of the load balancers in front, as Google's front end */
    HEAD_TIMEOUT_S = 60,
    UPSTREAM_IDLE_S = 60,
    UPSTREAM_IDLE_MAX = 256,
    CONNECT_TIMEOUT_US = 5 * 1000 * 1000
};

struct worker {
    worker_options o;
    loop *loop;
    mailbox *mailbox;
    proxy *proxy;
    admit *admit;
    certificates *certificates; /* NULL: TLS is off */
    egress *egress;
    request_log *log;
    recent *recent;
    tally *tally;
    door *doors;
    pthread_t thread;
    bool ended; /* the thread is over */
    _Alignas(64) admit_counters counters;
};

static void *run(void *arg)
{
    worker *w = arg;
    loop_run(w->loop);
    return NULL;
}

static void free_parts(worker *w)
{
    while (w->doors) {
        door *next = w->doors->next;
        net_acceptor_close(w->doors->acceptor);
        free(w->doors->service);
        free(w->doors);
        w->doors = next;
    }
    if (w->proxy)
        proxy_close(w->proxy);
    admit_free(w->admit);
    egress_free(w->egress);
    certificates_free(w->certificates);
    request_log_close(w->log);
    recent_free(w->recent);
    if (w->o.records)
        record_queue_detach(w->o.records);
    tally_free(w->tally);
    loop_free(w->loop);
    free(w);
}

static bool open_proxy(worker *w, error *e)
{
    const connect_handler connect = egress_connect_handler(w->egress);
    const tls_options tls = {
        .certificate = certificates_find, .ctx = w->certificates, .ticket_key = w->o.ticket_key};
    w->proxy = proxy_open(w->loop,
                          &(proxy_options){.handler = admit_handler(w->admit),
                                           .connection_memory = CONNECTION_MEMORY,
                                           .connections_max = w->o.connections_max,
                                           .idle_timeout_s = IDLE_TIMEOUT_S,
                                           .head_timeout_s = HEAD_TIMEOUT_S,
                                           .upstream_idle_s = UPSTREAM_IDLE_S,
                                           .upstream_idle_max = UPSTREAM_IDLE_MAX,
                                           .connect_timeout_us = CONNECT_TIMEOUT_US,
                                           .tls = w->certificates ? &tls : NULL,
                                           .connect = &connect},
                          e);
    return w->proxy != NULL;
}

static bool open_parts(worker *w, view *first, error *e)
{
    w->loop = loop_new(e);
    if (!w->loop)
        return false;
    w->mailbox = mailbox_new(w->loop);
    w->log = request_log_open(w->loop, w->o.log_mode);
    w->recent = recent_new();
    if (w->o.records)
        record_queue_attach(w->o.records, w->loop);
    w->tally = tally_new(clock_wall_us());
    w->egress = egress_new(w->loop, &w->doors, view_ref(first));
    if (w->o.ca_dir)
        w->certificates = certificates_new(w->o.ca_dir, clock_system(), view_ref(first));
    w->admit = admit_new(&(admit_options){.loop = w->loop,
                                          .clock = clock_system(),
                                          .log = w->log,
                                          .recent = w->recent,
                                          .records = w->o.records,
                                          .tally = w->tally,
                                          .counters = &w->counters,
                                          .start_wait_us = w->o.start_wait_us,
                                          .decision_header = w->o.decision_header,
                                          .egress = w->egress,
                                          .want_keys = w->o.want_keys,
                                          .ctx = w->o.ctx},
                         view_ref(first));
    return open_proxy(w, e);
}

static bool start_thread(worker *w, error *e)
{
    pthread_attr_t attr;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    int failed = pthread_create(&w->thread, &attr, run, w);
    (void)pthread_attr_destroy(&attr);
    if (failed)
        return error_set(e, ERR_IO, "cannot start a worker thread: %s", strerror(failed));
    return true;
}

worker *worker_start(const worker_options *o, view *first, error *e)
{
    worker *w = aligned_alloc(64, sizeof *w);
    if (!w)
        abort();
    memset(w, 0, sizeof *w);
    w->o = *o;
    if (open_parts(w, first, e) && start_thread(w, e))
        return w;
    mailbox_free(w->mailbox);
    free_parts(w);
    return NULL;
}

void worker_join(worker *w)
{
    (void)pthread_join(w->thread, NULL);
    w->ended = true;
    mailbox_free(w->mailbox);
    free_parts(w);
}

const admit_counters *worker_counters(const worker *w)
{
    return &w->counters;
}

/* ---- views ---- */

static void take_view(void *ctx, void *arg)
{
    const worker *w = ctx;
    view *v = arg;
    egress_take_view(w->egress, view_ref(v));
    if (w->certificates)
        certificates_take_view(w->certificates, view_ref(v));
    admit_take_view(w->admit, v);
}

void worker_take_view(worker *w, view *v)
{
    mailbox_post(w->mailbox, take_view, w, view_ref(v));
}

/* ---- listeners ---- */

typedef struct listen_order {
    char *service;
    int fd; /* -1: close */
} listen_order;

static void on_accept(void *ctx, int fd, const net_addr *peer)
{
    door *d = ctx;
    proxy_adopt(d->proxy, fd, peer, d);
}

static bool same_service(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static door *find_door(worker *w, const char *name)
{
    for (door *d = w->doors; d; d = d->next)
        if (same_service(d->service, name))
            return d;
    door *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->service = name ? span_dup(span_of(name)) : NULL;
    d->proxy = w->proxy;
    d->next = w->doors;
    w->doors = d;
    return d;
}

static void obey(void *ctx, void *arg)
{
    worker *w = ctx;
    listen_order *o = arg;
    door *d = find_door(w, o->service);
    net_acceptor_close(d->acceptor);
    d->acceptor = NULL;
    if (o->fd >= 0) {
        error e = {0};
        if (net_local(o->fd, &d->local))
            (void)net_addr_ip(&d->local, d->server_ip);
        d->acceptor = net_acceptor_open(w->loop, o->fd, on_accept, d, &e);
        if (!d->acceptor)
            log_at(LOG_ERROR, "a worker cannot accept", LOG_I("worker", w->o.index),
                   LOG_S("error", e.text));
    }
    free(o->service);
    free(o);
}

static void order(worker *w, const char *name, int fd)
{
    listen_order *o = malloc(sizeof *o);
    if (!o)
        abort();
    *o = (listen_order){name ? span_dup(span_of(name)) : NULL, fd};
    mailbox_post(w->mailbox, obey, w, o);
}

void worker_listen(worker *w, const char *name, int fd)
{
    order(w, name, fd);
}

void worker_unlisten(worker *w, const char *name)
{
    order(w, name, -1);
}

/* ---- questions ---- */

typedef struct visit {
    int64_t not_before_us;
    void (*fn)(void *ctx, const recent *r);
    void *ctx;
} visit;

/* On the worker's thread. A message may arrive in a turn that began before it was sent. */
static void receive_visit(void *ctx, void *arg)
{
    const worker *w = ctx;
    visit *v = arg;
    if (!w->ended && loop_now_us(w->loop) < v->not_before_us) {
        mailbox_post(w->mailbox, receive_visit, ctx, v);
        return;
    }
    v->fn(v->ctx, w->recent);
    free(v);
}

void worker_visit_recent(worker *w, int64_t not_before_us, void (*fn)(void *ctx, const recent *r),
                         void *ctx)
{
    visit *v = malloc(sizeof *v);
    if (!v)
        abort();
    *v = (visit){not_before_us, fn, ctx};
    mailbox_post(w->mailbox, receive_visit, w, v);
}

static void take_answer(void *ctx, void *answer)
{
    worker_question *q = ctx;
    if (answer)
        q->take(q->ctx, answer);
    if (--q->outstanding == 0)
        q->done(q->ctx);
}

static void answer(void *ctx, void *arg)
{
    const worker *w = ctx;
    worker_question *q = arg;
    const worker_parts parts = {
        .admit = w->admit, .tally = w->tally, .proxy = w->proxy, .recent = w->recent};
    mailbox_post(q->home, take_answer, q, q->ask(q->ctx, &parts));
}

void workers_ask(worker *const *all, unsigned count, worker_question *q)
{
    q->outstanding = count;
    for (unsigned i = 0; i < count; i++)
        mailbox_post(all[i]->mailbox, answer, all[i], q);
    if (count == 0)
        q->done(q->ctx);
}

/* ---- the end ---- */

static void drained(void *ctx)
{
    worker *w = ctx;
    loop_stop(w->loop);
}

static void drain(void *ctx, void *arg)
{
    worker *w = ctx;
    int64_t *deadline_us = arg;
    for (door *d = w->doors; d; d = d->next) {
        net_acceptor_close(d->acceptor);
        d->acceptor = NULL;
    }
    proxy_drain(w->proxy, *deadline_us, drained, w);
    free(deadline_us);
}

void worker_drain(worker *w, int64_t deadline_us)
{
    int64_t *arg = malloc(sizeof *arg);
    if (!arg)
        abort();
    *arg = deadline_us;
    mailbox_post(w->mailbox, drain, w, arg);
}
