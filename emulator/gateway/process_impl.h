/* The process from the inside: shared by process.c and those that ask it something. */
#ifndef GATEWAY_PROCESS_IMPL_H
#define GATEWAY_PROCESS_IMPL_H

#include "base/signals.h"
#include "gateway/keys_fetch.h"
#include "gateway/listeners.h"
#include "gateway/process.h"
#include "gateway/recorder.h"
#include "proxy/tls.h"
#include "state/live.h"

struct process {
    process_options o;
    loop *loop;
    mailbox *mailbox;
    signals *signals;
    live *live;
    host_names *names;
    upstreams *upstreams;
    proxy *proxy; /* only to fetch the keys with */
    keys_fetch *keys_fetch;
    listeners *listeners;
    char *ca_dir; /* NULL: there is no authority, so no TLS */
    snapshot *snap;
    jwks *keys;
    uint64_t keys_attempt;
    int64_t keys_attempt_us;
    uint64_t serial;
    view *view;         /* the one that the workers have or are about to have */
    recorder *recorder; /* NULL: decisions are not recorded */
    worker *workers[PROCESS_WORKERS_MAX];
    unsigned worker_count;
    unsigned char ticket_key[TLS_TICKET_KEY_BYTES];
    int ready_fd;
    bool running, ready, closing;
    int64_t started_us, started_wall_us;
    int64_t reset_us; /* the last time; monotonic */
    uint64_t resets, fetched_keys, failed_fetches;
};

/* Requests that all workers counted; any moment. */
typedef struct process_requests {
#define X(id, name) unsigned long long id;
    ADMIT_COUNTERS(X)
#undef X
} process_requests;
process_requests process_count_requests(const process *p);
/* Where the keys are read: a file's name or a URL; caller frees. NULL and *e: nobody says. */
char *process_keys_source(const process *p, error *e);

#endif
