/* One process for each lesson, a few at a time; what they print is put together in order. */
#include "cli/lesson_all.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "cli/cli.h"
#include "cli/lesson.h"
#include "cli/up_spawn.h"

enum { AT_A_TIME_MAX = 4, RESULT_MAX = 1024 * 1024, NUMBER_TEXT_MAX = 24, CHUNK = 4096 };

typedef struct all all;

typedef struct run {
    all *all;
    loop_watch output;
    buf text;
    pid_t pid; /* 0: not started, or ended */
    bool started, ended;
} run;

struct all {
    loop *loop;
    run *runs;
    size_t count, next, shown;
    int signo;
    bool json, failed;
    char *program;
    json_t *results;
};

/* ---- showing ---- */

static void show_text(const json_t *result, const run *r)
{
    const json_t *steps = json_object_get(result, "steps");
    const bool passed = json_is_true(json_object_get(result, "passed"));
    const lesson *l = lesson_get((size_t)(r - r->all->runs));
    printf("%s %2zu  %-18s %s\n", passed ? "ok    " : "FAILED", (size_t)(r - r->all->runs) + 1,
           l->name, l->title);
    const char *failure = json_string_value(json_object_get(result, "error"));
    if (!result || failure)
        printf("           %s\n", failure ? failure : "it ended without a result");
    const size_t n = json_array_size(steps);
    for (size_t i = 0; i < n; i++) {
        const char *why = json_string_value(json_object_get(json_array_get(steps, i), "mismatch"));
        if (why)
            printf("           request %zu: %s\n", i + 1, why);
    }
}

static void show(all *a, const run *r)
{
    json_t *result = json_loadb(r->text.p ? r->text.p : "", r->text.n, 0, NULL);
    if (!json_is_true(json_object_get(result, "passed")))
        a->failed = true;
    if (!a->json)
        show_text(result, r);
    if (!result)
        result = json_pack("{s:i,s:b}", "lesson", (int)(r - a->runs) + 1, "passed", 0);
    json_array_append_new(a->results, result);
    (void)fflush(stdout);
}

/* In the order of the course, as far as it goes. */
static void show_ready(all *a)
{
    while (a->shown < a->count && a->runs[a->shown].ended)
        show(a, &a->runs[a->shown++]);
    if (a->shown == a->count)
        loop_stop(a->loop);
}

/* ---- running ---- */

static void start_next(all *a);

static void on_output(loop_watch *w, uint32_t events)
{
    run *r = container_of(w, run, output);
    char chunk[CHUNK];
    (void)events;
    const ssize_t got = read(w->fd, chunk, sizeof chunk);
    if (got > 0) {
        buf_add(&r->text, chunk, (size_t)got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        loop_del(r->all->loop, w);
        (void)close(w->fd);
        r->ended = true;
        show_ready(r->all);
        start_next(r->all);
    }
}

static bool spawn(all *a, run *r, error *e)
{
    char number[NUMBER_TEXT_MAX];
    snprintf(number, sizeof number, "%zu", (size_t)(r - a->runs) + 1);
    const char *const words[] = {"invoker", "lesson", "--auto", "--output", "json", number, NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_errno(e, "cannot make a pipe");
    char **argv = spawn_words(words);
    const spawn_spec spec = {.file = a->program,
                             .argv = argv,
                             .envp = environ,
                             .own_group = true,
                             .null_stdin = true,
                             .output_fd = ends[1],
                             .error_fd = -1,
                             .keep_fd = -1};
    r->pid = spawn_process(&spec, e);
    spawn_words_free(argv);
    (void)close(ends[1]);
    r->output = (loop_watch){.ready = on_output, .fd = ends[0]};
    if (r->pid > 0 && loop_add(a->loop, &r->output, EPOLLIN, e))
        return true;
    (void)close(ends[0]);
    return false;
}

static void start_next(all *a)
{
    error e = {0};
    if (a->next == a->count || a->signo)
        return;
    run *r = &a->runs[a->next++];
    *r = (run){.all = a, .text = buf_make(RESULT_MAX), .started = true};
    if (spawn(a, r, &e))
        return;
    (void)cli_failed("lesson", &e);
    a->failed = r->ended = true;
    show_ready(a);
    start_next(a);
}

static void on_signal(void *ctx, int signo)
{
    all *a = ctx;
    a->signo = signo;
    loop_stop(a->loop);
}

/* They take their scenes down themselves. */
static void stop_rest(all *a)
{
    for (size_t i = 0; i < a->next; i++) {
        run *r = &a->runs[i];
        if (r->pid > 0 && !r->ended)
            (void)kill(r->pid, SIGTERM);
        if (r->pid > 0)
            (void)waitpid(r->pid, NULL, 0);
        if (!r->ended && r->output.fd > 0)
            (void)close(r->output.fd);
        buf_free(&r->text);
    }
}

static int finish(const all *a)
{
    if (a->signo)
        return 128 + a->signo;
    if (a->json) {
        json_auto_t *root = json_pack("{s:b,s:O}", "passed", !a->failed, "lessons", a->results);
        char *text = json_dumps(root, JSON_COMPACT);
        puts(text ? text : "null");
        free(text);
    }
    return a->failed ? CLI_FAILED : CLI_OK;
}

static int play_all(all *a)
{
    static const int list[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0};
    error e = {0};
    signals *s = signals_open(a->loop, list, on_signal, a, &e);
    if (!s)
        return cli_failed("lesson", &e);
    for (int i = 0; i < AT_A_TIME_MAX; i++)
        start_next(a);
    loop_run(a->loop);
    stop_rest(a);
    signals_close(s);
    return finish(a);
}

int lesson_all(bool json)
{
    error e = {0};
    all a = {.loop = loop_new(&e), .count = lesson_count(), .json = json};
    if (!a.loop)
        return cli_failed("lesson", &e);
    a.runs = calloc(a.count, sizeof *a.runs);
    a.results = json_array();
    a.program = spawn_own_path();
    if (!a.runs || !a.results)
        abort();
    const int status = play_all(&a);
    loop_free(a.loop);
    json_decref(a.results);
    free(a.runs);
    free(a.program);
    return status;
}
