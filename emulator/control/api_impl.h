/* A call of an API from the inside; nobody outside of this room's api_*.c includes this. */
#ifndef CONTROL_API_IMPL_H
#define CONTROL_API_IMPL_H

#include "control/api.h"
#include "control/control_impl.h"

typedef struct api_session {
    api_call call; /* first: handlers are given this */
    control *control;
    const api_route *route;
    bool busy; /* one of our functions runs with it: it is freed behind that one */
    bool answered;
    unsigned status; /* of an answer that waits for a commit */
    json_t *reply;
} api_session;

static inline api_session *api_session_of(const api_call *c)
{
    union { /* the session is ours, whatever the handler promises not to change */
        const api_call *in;
        api_session *out;
    } both = {.in = c};
    return both.out;
}

/* api_serve.c: one answer went out, or there is nobody to hear it. */
void api_over(api_session *s);

/* api_route.c */
typedef struct api_match {
    const api_route *route;      /* NULL: none of this path and method */
    span params[API_PARAMS_MAX]; /* as in the path, escaped */
    bool known;                  /* the path is one of another method */
} api_match;
void api_find_route(span method, span path, api_match *out);
bool api_pattern_fits(const char *pattern, span path, span params[API_PARAMS_MAX]);
void api_refuse_route(http_request *r, bool known_path);
/* What precedes "-run." in a host; else a region's name in front of a dash; else nothing. */
span api_region_of(span host);

#define NO_METADATA "the metadata process, which holds keys and access tokens, does not answer: %s"

/* api_auth.c: finds the caller, then calls next(s); or answers. */
void api_authenticate(api_session *s, void (*next)(api_session *s));

/* api_reply.c: a 401 with a challenge. */
void api_unauthenticated(api_call *c, const char *reason, const char *message);

#endif
