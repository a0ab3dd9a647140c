/* gcloud as a child process with a time limit, whose words are kept for the case that it fails. */
#include "cli/gcloud_login.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/span.h"
#include "cli/gcloud_vars.h"
#include "cli/up_spawn.h"

enum {
    TIMEOUT_S = 60, /* it takes a second, and half a minute to give up */
    OUTPUT_MAX = 64 * 1024,
    TOLD_MAX = 700, /* of its last words in an error */
    CHUNK = 4096
};

/* Until the child and its own children have closed their end; false: the time is up. */
static bool read_output(int fd, buf *out)
{
    const int64_t end = clock_mono_us() + TIMEOUT_S * INT64_C(1000000);
    char chunk[CHUNK];
    for (;;) {
        const int64_t left = (end - clock_mono_us()) / 1000;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        const int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready == 0)
            return false;
        const ssize_t got = ready > 0 ? read(fd, chunk, sizeof chunk) : -1;
        if (got == 0 || (got < 0 && errno != EINTR))
            return true;
        if (got > 0)
            buf_add(out, chunk, (size_t)got);
    }
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

/* How it ended, and the last lines of what it said. */
static bool judge(bool in_time, int status, span said, error *e)
{
    char how[SPAWN_STATUS_TEXT_MAX];
    said = span_trim(said);
    if (said.n > TOLD_MAX)
        said = span_from(said, said.n - TOLD_MAX);
    const char *colon = said.n ? ":\n" : "";
    if (!in_time)
        return error_set(e, ERR_UNAVAILABLE, "gcloud did not end within %d s%s%.*s", TIMEOUT_S,
                         colon, SPAN_ARG(said));
    return status == 0 || error_set(e, ERR_INVALID, "gcloud %s%s%.*s",
                                    spawn_status_text(status, how), colon, SPAN_ARG(said));
}

static bool run(char *const *argv, const char *dir, error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(e, "cannot make a pipe");
    envlist env = gcloud_environment(dir);
    envlist_set(&env, "CLOUDSDK_CORE_DISABLE_PROMPTS", "1");
    const spawn_spec spec = {.file = argv[0],
                             .argv = argv,
                             .envp = env.items,
                             .own_group = true,
                             .null_stdin = true,
                             .output_fd = ends[1],
                             .error_fd = ends[1],
                             .keep_fd = -1};
    const pid_t pid = spawn_process(&spec, e);
    envlist_free(&env);
    (void)close(ends[1]);
    bool ok = pid > 0;
    if (ok) {
        auto_buf buf said = buf_make(OUTPUT_MAX);
        const bool in_time = read_output(ends[0], &said);
        if (!in_time)
            (void)kill(-pid, SIGKILL);
        ok = judge(in_time, wait_for(pid), buf_view(&said), e);
    }
    (void)close(ends[0]);
    return ok;
}

bool gcloud_log_in(const char *dir, const char *email, const char *key_file, bool *out_missing,
                   error *e)
{
    char words[][32] = {"gcloud", "auth", "activate-refresh-token", "activate-service-account",
                        "--key-file"};
    auto_free char *who = span_dup(span_of(email));
    auto_free char *key = span_dup(span_of(key_file ? key_file : ""));
    char *const as_user[] = {words[0], words[1], words[2], who, who, NULL};
    char *const as_account[] = {words[0], words[1], words[3], who, words[4], key, NULL};
    error failure = {0};
    if (run(key_file ? as_account : as_user, dir, &failure))
        return true;
    *out_missing = failure.kind == ERR_NOT_FOUND; /* said by exec alone */
    if (*out_missing)
        return error_set(e, ERR_NOT_FOUND, GCLOUD_MISSING);
    return error_set(e, failure.kind, "cannot log %s in: %s", email, failure.text);
}
