/* fork and exec with everything set that a supervised process needs. */
#include "cli/up_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/span.h"

enum { EXEC_FAILED = 127, PATH_TEXT_MAX = 4096 };

static bool move_fd(int from, int to)
{
    return dup2(from, to) == to;
}

static bool arrange_descriptors(const spawn_spec *spec)
{
    if (spec->null_stdin) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null < 0 || !move_fd(null, STDIN_FILENO))
            return false;
    }
    if (spec->output_fd >= 0 && !move_fd(spec->output_fd, STDOUT_FILENO))
        return false;
    if (spec->error_fd >= 0 && !move_fd(spec->error_fd, STDERR_FILENO))
        return false;
    return spec->keep_fd < 0 || fcntl(spec->keep_fd, F_SETFD, 0) == 0;
}

/* In the child; returns errno of what failed. */
static int become(const spawn_spec *spec, pid_t parent)
{
    if (spec->own_group)
        (void)setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
        return errno;
    if (getppid() != parent)
        return ESRCH; /* it died before we asked to be told */
    if (!arrange_descriptors(spec))
        return errno;
    signals_reset_in_child();
    environ = spec->envp; /* execvp reads PATH there */
    execvp(spec->file, spec->argv);
    return errno;
}

static void run_child(const spawn_spec *spec, pid_t parent, int report_fd)
{
    int failure = become(spec, parent);
    ssize_t put = write(report_fd, &failure, sizeof failure);
    _exit(put == (ssize_t)sizeof failure ? EXEC_FAILED : EXEC_FAILED - 1);
}

/* 0 when the program runs: exec closed the pipe. */
static int wait_for_exec(int fd)
{
    int failure = 0;
    ssize_t got = 0;
    do {
        got = read(fd, &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof failure ? failure : 0;
}

pid_t spawn_process(const spawn_spec *spec, error *e)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        error_errno(e, "cannot make a pipe");
        return -1;
    }
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0)
        run_child(spec, self, report[1]);
    int failure = errno;
    (void)close(report[1]);
    if (pid > 0) {
        if (spec->own_group)
            (void)setpgid(pid, pid);
        failure = wait_for_exec(report[0]);
    }
    (void)close(report[0]);
    if (pid > 0 && failure == 0)
        return pid;
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    errno = failure;
    error_errno(e, "cannot run %s", spec->argv[0]);
    return -1;
}

char **spawn_words(const char *const *words)
{
    size_t n = 0;
    while (words[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    if (!copy)
        abort();
    for (size_t i = 0; i < n; i++)
        copy[i] = span_dup(span_of(words[i]));
    return copy;
}

void spawn_words_free(char **words)
{
    for (char **w = words; w && *w; w++)
        free(*w);
    free(words);
}

char *spawn_own_path(void)
{
    char path[PATH_TEXT_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n > 0) {
        path[n] = '\0';
        if (access(path, X_OK) == 0) /* a replaced binary reads "… (deleted)" */
            return span_dup((span){path, (size_t)n});
    }
    return span_dup(SPAN_LIT("/proc/self/exe"));
}

const char *spawn_status_text(int wait_status, char out[SPAWN_STATUS_TEXT_MAX])
{
    if (WIFSIGNALED(wait_status)) {
        int signo = WTERMSIG(wait_status);
        const char *name = sigabbrev_np(signo);
        snprintf(out, SPAWN_STATUS_TEXT_MAX, "was killed by SIG%s", name ? name : "?");
    } else {
        snprintf(out, SPAWN_STATUS_TEXT_MAX, "exited with status %d", WEXITSTATUS(wait_status));
    }
    return out;
}

int spawn_exit_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}
