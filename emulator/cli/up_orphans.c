/* Being the reaper of one's descendants, so that none outlives us. */
#include "cli/up_orphans.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/span.h"

enum { LIST_MAX = 1024 * 1024, PATH_TEXT_MAX = 64, ROUNDS = 50, ROUND_MS = 2 };

void orphans_adopt(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

pid_t orphans_next_dead(void)
{
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return 0;
    return info.si_pid;
}

/* How many were there. */
static size_t kill_children(pid_t except)
{
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    size_t n = 0, found = 0;
    auto_free char *text = file_read(path, LIST_MAX, &n, NULL);
    span rest = {text, n}, word;
    while (rest.n) {
        uint64_t pid = 0;
        (void)span_cut(&rest, ' ', &word);
        if (!span_u64(word, INT32_MAX, &pid) || pid < 2 || (pid_t)pid == except)
            continue;
        (void)kill((pid_t)pid, SIGKILL);
        found++;
    }
    return found;
}

void orphans_kill(pid_t except)
{
    const struct timespec pause = {.tv_nsec = ROUND_MS * 1000000L};
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pid;
        while ((pid = orphans_next_dead()) > 0)
            (void)waitpid(pid, NULL, WNOHANG);
        if (kill_children(except) == 0)
            return;
        (void)nanosleep(&pause, NULL);
    }
}
