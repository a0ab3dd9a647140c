/* Recordings: decisions, one JSON object on a line, as `--record FILE` and `invoker logs -o json`
 * write them; or the last ones that a running gateway remembers. Read as a stream: memory does not
 * grow with a recording. */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include "cli/recorded.h"

enum {
    RECORDING_LINE_MAX = 1024 * 1024, /* bytes of one line */
    RECORDING_ROTATED_MAX = 1000,     /* FILE.1, FILE.2, … */
    RECORDING_FILES_MAX = 4096
};

typedef struct recording {
    /* Called for each decision, the oldest first; what it points to lasts for the call. false and
     * *e: reading ends, and fails with that. */
    bool (*take)(void *ctx, const recorded *r, error *e);
    /* NULL, or called for all of them before the first is taken. */
    bool (*look)(void *ctx, const recorded *r, error *e);
    void *ctx;
    /* filled in */
    bool looking;       /* at the moment */
    size_t decisions;   /* taken */
    size_t cut;         /* last lines that end before they are whole (somebody still writes) */
    char cut_at[512];   /* "rec.jsonl:17" of one of them */
    bool is_incomplete; /* the gateway remembers no more than what was read */
} recording;

/* path: a file, or "-" for standard input. In front of a file, what was rotated away from it is
 * read (FILE.2, then FILE.1), the oldest first. Errors name file and line. */
bool recording_read(recording *r, const char *path, error *e);
/* All of a NULL-terminated list; a file that is there twice is read once. */
bool recording_read_files(recording *r, char *const *paths, error *e);
/* control: "HOST:PORT" of a running gateway. */
bool recording_read_gateway(recording *r, const char *control, error *e);

/* On stderr, on behalf of the command: what was left out. */
void recording_say_gaps(const recording *r, const char *command);

#endif
