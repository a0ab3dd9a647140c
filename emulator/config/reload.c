/* Reloading: a burst of file events becomes one load, and only a valid topology replaces another.
 */
#include "config/reload.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/watch.h"

enum {
    DEBOUNCE_US = 50 * 1000,  /* an editor's save is several events */
    PATIENCE_US = 500 * 1000, /* … but somebody who writes all the time is not waited for */
    RETRY_US = 1000 * 1000    /* a folder that could not be watched: look again */
};

struct reload {
    loop *loop;
    reload_options options;
    char *path, *addresses_path;
    snapshot *current;
    topology_files files; /* of the last attempt, as is the next */
    watch *watch;
    loop_timer timer;
    reload_history past;
    int64_t burst_us; /* when the first event of the burst came; 0: none waits */
};

static void log_problems(const reload *r, const diagnostics *d)
{
    for (size_t i = 0; i < d->count; i++)
        log_at(LOG_ERROR, d->items[i].text, LOG_S("file", d->items[i].file),
               LOG_I("line", d->items[i].line), LOG_I("column", d->items[i].column));
    log_at(LOG_ERROR, "topology not reloaded; the last good one stays in force",
           LOG_S("file", r->path), LOG_I("problems", d->count));
}

static void one_problem(diagnostics *out, const char *file, const char *text)
{
    out->items = calloc(1, sizeof *out->items);
    if (!out->items)
        abort();
    out->items[0] = (diagnostic){span_dup(span_of(file)), 1, 1, span_dup(span_of(text))};
    out->count = 1;
}

/* NULL and problems, or the new snapshot; r->files is what took part either way. */
static snapshot *attempt(reload *r, diagnostics *out)
{
    addresses *over = NULL;
    error e = {0};
    if (r->addresses_path && !(over = addresses_read(r->addresses_path, &e))) {
        one_problem(out, r->addresses_path, e.text);
        return NULL;
    }
    topology_files files = {0};
    snapshot *s = topology_load_files(r->path, over, NULL, 0, out, &files);
    topology_files_free(&r->files);
    r->files = files;
    addresses_free(over);
    return s;
}

/* Watches the files of the last attempt, also of a failed one: that is where it will be mended. */
static watch_state rewatch(reload *r, int64_t since_us)
{
    if (!r->watch)
        return (watch_state){.complete = true};
    size_t count = r->files.count;
    char **paths = calloc(count + 2, sizeof *paths);
    if (!paths)
        abort();
    for (size_t i = 0; i < count; i++)
        paths[i] = r->files.paths[i];
    paths[count++] = r->path;
    if (r->addresses_path)
        paths[count++] = r->addresses_path;
    watch_state state = watch_set(r->watch, paths, count, since_us);
    free(paths);
    return state;
}

static void take(reload *r, snapshot *s)
{
    snapshot_unref(r->current);
    r->current = s;
    r->past.taken_us = clock_wall_us();
    r->options.on_snapshot(r->options.ctx, s);
}

static void on_change(void *ctx)
{
    reload *r = ctx;
    int64_t now = loop_now_us(r->loop);
    if (r->burst_us == 0)
        r->burst_us = now;
    int64_t due = now + DEBOUNCE_US;
    int64_t latest = r->burst_us + PATIENCE_US;
    loop_timer_set(r->loop, &r->timer, due < latest ? due : latest);
}

/* After an attempt that began at since_us: what an include brought is watched from here on. */
static void watch_on(reload *r, int64_t since_us)
{
    watch_state state = rewatch(r, since_us);
    if (state.missed)
        on_change(r);
    else if (!state.complete)
        loop_timer_set(r->loop, &r->timer, loop_now_us(r->loop) + RETRY_US);
}

bool reload_now(reload *r)
{
    diagnostics problems = {0};
    int64_t since_us = clock_wall_us();
    r->burst_us = 0;
    loop_timer_cancel(r->loop, &r->timer);
    snapshot *s = attempt(r, &problems);
    watch_on(r, since_us);
    r->past.tried_us = since_us;
    r->past.problems = problems.count;
    if (s) {
        log_at(LOG_INFO, "topology reloaded", LOG_S("file", r->path),
               LOG_I("services", snapshot_service_count(s)),
               LOG_I("bindings", snapshot_binding_count(s)));
        r->past.taken++;
        take(r, s);
    } else {
        r->past.refused++;
        log_problems(r, &problems);
    }
    diagnostics_free(&problems);
    return s != NULL;
}

/* Either a burst is over, or a folder was missing: then only its return is worth a load. */
static void on_timer(loop_timer *t)
{
    reload *r = container_of(t, reload, timer);
    if (r->burst_us || rewatch(r, INT64_MAX).complete)
        (void)reload_now(r);
    else
        loop_timer_set(r->loop, t, loop_now_us(r->loop) + RETRY_US);
}

/* ---- opening ---- */

static void start_watching(reload *r)
{
    error e = {0};
    r->watch = watch_open(r->loop, on_change, r, &e);
    if (!r->watch)
        log_at(LOG_WARN, "the topology is not watched for changes; SIGHUP still reloads it",
               LOG_S("cause", e.text));
}

reload *reload_open(loop *l, const reload_options *o, diagnostics *out)
{
    *out = (diagnostics){0};
    reload *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->loop = l;
    r->options = *o;
    r->path = span_dup(span_of(o->path));
    r->addresses_path = o->addresses_path ? span_dup(span_of(o->addresses_path)) : NULL;
    r->timer.fire = on_timer;
    if (o->watch)
        start_watching(r);
    (void)rewatch(r, INT64_MAX);
    int64_t since_us = clock_wall_us();
    snapshot *s = attempt(r, out);
    if (!s) {
        reload_close(r);
        return NULL;
    }
    r->past.tried_us = since_us;
    watch_on(r, since_us);
    take(r, s);
    return r;
}

reload_history reload_past(const reload *r)
{
    return r->past;
}

void reload_close(reload *r)
{
    if (!r)
        return;
    loop_timer_cancel(r->loop, &r->timer);
    watch_close(r->watch);
    topology_files_free(&r->files);
    snapshot_unref(r->current);
    free(r->path);
    free(r->addresses_path);
    free(r);
}
