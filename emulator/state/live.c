/* The file's snapshot and the state's document change one at a time; whichever does, they are
 * merged anew over the former result, so that what changed between the two propagates. */
#include "state/live.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/watch.h"
#include "state/merge.h"

struct live {
    loop *loop;
    live_options o;
    state *state;
    reload *reload;
    watch *watch; /* of the state's file, for readers */
    snapshot *base, *merged;
    uint64_t settled; /* of the document that merged was made of */
};

static void take(live *v, snapshot *merged)
{
    snapshot *old = v->merged;
    v->merged = merged;
    v->o.on_snapshot(v->o.ctx, merged);
    snapshot_unref(old);
}

/* What propagates is a difference to the former result; once settled, there is none. */
static void merge(live *v)
{
    const json_t *document = state_document(v->state);
    const bool settled = state_settled(document) != v->settled;
    v->settled = state_settled(document);
    take(v, state_merge(v->base, document, settled ? NULL : v->merged, clock_wall_us()));
}

static void on_base(void *ctx, snapshot *s)
{
    live *v = ctx;
    snapshot_unref(v->base);
    v->base = snapshot_ref(s);
    merge(v);
}

bool live_refresh(live *v, error *e)
{
    bool changed = false;
    if (!state_refresh(v->state, &changed, e))
        return false;
    if (changed)
        merge(v);
    return true;
}

static void on_state_file(void *ctx)
{
    error e = {0};
    if (!live_refresh(ctx, &e))
        log_at(LOG_ERROR, "the state is not taken over; the last good one stays in force",
               LOG_S("error", e.text));
}

bool live_commit(live *v, json_t *draft, error *e)
{
    if (!state_commit(v->state, draft, e))
        return false;
    merge(v);
    return true;
}

bool live_reset(live *v, bool *out_changed, error *e)
{
    const bool delayed = emulation_is_delayed(snapshot_emulation(v->base));
    *out_changed = delayed || !state_is_as_opened(v->state);
    if (!*out_changed)
        return true;
    json_t *draft = state_draft_as_opened(v->state);
    if (delayed)
        state_settle(draft);
    return live_commit(v, draft, e);
}

bool live_reload(live *v)
{
    on_state_file(v);
    return reload_now(v->reload);
}

const snapshot *live_base(const live *v)
{
    return v->base;
}

const snapshot *live_snapshot(const live *v)
{
    return v->merged;
}

reload_history live_reloads(const live *v)
{
    return reload_past(v->reload);
}

state *live_state(const live *v)
{
    return v->state;
}

/* What the writer does between our first look and the watch is seen by looking again. */
static void watch_state_file(live *v)
{
    error e = {0};
    char *paths[] = {span_dup(span_of(state_path(v->state)))};
    v->watch = watch_open(v->loop, on_state_file, v, &e);
    if (v->watch && watch_set(v->watch, paths, countof(paths), INT64_MAX).complete)
        on_state_file(v);
    else
        log_at(LOG_WARN, "the state is not watched for changes; SIGHUP still reloads it",
               LOG_S("cause", e.text));
    free(paths[0]);
}

live *live_open(loop *l, const live_options *o, diagnostics *out, error *e)
{
    live *v = calloc(1, sizeof *v);
    if (!v)
        abort();
    *v = (live){.loop = l, .o = *o};
    *out = (diagnostics){0};
    v->state = state_open(&o->state, e);
    if (v->state)
        v->reload = reload_open(l,
                                &(reload_options){.path = o->path,
                                                  .addresses_path = o->addresses_path,
                                                  .watch = o->watch,
                                                  .on_snapshot = on_base,
                                                  .ctx = v},
                                out);
    if (!v->reload) {
        live_close(v);
        return NULL;
    }
    if (!o->state.writer && state_path(v->state))
        watch_state_file(v);
    return v;
}

void live_close(live *v)
{
    if (!v)
        return;
    watch_close(v->watch);
    if (v->reload)
        reload_close(v->reload);
    state_close(v->state);
    snapshot_unref(v->merged);
    snapshot_unref(v->base);
    free(v);
}
