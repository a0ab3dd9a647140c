/* Wiring: keys, listeners, snapshot, signals. */
#include "metadata/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/signals.h"
#include "metadata/room.h"

enum {
    HEAD_MAX = 12 * 1024, /* an audience of 8 KiB fits; an idle connection stays small */
    BODY_MAX = 64 * 1024, /* a certificate chain */
    CONNECTIONS_MAX = 4096,
    IDLE_S = 120,
    EXIT_CONFIG = 2
};

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What a reload cannot change, or what it took away from under an option. */
static void warn_of_limits(const metadata *m, const snapshot *old)
{
    const char *as = m->options.as_service;
    if (!m->options.keys_dir &&
        !same_text(snapshot_project(old)->keys_dir, snapshot_project(m->snapshot)->keys_dir))
        log_at(LOG_WARN, "'keys:' changed; the new folder is used after a restart");
    if (as && !snapshot_find_service(m->snapshot, span_of(as)))
        log_at(LOG_WARN, "the service of --as is gone; the default account answers",
               LOG_S("service", as));
}

static void on_snapshot(void *ctx, snapshot *s)
{
    metadata *m = ctx;
    snapshot *old = m->snapshot;
    m->snapshot = snapshot_ref(s);
    if (m->server) { /* not the first: everything that points into the old one moves over */
        warn_of_limits(m, old);
        identity_forget(m->identity);
        callers_use(m->callers, s);
        m->noted_count = 0;
        (void)doors_follow(m, false, NULL);
        waiters_changed(m);
    }
    snapshot_unref(old);
}

static bool load(metadata *m, error *e)
{
    diagnostics problems = {0};
    const live_options o = {.path = m->options.config_path,
                            .addresses_path = m->options.addresses_path,
                            .watch = m->options.watch,
                            .state = {.dir = m->options.state_dir},
                            .on_snapshot = on_snapshot,
                            .ctx = m};
    m->live = live_open(m->loop, &o, &problems, e);
    if (!m->live && problems.count) {
        auto_buf buf text = buf_make((size_t)1024 * 1024);
        diagnostics_print(&problems, &text);
        (void)fwrite(text.p ? text.p : "", 1, text.n, stderr);
        error_set(e, ERR_INVALID, "%s is refused (%zu problem%s)", m->options.config_path,
                  problems.count, problems.count == 1 ? "" : "s");
    }
    diagnostics_free(&problems);
    return m->live != NULL;
}

static bool knows_as(const metadata *m, error *e)
{
    const char *as = m->options.as_service;
    if (!as || snapshot_find_service(m->snapshot, span_of(as)))
        return true;
    const size_t count = snapshot_service_count(m->snapshot);
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        abort();
    for (size_t i = 0; i < count; i++)
        names[i] = snapshot_service(m->snapshot, i)->name;
    const char *near = did_you_mean(span_of(as), names);
    free(names);
    return error_set(e, ERR_INVALID, "--as: there is no service '%s' in %s%s%s%s", as,
                     m->options.config_path, near ? "; did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
}

/* What is wrong with a key says how to mend it; what the system refuses is mended by another
 * folder. */
static bool say_which_folder(const metadata *m, error *e)
{
    const error copy = *e;
    if ((copy.kind != ERR_PERMISSION && copy.kind != ERR_NOT_FOUND && copy.kind != ERR_IO) ||
        strstr(copy.text, "mend"))
        return false;
    if (m->options.keys_dir)
        return error_set(e, copy.kind, "%s; mend the folder's mode and owner, or change --keys",
                         copy.text);
    return error_set(e, copy.kind,
                     "%s; mend the folder's mode and owner, or change 'keys:' in %s, or name "
                     "another folder with --keys",
                     copy.text, m->options.config_path);
}

static bool open_keys(metadata *m, error *e)
{
    auto_free char *dir =
        keystore_default_dir(m->options.keys_dir, snapshot_project(m->snapshot)->keys_dir);
    m->keys = keystore_open(dir, true, m->clock, e);
    return m->keys != NULL || say_which_folder(m, e);
}

static bool open_server(metadata *m, error *e)
{
    const http_server_options o = {.handle = serve_request,
                                   .answered = meters_answered,
                                   .ctx = m,
                                   .head_max = HEAD_MAX,
                                   .body_max = BODY_MAX,
                                   .connections_max = CONNECTIONS_MAX,
                                   .idle_timeout_s = IDLE_S};
    m->server = http_server_open(m->loop, &o, e);
    return m->server && doors_follow(m, true, e);
}

metadata *metadata_open(loop *l, const metadata_options *o, clock_source clock, error *e)
{
    metadata *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->loop = l;
    m->options = *o;
    m->clock = clock;
    m->meters = meters_new();
    m->access = access_open();
    access_tell(m->access, meters_access_minted, m->meters);
    m->callers = callers_open(l, waiters_news, m, e);
    if (m->callers && load(m, e) && knows_as(m, e) && open_keys(m, e)) {
        m->identity = identity_open(m->keys, clock);
        callers_use(m->callers, m->snapshot);
        if (open_server(m, e))
            return m;
    }
    metadata_close(m);
    return NULL;
}

void metadata_close(metadata *m)
{
    if (!m)
        return;
    http_server_close(m->server);
    m->server = NULL;
    waiters_free(m);
    live_close(m->live);
    callers_close(m->callers);
    doors_free(m);
    identity_close(m->identity);
    access_close(m->access);
    meters_free(m->meters);
    keystore_close(m->keys);
    snapshot_unref(m->snapshot);
    free(m);
}

bool metadata_reload(metadata *m)
{
    return live_reload(m->live);
}

/* ---- the process ---- */

typedef struct run {
    loop *loop;
    metadata *room;
} run;

static void on_signal(void *ctx, int signo)
{
    run *r = ctx;
    if (signo == SIGHUP && r->room)
        (void)metadata_reload(r->room);
    else if (signo != SIGHUP)
        loop_stop(r->loop);
}

static void say_ready(int fd)
{
    static const char word[] = "ready\n";
    if (fd < 0)
        return;
    (void)!write(fd, word, sizeof word - 1);
    (void)close(fd);
}

static int fail(const error *e)
{
    (void)fprintf(stderr, "invoker metadata: %s\n", e->text);
    return e->kind == ERR_INVALID ? EXIT_CONFIG : EXIT_FAILURE;
}

static int serve(run *r, const metadata_options *o)
{
    error e = {0};
    r->room = metadata_open(r->loop, o, clock_system(), &e);
    if (!r->room)
        return fail(&e);
    say_ready(o->ready_fd);
    loop_run(r->loop);
    metadata *m = r->room;
    r->room = NULL;
    metadata_close(m);
    log_at(LOG_INFO, "stopped");
    return EXIT_SUCCESS;
}

int metadata_run(const metadata_options *o)
{
    static const int list[] = {SIGTERM, SIGINT, SIGHUP, 0};
    error e = {0};
    run r = {.loop = loop_new(&e)};
    if (!r.loop)
        return fail(&e);
    signals *s = signals_open(r.loop, list, on_signal, &r, &e);
    int status = s ? serve(&r, o) : fail(&e);
    signals_close(s);
    loop_free(r.loop);
    return status;
}
