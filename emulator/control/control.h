/* The control listener's HTTP: who may ask, what may be asked, errors in Google's shape. What the
 * answers say comes from a backend, so that this room knows no gateway. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/net.h"
#include "policy/snapshot.h"
#include "state/state.h"

/* Texts are empty where everything is meant. */
typedef struct control_decisions_query {
    size_t limit;          /* at most CONTROL_DECISIONS_MAX */
    bool refused, allowed; /* those only */
    char service[64];
    char caller[257]; /* an e-mail, what stands in front of its '@', or "anonymous" */
    char reason[48];  /* or the failure */
    char id[25];      /* or how it begins */
} control_decisions_query;

enum { CONTROL_DECISION_ID_LEAST = 6, CONTROL_DECISION_ID_MAX = 24 };

/* Thousands of cells, however long JSON spells their texts. */
enum { CONTROL_TRAFFIC_MAX = 64 * 1024 * 1024 };

enum { CONTROL_DECISIONS_MAX = 1000, CONTROL_DECISIONS_DEFAULT = 100 };

/* Whoever wants decisions as they are made is told. */
typedef struct control_follower {
    /* A decision as JSON, and its id; views, valid during the call only. */
    void (*decision)(void *arg, span id, span json);
    /* So many were gone before they could be told; 0: nobody knows how many. */
    void (*missed)(void *arg, uint64_t count);
    /* What was called in between can be passed on. */
    void (*done)(void *arg);
    void *arg;
} control_follower;

/* What the metadata process is asked in a caller's stead; views, valid during the call only. */
typedef struct control_question {
    span method, target;      /* path and query */
    span host;                /* as the caller named it: the shared metadata server's, a service's
                                 own, or any other name */
    span authorization, type; /* Authorization, Content-Type; empty: none */
    span flavor;              /* Metadata-Flavor */
    span body;
} control_question;

typedef struct control_answer {
    unsigned status;
    span type, caching, flavor, challenge; /* Content-Type, Cache-Control, Metadata-Flavor,
                                              WWW-Authenticate */
    span body;
} control_answer;

/* Requests of which Cloud Run writes log entries. till_us 0: whenever they came. */
typedef struct control_requests_query {
    size_t limit;             /* the newest; 0: all that are remembered */
    int64_t from_us, till_us; /* both inclusive */
    char service[64];         /* empty: all */
} control_requests_query;

enum { CONTROL_INSERT_ID_MAX = 32 };

typedef struct control_request {
    int64_t time_us;
    char insert_id[CONTROL_INSERT_ID_MAX + 1];
    const void *request; /* for log_entry */
    bool unserved;       /* no container was there to take it */
    bool advice;         /* log_entry: what to do about that, in place of the request */
} control_request;

/* Free addresses for a service that an API makes: its listener, its metadata server, its container.
 */
typedef struct control_addresses {
    char listen[NET_ADDR_TEXT_MAX], metadata[NET_ADDR_TEXT_MAX], upstream[NET_ADDR_TEXT_MAX];
} control_addresses;

/* Called on the loop's thread. Each `done` is called exactly once, now or later; its views are
 * valid during that call only. */
typedef struct control_backend {
    bool (*ready)(void *ctx);
    void (*status)(void *ctx, buf *out); /* appends one JSON object */
    /* ERR_NOT_FOUND → 404, ERR_INVALID → 400. */
    bool (*attach)(void *ctx, span service, span address, error *e);
    bool (*detach)(void *ctx, span service, error *e);
    /* done(arg, array) is given the text of a JSON array. */
    void (*decisions)(void *ctx, const control_decisions_query *q,
                      void (*done)(void *arg, span array), void *arg);
    /* The last q->limit, then all others as they are made; after (not empty): those behind that
     * one instead. Until unfollow, with what follow returned. Nobody is told within these calls. */
    void *(*follow)(void *ctx, const control_decisions_query *q, span after,
                    const control_follower *f);
    void (*unfollow)(void *ctx, void *following);
    /* done(arg, object) is given the text of a JSON object; empty: it would be too long. */
    void (*traffic)(void *ctx, void (*done)(void *arg, span object), void *arg);
    /* Likewise the text for Prometheus. */
    void (*metrics)(void *ctx, void (*done)(void *arg, span text), void *arg);
    void (*requests)(void *ctx, const control_requests_query *q,
                     void (*done)(void *arg, const control_request *all, size_t count), void *arg);
    /* One of these, while done() runs, as a new LogEntry; advice is without an insertId. */
    json_t *(*log_entry)(void *ctx, const control_request *r);

    /* The topology: the file with the state over it, and the file alone. */
    const snapshot *(*merged)(void *ctx);
    const snapshot *(*base)(void *ctx);
    state *(*state)(void *ctx);
    bool (*new_addresses)(void *ctx, control_addresses *out, error *e);
    clock_source clock; /* {0}: the system's */

    /* Whose access token is that? NULL: *e says why not: ERR_NOT_FOUND (nobody's, or no more), or
     * the metadata process does not answer. */
    void (*identify)(void *ctx, span token,
                     void (*done)(void *arg, const char *email, const error *e), void *arg);
    /* The draft (stolen) becomes the state: durable, known to workers and metadata process. e is
     * NULL, or says why nothing changed. */
    void (*commit)(void *ctx, json_t *draft, void (*done)(void *arg, const error *e), void *arg);
    /* Back to the topology as it was loaded, and all that is recorded of requests forgotten, here
     * and wherever else it counts. e: nothing changed. */
    void (*reset)(void *ctx, void (*done)(void *arg, bool changed, const error *e), void *arg);
    /* a is NULL when the metadata process does not answer; *e says why. */
    void (*forward)(void *ctx, const control_question *q,
                    void (*done)(void *arg, const control_answer *a, const error *e), void *arg);
    /* Append one JSON object. The decision about a call that nobody made, with the fields of
     * `invoker why`'s options; false: *e says what is wrong with the question. */
    bool (*why)(void *ctx, const json_t *question, buf *out, error *e);
    /* What a token says and what becomes of it here. false: *e. */
    bool (*inspect)(void *ctx, span token, buf *out, error *e);
    void *ctx;
} control_backend;

typedef struct control control;

/* NULL and *e when it cannot be had. No address yet. */
control *control_open(loop *l, const control_backend *b, error *e);
/* Nothing that the backend was asked may be open any more. NULL is fine. */
void control_close(control *c);

/* Listens there and nowhere else; the same address as before changes nothing; NULL: nowhere. When
 * the new address cannot be had, the former one stays. reserved: the port is held for us. */
bool control_listen(control *c, const char *address, bool reserved, error *e);

#endif
