/* The gateway process: its main thread owns configuration, keys and listeners and hands each worker
 * what it needs; workers do the rest. */
#ifndef GATEWAY_PROCESS_H
#define GATEWAY_PROCESS_H

#include "base/buf.h"
#include "base/loop.h"
#include "config/topology.h"
#include "gateway/recent.h"
#include "gateway/request_log.h"

typedef struct process process;

enum { PROCESS_WORKERS_MAX = 64 };

typedef struct process_options {
    const char *config_path;
    const char *addresses_path; /* NULL: none; else the ports are reserved for us */
    bool watch;
    int ready_fd;       /* -1: none; gets "ready\n" when everything answers */
    unsigned workers;   /* 0: as many as cores, at most 4 */
    const char *jwks;   /* NULL: the metadata process of the topology */
    const char *ca_dir; /* NULL: `ca` in the topology's keys folder */
    request_log_mode log_mode;
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
bool process_ready(const process *p);

/* {"ready":…,"services":{NAME:{…}}…}; appends. */
void process_status(const process *p, buf *b);

/* ERR_NOT_FOUND: no such service, or (detach) nothing is attached; ERR_INVALID: not an address. */
bool process_attach(process *p, span service_name, span address, error *e);
bool process_detach(process *p, span service_name, error *e);

/* The last decisions of all workers, newest first: done(ctx, items, count) is called later on the
 * main thread; the items are freed afterwards. */
void process_recent(process *p, const recent_query *q,
                    void (*done)(void *ctx, recent_item *items, size_t count), void *ctx);

#endif
