/* Tells when a file's content may have changed, however it was changed: written in place, replaced
 * by renaming, or by turning a symbolic link anywhere on its path (as Kubernetes does with mounted
 * ConfigMaps). inotify on folders, filtered by name. */
#ifndef CONFIG_WATCH_H
#define CONFIG_WATCH_H

#include "base/loop.h"

typedef struct watch watch;

/* on_change(ctx) is called on the loop's thread, once per burst of events read. NULL and *e when
 * the system refuses. */
watch *watch_open(loop *l, void (*on_change)(void *ctx), void *ctx, error *e);
void watch_close(watch *w); /* NULL is fine */

typedef struct watch_state {
    bool complete; /* false: a folder on the way could not be watched; look again later */
    bool missed;   /* what is newly watched changed at or after since_us: read it once more */
} watch_state;

/* Sets what is watched; what was before and stays misses nothing. since_us: wall clock. */
watch_state watch_set(watch *w, char *const *paths, size_t count, int64_t since_us);

#endif
