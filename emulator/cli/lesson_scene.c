/* From an embedded topology to a running emulator, and back to nothing. */
#include "cli/lesson_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/signals.h"
#include "cli/env_shell.h"
#include "cli/lesson_scene_impl.h"
#include "cli/up_guard.h"
#include "cli/up_spawn.h"

enum {
    READY_LINE_MAX = 1024 * 1024,
    LOG_MAX = 16 * 1024 * 1024,
    LOG_SHOWN = 600,
    CHUNK = 4096,
    READY_US = 60 * 1000 * 1000,
    STOP_US = 5 * 1000 * 1000
};

/* ---- events ---- */

static void on_signal(void *ctx, int signo)
{
    scene *s = ctx;
    if (signo != SIGCHLD)
        s->signo = signo;
    else if (s->up > 0 && waitpid(s->up, &s->wait_status, WNOHANG) == s->up) {
        guard_remove(s->guard, s->up);
        s->up = 0;
    }
}

static void on_output(loop_watch *w, uint32_t events)
{
    scene *s = container_of(w, scene, output);
    char chunk[CHUNK];
    (void)events;
    const ssize_t got = read(w->fd, chunk, sizeof chunk);
    if (got > 0)
        buf_add(&s->line, chunk, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        loop_del(s->loop, w);
}

bool scene_wait(scene *s, int64_t max_us)
{
    if (!s->signo)
        loop_turn(s->loop, max_us);
    return !s->signo && s->up > 0;
}

int scene_signal(const scene *s)
{
    return s->signo;
}

loop *scene_loop(const scene *s)
{
    return s->loop;
}

/* ---- the folder ---- */

/* Services are started by the name `invoker`, whatever this program's file is called. */
static bool put_program(scene *s, error *e)
{
    auto_free char *bin = file_join(s->dir, "bin");
    auto_free char *name = file_join(bin, "invoker");
    if (!file_mkdirs(bin, 0700, e))
        return false;
    return symlink(s->program, name) == 0 || error_errno(e, "cannot make %s", name);
}

static bool put_topology(scene *s, const embedded *topology, error *e)
{
    auto_buf buf text = buf_make(READY_LINE_MAX);
    buf_span(&text, embedded_bytes(topology));
    buf_str(&text, "\nkeys: keys\n");
    return file_replace_lazily(s->config, text.p, text.n, 0600, e);
}

static void set_environment(scene *s)
{
    envlist *l = &s->env;
    envlist_inherit(l, environ);
    const char *path = envlist_get(l, "PATH");
    auto_buf buf all = buf_make(READY_LINE_MAX);
    buf_fmt(&all, "%s/bin:%s", s->dir, path ? path : "/usr/bin:/bin");
    envlist_set(l, "PATH", all.p);
    envlist_set(l, "INVOKER_CONFIG", s->config);
    envlist_set(l, "INVOKER_CONTROL", NULL);
    envlist_set(l, "INVOKER_CA", NULL);
}

static bool open_signals(scene *s, error *e)
{
    static const int list[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0};
    s->loop = loop_new(e);
    s->signals = s->loop ? signals_open(s->loop, list, on_signal, s, e) : NULL;
    return s->signals != NULL;
}

scene *scene_open(const embedded *topology, error *e)
{
    scene *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    *s = (scene){.line = buf_make(READY_LINE_MAX), .output.fd = -1};
    s->program = spawn_own_path();
    if ((s->dir = guard_make_dir(e)) && (s->guard = guard_start(s->dir, e))) {
        s->config = file_join(s->dir, "topology.yaml");
        s->env_file = file_join(s->dir, "env");
        set_environment(s);
        if (put_program(s, e) && put_topology(s, topology, e) && open_signals(s, e))
            return s;
    }
    scene_close(s);
    return NULL;
}

/* ---- the emulator ---- */

static bool start_up(scene *s, error *e)
{
    auto_free char *log = file_join(s->dir, "log");
    const char *const words[] = {
        "invoker", "up", "--ephemeral-ports", "--json", "-c", s->config, "--log-file", log, NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_errno(e, "cannot make a pipe");
    char **argv = spawn_words(words);
    const spawn_spec spec = {.file = s->program,
                             .argv = argv,
                             .envp = s->env.items,
                             .own_group = true,
                             .null_stdin = true,
                             .output_fd = ends[1],
                             .error_fd = ends[1],
                             .keep_fd = -1};
    s->up = spawn_process(&spec, e);
    spawn_words_free(argv);
    (void)close(ends[1]);
    s->output = (loop_watch){.ready = on_output, .fd = ends[0]};
    if (s->up < 0)
        return false;
    guard_add(s->guard, s->up);
    return loop_add(s->loop, &s->output, EPOLLIN, e);
}

/* Why it did not start: its own words, else the end of its log. */
static bool say_why(const scene *s, error *e)
{
    if (s->signo)
        return error_set(e, ERR_UNAVAILABLE, "interrupted");
    auto_free char *path = file_join(s->dir, "log");
    size_t n = 0;
    auto_free char *log = file_read(path, LOG_MAX, &n, NULL);
    const span said = s->line.n ? buf_view(&s->line) : (span){log, n};
    const span shown = said.n > LOG_SHOWN ? span_from(said, said.n - LOG_SHOWN) : said;
    return error_set(e, ERR_UNAVAILABLE, "the scene does not come up: %.*s", SPAN_ARG(shown));
}

bool scene_start(scene *s, error *e)
{
    if (!start_up(s, e))
        return false;
    const int64_t end = clock_mono_us() + READY_US;
    while (scene_wait(s, end - clock_mono_us()) &&
           !memchr(s->line.p ? s->line.p : "", '\n', s->line.n))
        if (clock_mono_us() >= end)
            return say_why(s, e);
    s->info = json_loadb(s->line.p ? s->line.p : "", s->line.n, JSON_REJECT_DUPLICATES, NULL);
    if (s->signo || s->up <= 0 || !json_is_true(json_object_get(s->info, "ready")))
        return say_why(s, e);
    return scene_write_env(s, e);
}

static void stop_up(scene *s)
{
    const int64_t end = clock_mono_us() + STOP_US;
    if (s->up > 0)
        (void)kill(s->up, SIGTERM);
    while (s->up > 0 && clock_mono_us() < end)
        loop_turn(s->loop, end - clock_mono_us());
    if (s->up > 0) {
        (void)kill(-s->up, SIGKILL);
        (void)waitpid(s->up, NULL, 0);
        guard_remove(s->guard, s->up);
    }
}

void scene_close(scene *s)
{
    if (!s)
        return;
    stop_up(s);
    if (s->output.fd >= 0) {
        loop_del(s->loop, &s->output);
        (void)close(s->output.fd);
    }
    signals_close(s->signals);
    if (s->loop)
        loop_free(s->loop);
    if (s->dir)
        guard_remove_dir(s->dir);
    guard_stop(s->guard);
    json_decref(s->info);
    envlist_free(&s->env);
    buf_free(&s->line);
    free(s->program);
    free(s->dir);
    free(s->config);
    free(s->env_file);
    free(s);
}
