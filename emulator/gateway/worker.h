/* One thread with its own loop, listeners, proxy and judge. Everything reaches it by mailbox. */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include "gateway/admit.h"
#include "gateway/mailbox.h"

typedef struct worker worker;

typedef struct worker_options {
    unsigned index;
    unsigned connections_max;
    request_log_mode log_mode;
    record_queue *records;           /* outlives the worker; NULL: nothing is recorded */
    int64_t start_wait_us;           /* as admit_options */
    bool decision_header;            /* likewise */
    const char *ca_dir;              /* outlives the worker; NULL: TLS is off */
    const unsigned char *ticket_key; /* as tls_options.ticket_key: the same for all workers */
    /* Called on the worker's thread. */
    void (*want_keys)(void *ctx);
    void *ctx;
} worker_options;

/* first: the worker takes its own count. NULL and *e when there is no thread or no descriptor. */
worker *worker_start(const worker_options *o, view *first, error *e);

/* ---- from the main thread ---- */
void worker_take_view(worker *w, view *v); /* takes its own count */

/* Accepts on fd (a listening socket, taken over) for the service; NULL: the shared ingress. A
 * listener that the service had before is closed. */
void worker_listen(worker *w, const char *service, int fd);
void worker_unlisten(worker *w, const char *service);

/* fn(ctx, r) is called on the worker's thread, in a turn of its loop that began at not_before_us
 * (monotonic) or later: what ended before that is remembered by then. */
void worker_visit_recent(worker *w, int64_t not_before_us, void (*fn)(void *ctx, const recent *r),
                         void *ctx);

/* A question to all workers, or an order. */
typedef struct worker_parts {
    admit *admit;
    tally *tally;
    proxy *proxy;
    const recent *recent;
} worker_parts;
typedef struct worker_question {
    /* On each worker's thread, where ctx is only read; its answer, or NULL. */
    void *(*ask)(const void *ctx, const worker_parts *w);
    /* On home's thread: each answer, then that there are no more. */
    void (*take)(void *ctx, void *answer);
    void (*done)(void *ctx);
    void *ctx;
    mailbox *home;
    unsigned outstanding; /* home's thread only */
} worker_question;
/* Without any worker it is done at once. */
void workers_ask(worker *const *all, unsigned count, worker_question *q);

const admit_counters *worker_counters(const worker *w);

/* Lets requests end until deadline_us (monotonic); worker_join then returns soon. */
void worker_drain(worker *w, int64_t deadline_us);
void worker_join(worker *w); /* waits for the thread, frees the worker */

#endif
