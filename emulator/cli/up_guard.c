/* The guard's two halves: messages down a pipe, and what is done when the pipe closes without a
 * good-bye. */
#include "cli/up_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { GROUPS_MAX = 4096, GRACE_MS = 800, STEP_MS = 10, OPEN_FOLDERS_MAX = 8 };
enum { GUARD_ADD = 1, GUARD_REMOVE = 2, GUARD_DONE = 3 };

typedef struct message {
    int what;
    pid_t group;
} message;

struct guard {
    int fd;
    pid_t pid;
};

/* ---- the guard's own process ---- */

typedef struct watched {
    pid_t groups[GROUPS_MAX];
    size_t count;
} watched;

static void take(watched *w, const message *m)
{
    if (m->what == GUARD_ADD && w->count < GROUPS_MAX) {
        w->groups[w->count++] = m->group;
        return;
    }
    for (size_t i = 0; m->what == GUARD_REMOVE && i < w->count; i++) {
        if (w->groups[i] == m->group) {
            w->groups[i] = w->groups[--w->count];
            return;
        }
    }
}

static void signal_all(const watched *w, int signo)
{
    for (size_t i = 0; i < w->count; i++)
        (void)kill(-w->groups[i], signo);
}

static bool any_left(const watched *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (kill(-w->groups[i], 0) == 0)
            return true;
    return false;
}

static void stop_groups(const watched *w)
{
    signal_all(w, SIGTERM);
    for (int waited = 0; waited < GRACE_MS && any_left(w); waited += STEP_MS) {
        const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
        (void)nanosleep(&step, NULL);
    }
    signal_all(w, SIGKILL);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

void guard_remove_dir(const char *dir)
{
    (void)nftw(dir, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void watch_over(int fd, const char *dir)
{
    static watched w;
    message m;
    for (;;) {
        ssize_t got = read(fd, &m, sizeof m);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)sizeof m)
            break;
        if (m.what == GUARD_DONE)
            _exit(0);
        take(&w, &m);
    }
    stop_groups(&w);
    guard_remove_dir(dir);
    _exit(0);
}

/* Nothing of the parent's stays open, or whoever reads its output would wait for us. */
static void run_guard(int fd, const char *dir)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)setsid();
    (void)prctl(PR_SET_NAME, "invoker-guard");
    (void)dup2(fd, STDIN_FILENO);
    (void)close_range(STDIN_FILENO + 1, ~0U, 0);
    if (chdir("/") != 0)
        _exit(1);
    watch_over(STDIN_FILENO, dir);
}

/* ---- up's half ---- */

char *guard_make_dir(error *e)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *temporary = getenv("TMPDIR");
    const char *base = runtime && access(runtime, W_OK) == 0 ? runtime
                       : temporary && *temporary             ? temporary
                                                             : "/tmp";
    char *dir = file_join(base, "invoker-XXXXXX");
    if (mkdtemp(dir)) /* 0700 */
        return dir;
    error_errno(e, "cannot make a folder in %s", base);
    free(dir);
    return NULL;
}

guard *guard_start(const char *dir, error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_errno(e, "cannot make a pipe");
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0)
        run_guard(ends[0], dir);
    (void)close(ends[0]);
    if (pid < 0) {
        error_errno(e, "cannot start a process");
        (void)close(ends[1]);
        return NULL;
    }
    guard *g = calloc(1, sizeof *g);
    if (!g)
        abort();
    *g = (guard){.fd = ends[1], .pid = pid};
    return g;
}

static void tell(const guard *g, int what, pid_t group)
{
    const message m = {what, group};
    ssize_t put = 0;
    do {
        put = write(g->fd, &m, sizeof m); /* shorter than PIPE_BUF: all or nothing */
    } while (put < 0 && errno == EINTR);
}

void guard_add(guard *g, pid_t group)
{
    tell(g, GUARD_ADD, group);
}

void guard_remove(guard *g, pid_t group)
{
    tell(g, GUARD_REMOVE, group);
}

pid_t guard_pid(const guard *g)
{
    return g ? g->pid : -1;
}

void guard_stop(guard *g)
{
    if (!g)
        return;
    tell(g, GUARD_DONE, 0);
    (void)close(g->fd);
    while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(g);
}
