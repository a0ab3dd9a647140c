/* SO_REUSEPORT would quietly share a port with another emulator: unless the ports are reserved for
 * us, each is tried exclusively first. */
#include "gateway/listeners.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { KEY_MAX = 160, FDS_MAX = 256 };

typedef struct listener {
    struct listener *next;
    char *service; /* NULL: the ingress */
    char *text;    /* as the topology has it */
    net_addr bound;
    bool wanted; /* by the snapshot that is being followed */
} listener;

struct listeners {
    worker *const *workers;
    size_t count;
    bool reserved;
    listener *list;
};

listeners *listeners_new(worker *const *workers, size_t count, bool reserved)
{
    listeners *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    *l = (listeners){.workers = workers, .count = count, .reserved = reserved};
    return l;
}

static void listener_free(listener *it)
{
    free(it->service);
    free(it->text);
    free(it);
}

void listeners_free(listeners *l)
{
    if (!l)
        return;
    while (l->list) {
        listener *next = l->list->next;
        listener_free(l->list);
        l->list = next;
    }
    free(l);
}

static listener *find(const listeners *l, const char *name)
{
    for (listener *it = l->list; it; it = it->next)
        if (name && it->service ? strcmp(name, it->service) == 0 : name == it->service)
            return it;
    return NULL;
}

const net_addr *listeners_find(const listeners *l, const char *name)
{
    const listener *it = find(l, name);
    return it ? &it->bound : NULL;
}

bool listeners_probe(const net_addr *a, const char *key, const char *file, error *e)
{
    if (net_addr_port(a) == 0)
        return true;
    int fd = net_listen(a, false, e);
    if (fd < 0)
        return error_wrap(e, "%s in %s (change it there, or stop who uses the address)", key, file);
    (void)close(fd);
    return true;
}

/* One socket for each worker; *a gets the port where it was 0. */
static bool open_all(int *fds, size_t count, net_addr *a, error *e)
{
    for (size_t i = 0; i < count; i++) {
        fds[i] = net_listen(a, true, e);
        if (fds[i] >= 0 && net_local(fds[i], a))
            continue;
        for (size_t k = 0; k <= i; k++)
            if (fds[k] >= 0)
                (void)close(fds[k]);
        return false;
    }
    return true;
}

static bool ours_already(const listeners *l, const char *text)
{
    for (const listener *it = l->list; it; it = it->next)
        if (strcmp(it->text, text) == 0)
            return true;
    return false;
}

static void remember(listeners *l, const char *name, const char *text, const net_addr *bound)
{
    listener *it = find(l, name);
    if (!it) {
        it = calloc(1, sizeof *it);
        if (!it)
            abort();
        it->service = name ? span_dup(span_of(name)) : NULL;
        it->next = l->list;
        l->list = it;
    }
    free(it->text);
    it->text = span_dup(span_of(text));
    it->bound = *bound;
    it->wanted = true;
}

static bool open_one(listeners *l, const char *name, const char *text, const char *file, error *e)
{
    char key[KEY_MAX];
    auto_buf buf b = buf_make(sizeof key - 1);
    if (name)
        buf_fmt(&b, "services.%.100s.listen", name);
    else
        buf_str(&b, "listen.ingress");
    memcpy(key, b.p, b.n + 1);
    net_addr a;
    if (!net_addr_resolve(span_of(text), &a, e))
        return error_wrap(e, "%s", key);
    if (!l->reserved && !ours_already(l, text) && !listeners_probe(&a, key, file, e))
        return false;
    int fds[FDS_MAX];
    if (!open_all(fds, l->count, &a, e))
        return error_wrap(e, "%s in %s", key, file);
    for (size_t i = 0; i < l->count; i++)
        worker_listen(l->workers[i], name, fds[i]);
    remember(l, name, text, &a);
    return true;
}

static bool follow_one(listeners *l, const char *name, const char *text, const char *file, error *e)
{
    listener *it = find(l, name);
    if (it && strcmp(it->text, text) == 0) {
        it->wanted = true;
        return true;
    }
    if (open_one(l, name, text, file, e))
        return true;
    if (it)
        it->wanted = true; /* the former address serves on */
    return false;
}

static void close_unwanted(listeners *l)
{
    for (listener **at = &l->list; *at;) {
        listener *it = *at;
        if (it->wanted) {
            at = &it->next;
            continue;
        }
        for (size_t i = 0; i < l->count; i++)
            worker_unlisten(l->workers[i], it->service);
        *at = it->next;
        listener_free(it);
    }
}

bool listeners_follow(listeners *l, const snapshot *s, bool strict, error *e)
{
    const project *p = snapshot_project(s);
    for (listener *it = l->list; it; it = it->next)
        it->wanted = false;
    size_t n = snapshot_service_count(s);
    for (size_t i = 0; i <= n; i++) {
        const service *svc = i < n ? snapshot_service(s, i) : NULL;
        const char *text = svc ? svc->listen : p->ingress_listen;
        error local = {0};
        if (!text || follow_one(l, svc ? svc->name : NULL, text, p->file, &local))
            continue;
        if (strict) {
            if (e)
                *e = local;
            return false;
        }
        log_at(LOG_ERROR, "an address cannot be opened", LOG_S("error", local.text));
    }
    close_unwanted(l);
    return true;
}
