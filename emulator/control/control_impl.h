/* The control listener from the inside; nobody outside of this room includes this. */
#ifndef CONTROL_CONTROL_IMPL_H
#define CONTROL_CONTROL_IMPL_H

#include <jansson.h>

#include "control/control.h"
#include "control/log_store.h"
#include "http/server.h"

struct control {
    control_backend backend;
    http_server *server;
    loop *loop;
    char *address;                        /* NULL: listens nowhere */
    struct decision_stream *first_stream; /* of decisions, those that are open */
    unsigned streams;
    log_store *logs;
};

/* Microseconds of the wall clock, or of the one that a test owns. */
static inline int64_t control_now_us(const control_backend *b)
{
    return clock_now_us(b->clock.wall_us ? b->clock : clock_system());
}

/* invoker_v1.c: the gateway's own paths. false: not one of them. */
bool invoker_v1_serve(control *c, http_request *r);

/* decisions_query.c: what decisions are asked for, with the limit given by the parameter of that
 * name. false: the request was answered with what is wrong. */
bool decisions_query_read(http_request *r, const char *limit_name, size_t limit_least,
                          size_t limit_default, control_decisions_query *out);

/* decision_by_id.c: GET /invoker/v1/decisions/ID. false: not that path. */
bool decision_serve(control *c, http_request *r);

/* decision_stream.c: GET /invoker/v1/decisions/stream. */
void serve_decision_stream(control *c, http_request *r);

/* traffic.c: GET /invoker/v1/traffic, /metrics. */
void serve_traffic(control *c, http_request *r);
void serve_metrics(control *c, http_request *r);

/* page.c: the dashboard. false: none of its paths. */
bool page_serve(http_request *r);

/* topology.c: GET /invoker/v1/topology. */
void serve_topology(control *c, http_request *r);

/* ask.c: POST /invoker/v1/why, inspect and propagate. false: none of these paths. */
bool ask_serve(control *c, http_request *r);

/* Tells the readers of all of them that what they know is forgotten here. */
void decision_streams_reset(control *c);

/* reset.c: POST /reset. */
void serve_reset(control *c, http_request *r);

/* log_lines.c: POST /invoker/v1/services/{name}/logs. */
void serve_lines(control *c, http_request *r, span name);

/* api_serve.c: everything else. */
void api_serve(control *c, http_request *r);

/* {"Content-Type":"application/json"}, with or without a charset. */
bool type_is_json(span content_type);

#endif
