/* The topology as it is now: its file (config/reload) with the state merged over it. Every process
 * that serves the topology follows it by this; the gateway is the one that changes the state. */
#ifndef STATE_LIVE_H
#define STATE_LIVE_H

#include "config/reload.h"
#include "state/state.h"

typedef struct live live;

typedef struct live_options {
    const char *path, *addresses_path; /* as reload_options */
    bool watch;
    state_options state;
    /* Called on the loop's thread with each new merged snapshot; the callee takes its own count. */
    void (*on_snapshot)(void *ctx, snapshot *s);
    void *ctx;
} live_options;

/* As reload_open: on_snapshot is called before this returns. NULL: *out (of the topology) or *e (of
 * the state) says why. */
live *live_open(loop *l, const live_options *o, diagnostics *out, error *e);
void live_close(live *v); /* NULL is fine */

const snapshot *live_base(const live *v);     /* the file alone */
const snapshot *live_snapshot(const live *v); /* merged */
state *live_state(const live *v);

reload_history live_reloads(const live *v); /* of the file */
/* Reloads, what the topology holds, and the state's serial, for Prometheus; appends. */
void live_metrics(const live *v, buf *b);

/* The draft (stolen) becomes the state and a new snapshot. false and *e: nothing changed. */
bool live_commit(live *v, json_t *draft, error *e);

/* Back to the state as it was opened, over the file as it is; every change of a grant counts at
 * once, those that still propagate too. *out_changed: a new snapshot was taken. false and *e:
 * nothing changed. */
bool live_reset(live *v, bool *out_changed, error *e);

/* Looks at the state's file at once (readers). false and *e: the former state stays. */
bool live_refresh(live *v, error *e);

/* As reload_now: SIGHUP. */
bool live_reload(live *v);

#endif
