/* Running `invoker up` for the time of some tests. */
#include "cli/test_up.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/control_client.h"
#include "cli/up_spawn.h"
#include "decision/explain.h"

enum { READY_TIMEOUT_MS = 120 * 1000, LINE_MAX_BYTES = 16 * 1024 * 1024, LOG_TAIL = 600 };

/* ---- its first line ---- */

/* The one line with all addresses; false when it ends or is silent for too long. */
static bool read_line(int fd, buf *line)
{
    char chunk[4096];
    while (!line->n || !memchr(line->p, '\n', line->n)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        const int ready = poll(&p, 1, READY_TIMEOUT_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        const ssize_t got = ready > 0 ? read(fd, chunk, sizeof chunk) : 0;
        if (got <= 0)
            return false;
        buf_add(line, chunk, (size_t)got);
        if (!buf_ok(line))
            return false;
    }
    return true;
}

static char *control_of(span line)
{
    json_auto_t *ready = json_loadb(line.n ? line.p : "", line.n, JSON_DISABLE_EOF_CHECK, NULL);
    const char *url = json_string_value(json_object_get(ready, "control"));
    const span prefix = SPAN_LIT("http://");
    if (!url || !span_starts(span_of(url), prefix))
        return NULL;
    return span_dup(span_of(url + prefix.n));
}

/* What it said last, on one line. */
static void put_last_words(buf *b, int log)
{
    char tail[LOG_TAIL];
    const off_t size = lseek(log, 0, SEEK_END);
    const off_t from = size > LOG_TAIL ? size - LOG_TAIL : 0;
    const ssize_t n = pread(log, tail, sizeof tail, from);
    for (ssize_t i = 0; i < n; i++) {
        if (tail[i] == '\n')
            buf_str(b, i + 1 < n ? " | " : "");
        else
            explain_char(b, tail[i]);
    }
}

static void end_process(test_up *u)
{
    if (u->pid > 0) {
        (void)kill(u->pid, SIGTERM);
        while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    u->pid = 0;
}

static void fail(test_up *u, int log, error *e)
{
    auto_buf buf words = buf_make((size_t)2 * LOG_TAIL);
    end_process(u);
    put_last_words(&words, log);
    error_set(e, ERR_UNAVAILABLE, "the emulator for the tests did not come up: %s",
              words.n ? words.p : "it said nothing");
}

/* ---- life ---- */

static pid_t spawn(const char *topology, const char *keys, int output, int log, error *e)
{
    char *const program = spawn_own_path();
    const char *const argv[] = {"invoker",
                                "up",
                                "-c",
                                topology,
                                "--json",
                                "--ephemeral-ports",
                                "--no-services",
                                "--request-log",
                                "off",
                                keys ? "--keys" : NULL,
                                keys,
                                NULL};
    char **words = spawn_words(argv);
    const spawn_spec spec = {.file = program,
                             .argv = words,
                             .envp = environ,
                             .own_group = true,
                             .null_stdin = true,
                             .output_fd = output,
                             .error_fd = log,
                             .keep_fd = -1};
    const pid_t pid = spawn_process(&spec, e);
    spawn_words_free(words);
    free(program);
    return pid;
}

static bool start(const char *topology, const char *keys, test_up *u, error *e)
{
    int ends[2] = {-1, -1};
    const int log = memfd_create("log", MFD_CLOEXEC);
    if (log < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        error_errno(e, "cannot start an emulator for the tests");
        if (log >= 0)
            (void)close(log);
        return false;
    }
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    u->pid = spawn(topology, keys, ends[1], log, e);
    (void)close(ends[1]);
    if (u->pid > 0 && read_line(ends[0], &line))
        u->control = control_of(buf_view(&line));
    if (u->pid > 0 && !u->control)
        fail(u, log, e);
    (void)close(ends[0]);
    (void)close(log);
    return u->control != NULL;
}

static bool attach_all(const snapshot *topology, const test_up *u, error *e)
{
    for (size_t i = 0; i < snapshot_service_count(topology); i++)
        if (!control_attach(u->control, snapshot_service(topology, i)->name, u->standin.address, e))
            return false;
    return true;
}

bool test_up_start(const snapshot *topology, const char *keys, test_up *out, error *e)
{
    test_up u = {.pid = 0};
    if (standin_start(&u.standin, e) && start(snapshot_project(topology)->file, keys, &u, e) &&
        attach_all(topology, &u, e)) {
        *out = u;
        return true;
    }
    test_up_stop(&u);
    return false;
}

void test_up_stop(test_up *u)
{
    end_process(u);
    standin_stop(&u->standin);
    free(u->control);
    *u = (test_up){.pid = 0};
}
