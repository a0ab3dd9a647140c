/* The gateway process: its main thread owns configuration, keys and listeners and hands each worker
 * what it needs; workers do the rest. */
#ifndef GATEWAY_PROCESS_H
#define GATEWAY_PROCESS_H

#include "base/buf.h"
#include "base/loop.h"
#include "config/topology.h"
#include "gateway/recent.h"
#include "gateway/record_file.h"
#include "gateway/request_log.h"
#include "gateway/tally.h"
#include "jose/jwks.h"
#include "state/live.h"

typedef struct process process;

enum { PROCESS_WORKERS_MAX = 64 };

typedef struct process_options {
    const char *config_path;
    const char *addresses_path; /* NULL: none; else the ports are reserved for us */
    bool watch;
    state_options state; /* what the APIs change is kept there */
    int ready_fd;        /* -1: none; gets "ready\n" when everything answers */
    unsigned workers;    /* 0: as many as cores, at most 4 */
    const char *jwks;    /* NULL: the metadata process of the topology */
    const char *ca_dir;  /* NULL: `ca` in the topology's keys folder */
    bool ephemeral;      /* addresses of new services: any free port, not the next one */
    request_log_mode log_mode;
    record_file_options record; /* its path NULL: decisions are not recorded */
    int64_t start_wait_us;      /* how long a request waits for a service's command to listen */
    bool decision_header;       /* answers have X-Invoker-Decision, whatever the topology says */
    /* Called with each snapshot that is taken, the first one included. */
    void (*on_snapshot)(void *ctx, const snapshot *s);
    void *ctx;
} process_options;

/* Everything listens when it returns. NULL: *out_problems (of the topology) or *e says why. */
process *process_open(const process_options *o, diagnostics *out_problems, error *e);

/* Until SIGTERM or SIGINT; requests under way are given most of a second. */
void process_run(process *p);
void process_close(process *p);

/* ---- for the control listener, on the main thread ---- */
loop *process_loop(process *p);
const snapshot *process_snapshot(const process *p);
/* The topology's file and the state behind the snapshot. */
const live *process_live(const process *p);
bool process_ready(const process *p);
jwks *process_keys(const process *p); /* NULL: not known yet */

/* A change by the APIs (stolen): durable, and posted to every worker, when this returns. */
bool process_commit(process *p, json_t *draft, error *e);

/* Back to the state as it was opened; all that is recorded of requests is forgotten, attachments
 * stay, and requests under way end as they began. done(ctx) is called later on the main thread,
 * when no worker judges otherwise any more. false and *e: nothing changed. */
bool process_reset(process *p, bool *out_changed, void (*done)(void *ctx), void *ctx, error *e);

/* Free addresses for a service that an API makes: its listener, its metadata server, its container.
 * Held by nobody until the service is there. */
typedef struct new_addresses {
    char listen[NET_ADDR_TEXT_MAX], metadata[NET_ADDR_TEXT_MAX], upstream[NET_ADDR_TEXT_MAX];
} new_addresses;
bool process_new_addresses(const process *p, new_addresses *out, error *e);

/* {"ready":…,"services":{NAME:{…}}…}; appends. */
void process_status(const process *p, buf *b);

/* ERR_NOT_FOUND: no such service, or (detach) nothing is attached; ERR_INVALID: not an address. */
bool process_attach(process *p, span service_name, span address, error *e);
bool process_detach(process *p, span service_name, error *e);

/* The last decisions of all workers, newest first: done(ctx, items, count) is called later on the
 * main thread; the items are freed afterwards. */
void process_recent(process *p, const recent_query *q,
                    void (*done)(void *ctx, recent_item *items, size_t count), void *ctx);

/* What came to all workers, likewise. */
typedef struct traffic {
    tally *tally;
    proxy_connections connections;
} traffic;
void process_traffic(process *p, void (*done)(void *ctx, const traffic *t), void *ctx);

/* All that this process counts, with the traffic as just asked for, for Prometheus; appends. */
void process_metrics(const process *p, const traffic *t, buf *b);

#endif
