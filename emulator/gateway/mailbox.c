/* A locked list that the owner empties in one go. */
#include "gateway/mailbox.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct message {
    struct message *next;
    void (*fn)(void *ctx, void *arg);
    void *ctx, *arg;
} message;

struct mailbox {
    loop *loop;
    pthread_mutex_t mutex;
    struct {
        message *first, **last;
    } locked;
};

static void deliver(void *ctx)
{
    mailbox *m = ctx;
    (void)pthread_mutex_lock(&m->mutex);
    message *at = m->locked.first;
    m->locked.first = NULL;
    m->locked.last = &m->locked.first;
    (void)pthread_mutex_unlock(&m->mutex);
    while (at) {
        message *next = at->next;
        at->fn(at->ctx, at->arg);
        free(at);
        at = next;
    }
}

mailbox *mailbox_new(loop *l)
{
    mailbox *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->loop = l;
    m->locked.last = &m->locked.first;
    (void)pthread_mutex_init(&m->mutex, NULL);
    loop_set_wake(l, deliver, m);
    return m;
}

void mailbox_free(mailbox *m)
{
    if (!m)
        return;
    while (m->locked.first)
        deliver(m);
    loop_set_wake(m->loop, NULL, NULL);
    (void)pthread_mutex_destroy(&m->mutex);
    free(m);
}

void mailbox_post(mailbox *m, void (*fn)(void *ctx, void *arg), void *ctx, void *arg)
{
    message *msg = malloc(sizeof *msg);
    if (!msg)
        abort();
    *msg = (message){NULL, fn, ctx, arg};
    (void)pthread_mutex_lock(&m->mutex);
    *m->locked.last = msg;
    m->locked.last = &msg->next;
    (void)pthread_mutex_unlock(&m->mutex);
    loop_wake(m->loop);
}
