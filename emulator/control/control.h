/* The control listener's HTTP: who may ask, what may be asked, errors in Google's shape. What the
 * answers say comes from a backend, so that this room knows no gateway. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/buf.h"
#include "base/loop.h"
#include "base/net.h"

typedef struct control_decisions_query {
    size_t limit; /* 1..CONTROL_DECISIONS_MAX */
    bool refused;
    char service[64]; /* empty: all */
} control_decisions_query;

enum { CONTROL_DECISIONS_MAX = 1000, CONTROL_DECISIONS_DEFAULT = 100 };

/* Called on the loop's thread. */
typedef struct control_backend {
    bool (*ready)(void *ctx);
    void (*status)(void *ctx, buf *out); /* appends one JSON object */
    /* ERR_NOT_FOUND → 404, ERR_INVALID → 400. */
    bool (*attach)(void *ctx, span service, span address, error *e);
    bool (*detach)(void *ctx, span service, error *e);
    /* Calls done(arg, array) once, now or later, with the text of a JSON array. */
    void (*decisions)(void *ctx, const control_decisions_query *q,
                      void (*done)(void *arg, span array), void *arg);
    void *ctx;
} control_backend;

typedef struct control control;

/* NULL and *e when it cannot be had. No address yet. */
control *control_open(loop *l, const control_backend *b, error *e);
void control_close(control *c); /* NULL is fine */

/* Listens there and nowhere else; the same address as before changes nothing; NULL: nowhere. When
 * the new address cannot be had, the former one stays. reserved: the port is held for us. */
bool control_listen(control *c, const char *address, bool reserved, error *e);

#endif
