/* One detached thread per resolver, started when first needed. It shares only `shared`, which lives
 * as long as either side needs it: a look-up may hang for longer than the process wants to. */
#include "base/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/attr.h"

enum { QUEUE_MAX = 256, STACK_BYTES = 256 * 1024 };

typedef struct lookup {
    struct lookup *next;
    char *name;
    net_addr found[RESOLVED_MAX];
    size_t count;
} lookup;

typedef struct lookup_list {
    lookup *first, **end;
} lookup_list;

typedef struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t asked;
    int wake_fd;
    struct {
        lookup_list queue, done;
        size_t queued;
        unsigned owners; /* the resolver and, once started, its thread */
        bool closing;
    } locked;
} shared;

struct resolver {
    loop *loop;
    loop_watch watch;
    resolver_fn on_result;
    void *ctx;
    shared *shared;
    bool running;
};

static void append(lookup_list *list, lookup *k)
{
    k->next = NULL;
    *list->end = k;
    list->end = &k->next;
}

static lookup *take(lookup_list *list)
{
    lookup *k = list->first;
    if (!k)
        return NULL;
    list->first = k->next;
    if (!list->first)
        list->end = &list->first;
    return k;
}

static void lookup_free(lookup *k)
{
    free(k->name);
    free(k);
}

static void free_all(lookup_list *list)
{
    for (lookup *k; (k = take(list));)
        lookup_free(k);
}

/* Unlocks, and frees when this was the last owner. */
static void release_locked(shared *s)
{
    bool last = --s->locked.owners == 0;
    pthread_mutex_unlock(&s->mutex);
    if (!last)
        return;
    free_all(&s->locked.queue);
    free_all(&s->locked.done);
    (void)close(s->wake_fd);
    pthread_cond_destroy(&s->asked);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static void look_up(lookup *k)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(k->name, NULL, &hints, &list) != 0)
        return;
    for (struct addrinfo *a = list; a && k->count < RESOLVED_MAX; a = a->ai_next) {
        if (a->ai_addrlen > sizeof k->found[0].ss)
            continue;
        net_addr *to = &k->found[k->count++];
        memcpy(&to->ss, a->ai_addr, a->ai_addrlen);
        to->len = a->ai_addrlen;
    }
    freeaddrinfo(list);
}

static void *work(void *arg)
{
    shared *s = arg;
    pthread_mutex_lock(&s->mutex);
    while (!s->locked.closing) {
        lookup *k = take(&s->locked.queue);
        if (!k) {
            pthread_cond_wait(&s->asked, &s->mutex);
            continue;
        }
        s->locked.queued--;
        pthread_mutex_unlock(&s->mutex);
        look_up(k);
        pthread_mutex_lock(&s->mutex);
        append(&s->locked.done, k);
        const uint64_t one = 1;
        (void)!write(s->wake_fd, &one, sizeof one);
    }
    release_locked(s);
    return NULL;
}

static void on_done(loop_watch *w, uint32_t events)
{
    (void)events;
    resolver *r = container_of(w, resolver, watch);
    uint64_t count;
    (void)!read(w->fd, &count, sizeof count);
    for (;;) {
        pthread_mutex_lock(&r->shared->mutex);
        lookup *k = take(&r->shared->locked.done);
        pthread_mutex_unlock(&r->shared->mutex);
        if (!k)
            return;
        r->on_result(r->ctx, k->name, k->found, k->count);
        lookup_free(k);
    }
}

resolver *resolver_open(loop *l, resolver_fn on_result, void *ctx, error *e)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        error_errno(e, "cannot make an eventfd");
        return NULL;
    }
    resolver *r = calloc(1, sizeof *r);
    shared *s = calloc(1, sizeof *s);
    if (!r || !s)
        abort();
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->asked, NULL);
    s->wake_fd = fd;
    s->locked.queue.end = &s->locked.queue.first;
    s->locked.done.end = &s->locked.done.first;
    s->locked.owners = 1;
    *r = (resolver){.loop = l,
                    .watch = {.ready = on_done, .fd = fd},
                    .on_result = on_result,
                    .ctx = ctx,
                    .shared = s};
    if (loop_add(l, &r->watch, EPOLLIN, e))
        return r;
    resolver_close(r);
    return NULL;
}

void resolver_close(resolver *r)
{
    if (!r)
        return;
    loop_del(r->loop, &r->watch);
    pthread_mutex_lock(&r->shared->mutex);
    r->shared->locked.closing = true;
    pthread_cond_signal(&r->shared->asked);
    release_locked(r->shared);
    free(r);
}

static bool start_thread(resolver *r)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    r->running = pthread_create(&thread, &attributes, work, r->shared) == 0;
    pthread_attr_destroy(&attributes);
    return r->running;
}

bool resolver_ask(resolver *r, const char *name)
{
    shared *s = r->shared;
    lookup *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    k->name = span_dup(span_of(name));
    pthread_mutex_lock(&s->mutex);
    if (!r->running) {
        s->locked.owners++;
        if (!start_thread(r))
            s->locked.owners--;
    }
    bool room = r->running && s->locked.queued < QUEUE_MAX;
    if (room) {
        append(&s->locked.queue, k);
        s->locked.queued++;
        pthread_cond_signal(&s->asked);
    }
    pthread_mutex_unlock(&s->mutex);
    if (!room)
        lookup_free(k);
    return room;
}
