/* File and state → reservations → overlay → the snapshot with the addresses in force. */
#include "cli/up_topology.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "config/topology.h"
#include "config/watch.h"
#include "state/merge.h"
#include "state/state.h"

enum { OVERLAY_MAX = 1024 * 1024, OVERLAY_MODE = 0600 };

struct up_topology {
    up_topology_options o;
    char *overlay_path;
    state *state;
    watch *watch; /* of the state's file */
    port_plan *ports;
    snapshot *file;     /* as it is, the addresses in it its own */
    snapshot *base;     /* the file with the addresses in force */
    snapshot *in_force; /* base with the state over it */
};

/* ---- the pieces ---- */

static snapshot *merged(const up_topology *t, snapshot *base)
{
    return state_merge(base, state_document(t->state), t->in_force, clock_wall_us());
}

static snapshot *load_with_overlay(const up_topology *t, buf *problems)
{
    error e = {0};
    addresses *over = addresses_read(t->overlay_path, &e);
    if (!over) {
        buf_fmt(problems, "%s\n", e.text);
        return NULL;
    }
    diagnostics found = {0};
    snapshot *s = topology_load(t->o.path, over, &found);
    if (!s)
        diagnostics_print(&found, problems);
    diagnostics_free(&found);
    addresses_free(over);
    return s;
}

static bool write_overlay(const up_topology *t, const port_plan *p, buf *problems)
{
    auto_buf buf text = buf_make(OVERLAY_MAX);
    if (p)
        port_plan_overlay(p, &text);
    error e = {0};
    if (!buf_ok(&text))
        error_set(&e, ERR_LIMIT, "too many addresses for the overlay file");
    else if (file_replace_lazily(t->overlay_path, text.p ? text.p : "", text.n, OVERLAY_MODE, &e))
        return true;
    buf_fmt(problems, "%s\n", e.text);
    return false;
}

static bool same_overlay(const port_plan *a, const port_plan *b)
{
    auto_buf buf one = buf_make(OVERLAY_MAX);
    auto_buf buf other = buf_make(OVERLAY_MAX);
    port_plan_overlay(a, &one);
    port_plan_overlay(b, &other);
    return span_eq(buf_view(&one), buf_view(&other));
}

static void put(snapshot **at, snapshot *s)
{
    snapshot_unref(*at);
    *at = s;
}

/* ---- a change of either ---- */

/* Reserves for the file (a new one or the one we have) with the state over it as it is now. */
static bool take(up_topology *t, snapshot *file, buf *problems)
{
    snapshot *all = merged(t, file);
    port_plan *plan = port_plan_make(all, file, t->o.ephemeral, t->ports, problems);
    snapshot_unref(all);
    if (!plan)
        return false;
    snapshot *base = NULL;
    if (write_overlay(t, plan, problems))
        base = load_with_overlay(t, problems);
    if (!base) {
        (void)write_overlay(t, t->ports, problems);
        port_plan_free(plan);
        return false;
    }
    port_plan_free(t->ports);
    t->ports = plan;
    put(&t->file, snapshot_ref(file));
    put(&t->base, base);
    put(&t->in_force, merged(t, base));
    return true;
}

bool up_topology_take(up_topology *t, snapshot *file, buf *problems)
{
    return take(t, file, problems);
}

/* Most changes touch no address of the file's: then the file is not read again. */
static bool take_state(up_topology *t, bool *out_overlay_changed, buf *problems)
{
    snapshot *all = merged(t, t->file);
    port_plan *plan = port_plan_make(all, t->file, t->o.ephemeral, t->ports, problems);
    snapshot_unref(all);
    if (!plan)
        return false;
    *out_overlay_changed = !same_overlay(plan, t->ports);
    port_plan_free(t->ports);
    t->ports = plan;
    if (*out_overlay_changed)
        return take(t, t->file, problems);
    put(&t->in_force, merged(t, t->base));
    return true;
}

static void on_state_file(void *ctx)
{
    up_topology *t = ctx;
    error e = {0};
    bool changed = false, daemons = false;
    if (!state_refresh(t->state, &changed, &e)) {
        log_at(LOG_ERROR, "the state is not taken over; what ran goes on running",
               LOG_S("why", e.text));
        return;
    }
    if (!changed || !t->file)
        return;
    auto_buf buf problems = buf_make(OVERLAY_MAX);
    if (take_state(t, &daemons, &problems))
        t->o.on_change(t->o.ctx, daemons);
    else
        log_at(LOG_ERROR, "a change by an API is not taken over; what ran goes on running",
               LOG_V("why", buf_view(&problems)));
}

/* ---- life ---- */

/* Whatever is written before the watch is set is seen by the first take, which looks again. */
static bool follow_state(up_topology *t, loop *l, error *e)
{
    t->state = state_open(&(state_options){.dir = t->o.state_dir}, e);
    if (!t->state)
        return false;
    char *paths[] = {span_dup(span_of(state_path(t->state)))};
    t->watch = watch_open(l, on_state_file, t, e);
    const bool ok = t->watch && (watch_set(t->watch, paths, countof(paths), INT64_MAX).complete ||
                                 error_set(e, ERR_UNAVAILABLE, "%s cannot be watched", paths[0]));
    free(paths[0]);
    return ok && state_refresh(t->state, &(bool){false}, e);
}

up_topology *up_topology_new(loop *l, const up_topology_options *o, error *e)
{
    up_topology *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    *t = (up_topology){.o = *o, .overlay_path = file_join(o->dir, "addresses")};
    if (follow_state(t, l, e))
        return t;
    up_topology_free(t);
    return NULL;
}

void up_topology_free(up_topology *t)
{
    if (!t)
        return;
    watch_close(t->watch);
    state_close(t->state);
    port_plan_free(t->ports);
    snapshot_unref(t->in_force);
    snapshot_unref(t->base);
    snapshot_unref(t->file);
    free(t->overlay_path);
    free(t);
}

/* ---- asking ---- */

const snapshot *up_topology_snapshot(const up_topology *t)
{
    return t->in_force;
}

bool up_topology_is_in_file(const up_topology *t, const char *service_name)
{
    return t->file && snapshot_find_service(t->file, span_of(service_name));
}

const char *up_topology_overlay_path(const up_topology *t)
{
    return t->overlay_path;
}

port_plan *up_topology_ports(const up_topology *t)
{
    return t->ports;
}
