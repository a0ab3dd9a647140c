/* What the files of this room share: the state of one metadata server. Nobody else includes this.
 */
#ifndef METADATA_ROOM_H
#define METADATA_ROOM_H

#include "http/server.h"
#include "metadata/access.h"
#include "metadata/callers.h"
#include "metadata/identity.h"
#include "metadata/meters.h"
#include "metadata/process.h"
#include "metadata/tree.h"
#include "state/live.h"

enum {
    INSTANCE_ID_TEXT = 132, /* "00" and 128 hex digits */
    UNMAPPED_NOTED_MAX = 64
};

/* A listener's tag: who asks there. Kept until the server is gone, open connections point at it. */
typedef struct door {
    struct door *next;
    char *service;             /* NULL: callers are told apart by address */
    char *address;             /* as configured */
    const struct service *now; /* in the current snapshot */
    bool open;
    bool wanted; /* while a reload is compared */
} door;

/* A request that waits: for a change of what it asked for, or for a look-up of its caller. */
typedef struct waiter {
    struct waiter *previous, *next;
    metadata *room;
    http_request *request;
    bool for_caller;
    char etag[20]; /* of what the client has; for changes */
    loop_timer timer;
} waiter;

struct metadata {
    loop *loop;
    metadata_options options;
    clock_source clock;
    http_server *server;
    keystore *keys;
    identity *identity;
    access_book *access;
    callers *callers;
    meters *meters;
    live *live;
    snapshot *snapshot;
    door *doors;
    waiter *waiters;
    net_addr noted[UNMAPPED_NOTED_MAX]; /* callers by default whose address was logged */
    size_t noted_count;
};

/* serve.c */
void serve_request(void *ctx, http_request *r);
/* Answers the request or, when it asked to wait and etag is still what it would get, returns false.
 */
bool serve_again(metadata *m, http_request *r, const char *etag);

/* documents.c: certificates, OpenID configuration, tokeninfo. false: not one of its paths. */
bool documents_serve(metadata *m, http_request *r);

/* apis.c: the JSON APIs. false: not one of their paths, or not served on this listener. */
bool apis_serve(metadata *m, http_request *r);

/* waiters.c */
void waiters_add_change(metadata *m, http_request *r, const char *etag, int64_t timeout_us);
void waiters_add_caller(metadata *m, http_request *r);
void waiters_changed(metadata *m); /* a new snapshot */
void waiters_news(void *room);     /* the name service answered */
void waiters_free(metadata *m);

/* doors.c */
bool doors_follow(metadata *m, bool starting, error *e);
void doors_free(metadata *m);

/* who.c: whose account answers. */
typedef struct caller {
    const service *service; /* NULL: unmapped */
    const account *account;
} caller;
caller_match who_calls(metadata *m, const http_request *r, caller *out);
void who_instance_id(const metadata *m, const caller *c, char out[INSTANCE_ID_TEXT]);

#endif
