/* One way to start a process: own group, dies with us, no signal mask of ours, exec errors told. */
#ifndef CLI_UP_SPAWN_H
#define CLI_UP_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct spawn_spec {
    const char *file;  /* looked up in the PATH of envp when it has no slash */
    char *const *argv; /* NULL-terminated, as is envp */
    char **envp;
    bool own_group;  /* its process group's id is then its pid */
    bool null_stdin; /* else inherited */
    int output_fd;   /* its stdout; -1: inherited */
    int error_fd;    /* its stderr; -1: inherited */
    int keep_fd;     /* stays open in it under the same number; -1: none */
} spawn_spec;

/* The process' id once it runs the program, or -1. It gets SIGTERM when this process dies. */
pid_t spawn_process(const spawn_spec *spec, error *e);

/* A copy of a NULL-terminated list of words, as argv wants it; free with spawn_words_free. */
char **spawn_words(const char *const *words);
void spawn_words_free(char **words);

/* The path of the running program, for starting it again; caller frees. */
char *spawn_own_path(void);

/* "exited with status 3", "was killed by SIGKILL" */
enum { SPAWN_STATUS_TEXT_MAX = 64 };
const char *spawn_status_text(int wait_status, char out[SPAWN_STATUS_TEXT_MAX]);

/* The status a shell would give: the exit status, or 128 + the signal. */
int spawn_exit_status(int wait_status);

#endif
