/* Keeps a topology current: inotify on the folders of its files (so that editors that save by
 * renaming are seen too) and an explicit trigger for SIGHUP. Valid → on_snapshot; invalid → the
 * problems are logged and the last good snapshot stays. */
#ifndef CONFIG_RELOAD_H
#define CONFIG_RELOAD_H

#include "base/loop.h"
#include "config/topology.h"

typedef struct reload reload;

typedef struct reload_options {
    const char *path;           /* the topology */
    const char *addresses_path; /* NULL: none; read again with each reload */
    bool watch;                 /* false: only reload_now() */
    /* Called on the loop's thread with each new snapshot; the callee takes its own count. */
    void (*on_snapshot)(void *ctx, snapshot *s);
    void *ctx;
} reload_options;

/* Loads at once (on_snapshot is called before this returns); NULL and printed problems on stderr
 * (by diagnostics in *out) when that first load fails. */
reload *reload_open(loop *l, const reload_options *o, diagnostics *out);
void reload_close(reload *r);

/* How often the files were read again, and when: wall clock, the first time included. */
typedef struct reload_history {
    uint64_t taken, refused;
    int64_t taken_us, tried_us;
    size_t problems; /* that kept them from being taken the last time; 0: they were */
} reload_history;
reload_history reload_past(const reload *r);

/* As if a file had changed (SIGHUP). Returns whether the new state was taken. */
bool reload_now(reload *r);

#endif
