/* What the dashboard asks: a call that is made up (why), a token (inspect); and the one thing that
 * it changes here: nothing propagates any more (propagate).
 *
 * Nothing of a body is ever logged: tokens come in them. */
#include <jansson.h>

#include "control/control_impl.h"
#include "control/later.h"
#include "control/reply.h"

enum { ASK_BODY_MAX = 128 * 1024, TOKEN_MAX = 64 * 1024, ANSWER_MAX = 4 * 1024 * 1024 };

static void reply_answer(http_request *r, bool answered, const buf *answer, const error *e)
{
    if (!answered)
        reply_error(r, 400, NULL, "%s", e->text);
    else if (!buf_ok(answer))
        reply_error(r, 500, NULL, "the answer is too large");
    else
        reply_json(r, 200, buf_view(answer));
}

static void serve_why(control *c, http_request *r, const json_t *body)
{
    auto_buf buf answer = buf_make(ANSWER_MAX);
    error e = {0};
    const bool answered = c->backend.why(c->backend.ctx, body, &answer, &e);
    reply_answer(r, answered, &answer, &e);
}

static void serve_inspect(control *c, http_request *r, const json_t *body)
{
    const json_t *token = json_object_get(body, "token");
    const span text = {json_string_value(token), json_string_length(token)};
    if (!json_is_string(token) || json_object_size(body) != 1) {
        reply_error(r, 400, NULL, "expected {\"token\":\"eyJ…\"}");
        return;
    }
    if (text.n > TOKEN_MAX) {
        reply_error(r, 400, NULL, "more than %d bytes: that is no token", TOKEN_MAX);
        return;
    }
    auto_buf buf answer = buf_make(ANSWER_MAX);
    error e = {0};
    const bool answered = c->backend.inspect(c->backend.ctx, text, &answer, &e);
    reply_answer(r, answered, &answer, &e);
}

/* ---- propagate ---- */

static void on_settled(void *arg, const error *e)
{
    http_request *r = later_end(arg);
    if (r && e)
        reply_error(r, 500, NULL, "nothing has changed: %s", e->text);
    else if (r)
        reply_json(r, 200, SPAN_LIT("{\"settled\":true}\n"));
}

static void serve_propagate(control *c, http_request *r, const json_t *body)
{
    const control_backend *b = &c->backend;
    if (json_object_size(body) != 0) {
        reply_error(r, 400, NULL, "expected {}: whatever propagates arrives");
        return;
    }
    json_t *draft = state_draft(b->state(b->ctx));
    state_settle(draft);
    b->commit(b->ctx, draft, on_settled, later_begin(r));
}

/* ---- routing ---- */

/* NULL: the request was answered with what is wrong. */
static json_t *read_body(http_request *r)
{
    const span text = http_body(r);
    json_error_t where;
    if (!type_is_json(http_header(r, "Content-Type"))) {
        reply_error(r, 415, NULL, "expected a JSON object with Content-Type: application/json");
        return NULL;
    }
    if (text.n > ASK_BODY_MAX) {
        reply_error(r, 413, NULL, "expected at most %d bytes", ASK_BODY_MAX);
        return NULL;
    }
    json_t *body =
        json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, JSON_REJECT_DUPLICATES, &where);
    if (json_is_object(body))
        return body;
    json_decref(body);
    reply_error(r, 400, NULL, "expected a JSON object");
    return NULL;
}

bool ask_serve(control *c, http_request *r)
{
    static const struct {
        const char *path;
        void (*serve)(control *c, http_request *r, const json_t *body);
    } routes[] = {{"/invoker/v1/why", serve_why},
                  {"/invoker/v1/inspect", serve_inspect},
                  {"/invoker/v1/propagate", serve_propagate}};
    for (size_t i = 0; i < countof(routes); i++) {
        if (!span_eq_str(http_path(r), routes[i].path))
            continue;
        if (!span_eq_str(http_method(r), "POST")) {
            reply_error(r, 405, "POST", "%s is asked with POST", routes[i].path);
            return true;
        }
        json_auto_t *body = read_body(r);
        if (body)
            routes[i].serve(c, r, body);
        return true;
    }
    return false;
}
