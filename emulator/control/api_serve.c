/* One call of an API: route, caller, body, handler; and its life until it is answered. */
#include <stdlib.h>

#include "control/api_impl.h"
#include "control/reply.h"

static void release(api_session *s)
{
    for (size_t i = 0; i < API_PARAMS_MAX; i++)
        free(s->call.params[i]);
    json_decref(s->call.body);
    json_decref(s->reply);
    free(s->call.caller);
    free(s->call.scratch);
    free(s);
}

void api_over(api_session *s)
{
    s->answered = true;
    if (!s->busy)
        release(s);
}

/* The client left: whatever is under way goes on, and nobody hears of it. */
static void on_gone(void *ctx)
{
    api_session *s = ctx;
    s->call.request = NULL;
}

static char *decoded(span raw)
{
    auto_buf buf b = buf_make(raw.n);
    http_percent_decode(raw, false, &b);
    return span_dup(buf_view(&b));
}

static api_session *open_session(control *c, http_request *r, const api_match *m)
{
    api_session *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->control = c;
    s->route = m->route;
    s->call.request = r;
    s->call.backend = &c->backend;
    for (size_t i = 0; i < API_PARAMS_MAX; i++)
        if (m->params[i].p)
            s->call.params[i] = decoded(m->params[i]);
    span region = api_region_of(http_host(r));
    if (region.n < sizeof s->call.region)
        memcpy(s->call.region, region.p, region.n);
    http_defer(r, on_gone, s);
    return s;
}

/* ---- the body ---- */

static const char *kind_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    case JSON_OBJECT:
        break;
    }
    return "an object";
}

/* As in ProtoJSON: a member that is null is one that is not there. */
static void drop_nulls(json_t *v)
{
    size_t i;
    const char *key;
    void *next;
    json_t *item;
    json_array_foreach (v, i, item)
        drop_nulls(item);
    json_object_foreach_safe(v, next, key, item)
    {
        if (json_is_null(item))
            (void)json_object_del(v, key);
        else
            drop_nulls(item);
    }
}

/* false: answered. */
static bool read_body(api_session *s)
{
    json_error_t where;
    span text = http_body(s->call.request);
    if (text.n == 0 || s->route->serve == api_forward) {
        s->call.body = json_object();
        return true;
    }
    s->call.body = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!s->call.body)
        api_fail(&s->call, API_INVALID_ARGUMENT,
                 "Invalid JSON payload received. Line %d, column %d: %s", where.line, where.column,
                 where.text);
    else if (!json_is_object(s->call.body))
        api_fail(&s->call, API_INVALID_ARGUMENT,
                 "Invalid JSON payload received. The request body is %s, not an object",
                 kind_of(s->call.body));
    drop_nulls(s->call.body);
    return json_is_object(s->call.body);
}

static bool type_fits(const http_request *r, const api_route *route)
{
    span type = http_header(r, "Content-Type");
    span media;
    if (http_body(r).n == 0 || type_is_json(type))
        return true;
    (void)span_cut(&type, ';', &media);
    return route->form && span_ieq_str(span_trim(media), "application/x-www-form-urlencoded");
}

/* ---- its way ---- */

static void run(api_session *s)
{
    if (read_body(s))
        s->route->serve(&s->call);
}

/* Not in run(): who is asked for may be known only later. */
static void run_identified(api_session *s)
{
    bool outer = s->busy;
    s->busy = true;
    if (!s->call.request)
        api_over(s); /* the client did not wait for it */
    else
        run(s);
    s->busy = outer;
    if (!outer && s->answered)
        release(s);
}

void api_serve(control *c, http_request *r)
{
    api_match m;
    api_find_route(http_method(r), http_path(r), &m);
    if (!m.route) {
        api_refuse_route(r, m.known);
        return;
    }
    if (!type_fits(r, m.route)) {
        reply_error(r, 415, NULL,
                    "a request body here is JSON%s: send Content-Type: "
                    "application/json",
                    m.route->form ? " or a form" : "");
        return;
    }
    api_session *s = open_session(c, r, &m);
    s->busy = true;
    if (m.route->open)
        run(s);
    else
        api_authenticate(s, run_identified);
    s->busy = false;
    if (s->answered)
        release(s);
}
