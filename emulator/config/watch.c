/* inotify: which folder and which name in it can change what a path leads to. */
#include "config/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/span.h"

enum { LINKS_MAX = 40, ENTRIES_MAX = 4096, CLOCK_GRAIN_US = 10000 };

typedef struct entry {
    int wd;
    char *name; /* in the folder of wd */
    bool stale; /* not wanted any more, as far as the present watch_set has come */
} entry;

struct watch {
    loop *loop;
    loop_watch source;
    void (*on_change)(void *ctx);
    void *ctx;
    entry *entries;
    size_t count;
    int64_t since_us; /* of the present watch_set */
    bool missed;
};

static const uint32_t CHANGES = IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM |
                                IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;

/* ---- events ---- */

static bool concerns(const watch *w, const struct inotify_event *e)
{
    if (e->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF))
        return true;
    for (size_t i = 0; e->len && i < w->count; i++)
        if (w->entries[i].wd == e->wd && strcmp(w->entries[i].name, e->name) == 0)
            return true;
    return false;
}

static void on_events(loop_watch *source, uint32_t events)
{
    (void)events;
    watch *w = container_of(source, watch, source);
    _Alignas(struct inotify_event) char bytes[4096];
    bool changed = false;
    for (;;) {
        ssize_t got = read(source->fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (size_t at = 0; at < (size_t)got;) {
            const struct inotify_event *e = (const void *)(bytes + at);
            changed = concerns(w, e) || changed;
            at += sizeof *e + e->len;
        }
    }
    if (changed)
        w->on_change(w->ctx);
}

watch *watch_open(loop *l, void (*on_change)(void *ctx), void *ctx, error *e)
{
    watch *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->loop = l;
    w->on_change = on_change;
    w->ctx = ctx;
    w->source = (loop_watch){.ready = on_events, .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (w->source.fd < 0)
        error_errno(e, "inotify");
    else if (loop_add(l, &w->source, EPOLLIN, e))
        return w;
    watch_close(w);
    return NULL;
}

/* ---- what to watch ---- */

static bool in_use(const watch *w, int wd)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->entries[i].wd == wd)
            return true;
    return false;
}

static void drop_stale(watch *w)
{
    for (size_t i = 0; i < w->count;) {
        entry e = w->entries[i];
        if (!e.stale) {
            i++;
            continue;
        }
        w->entries[i] = w->entries[--w->count];
        free(e.name); /* NOLINT(clang-analyzer-unix.Malloc): each entry owns its name */
        if (!in_use(w, e.wd))
            (void)inotify_rm_watch(w->source.fd, e.wd);
    }
}

static void mark_stale(watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->entries[i].stale = true;
}

/* File times come from a clock that is up to a tick behind. */
static bool changed_since(const char *folder, const char *name, int64_t since_us)
{
    auto_free char *path = file_join(folder, name);
    struct stat st;
    if (lstat(path, &st) != 0)
        return false;
    int64_t changed_us = (int64_t)st.st_ctim.tv_sec * 1000000 + st.st_ctim.tv_nsec / 1000;
    return changed_us + CLOCK_GRAIN_US >= since_us;
}

static bool add_entry(watch *w, const char *folder, const char *name)
{
    int wd = inotify_add_watch(w->source.fd, folder, CHANGES | IN_ONLYDIR);
    if (wd < 0)
        return false;
    for (size_t i = 0; i < w->count; i++) {
        if (w->entries[i].wd == wd && strcmp(w->entries[i].name, name) == 0) {
            w->entries[i].stale = false;
            return true;
        }
    }
    if (w->count == ENTRIES_MAX)
        return false;
    entry *grown = realloc(w->entries, (w->count + 1) * sizeof *grown);
    if (!grown)
        abort();
    w->entries = grown;
    w->entries[w->count++] = (entry){wd, span_dup(span_of(name)), false};
    w->missed = changed_since(folder, name, w->since_us) || w->missed;
    return true;
}

/* What the link at path says, with `rest` (what followed the link) behind it; NULL: not a link. */
static char *follow(const char *folder, const char *path, const char *rest)
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return NULL;
    target[n] = '\0';
    auto_free char *at = file_join(folder, target);
    return *rest ? file_join(at, rest) : TAKE(at);
}

/* Cuts path's first name behind `from`: *out_path is everything up to and with it, *out_name the
 * name, the result what follows. */
static const char *next_name(const char *path, size_t from, char **out_path, char **out_name)
{
    const char *start = path + from;
    while (*start == '/')
        start++;
    const char *end = strchrnul(start, '/');
    *out_path = span_dup((span){path, (size_t)(end - path)});
    *out_name = span_dup((span){start, (size_t)(end - start)});
    while (*end == '/')
        end++;
    return end;
}

/* Walks an absolute path name by name. Every symbolic link on it, and the file at its end, is an
 * entry: turning the link or replacing the file changes what the path leads to. */
static bool add_path(watch *w, const char *absolute, size_t links)
{
    size_t from = 0;
    while (absolute[from]) {
        auto_free char *path = NULL;
        auto_free char *name = NULL;
        const char *rest = next_name(absolute, from, &path, &name);
        auto_free char *folder = file_dirname(path);
        auto_free char *target = follow(folder, path, rest);
        if ((target || !*rest) && *name && !add_entry(w, folder, name))
            return false;
        if (target)
            return links < LINKS_MAX && add_path(w, target, links + 1);
        from = (size_t)(rest - absolute);
    }
    return true;
}

watch_state watch_set(watch *w, char *const *paths, size_t count, int64_t since_us)
{
    bool complete = true;
    mark_stale(w);
    w->since_us = since_us;
    w->missed = false;
    for (size_t i = 0; i < count; i++) {
        auto_free char *here = paths[i][0] == '/' ? NULL : realpath(".", NULL);
        auto_free char *absolute = file_join(here ? here : "/", paths[i]);
        complete = add_path(w, absolute, 0) && complete;
    }
    if (complete)
        drop_stale(w);
    return (watch_state){complete, w->missed};
}

void watch_close(watch *w)
{
    if (!w)
        return;
    loop_del(w->loop, &w->source);
    for (size_t i = 0; i < w->count; i++)
        free(w->entries[i].name);
    free(w->entries);
    if (w->source.fd >= 0)
        (void)close(w->source.fd);
    free(w);
}
