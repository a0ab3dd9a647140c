/* POST /reset: what one test did is gone before the next one begins. */
#include <stdlib.h>

#include "control/control_impl.h"
#include "control/later.h"
#include "control/reply.h"

typedef struct waiting {
    control *control;
    later *request;
} waiting;

static void on_reset(void *arg, bool changed, const error *e)
{
    waiting *w = arg;
    control *c = w->control;
    http_request *r = later_end(w->request);
    free(w);
    if (!e) {
        log_store_clear(c->logs);
        decision_streams_reset(c);
    }
    if (r && e) {
        reply_error(r, 500, NULL, "%s", e->text);
    } else if (r) {
        auto_buf buf b = buf_make(256);
        buf_fmt(&b, "{\"reset\":true,\"changed\":%s,\"services\":%zu}\n",
                changed ? "true" : "false",
                snapshot_service_count(c->backend.merged(c->backend.ctx)));
        reply_json(r, 200, buf_view(&b));
    }
}

/* What a page's form sends has one of three types; it could not set this one. */
static bool has_other_type(const http_request *r)
{
    return http_has_header(r, "Content-Type") && !type_is_json(http_header(r, "Content-Type"));
}

void serve_reset(control *c, http_request *r)
{
    if (!span_eq_str(http_method(r), "POST")) {
        reply_error(r, 405, "POST", "a reset is asked for with POST");
        return;
    }
    if (has_other_type(r)) {
        reply_error(r, 415, NULL,
                    "a reset needs no body; with one, send Content-Type: application/json");
        return;
    }
    waiting *w = malloc(sizeof *w);
    if (!w)
        abort();
    *w = (waiting){c, later_begin(r)};
    c->backend.reset(c->backend.ctx, on_reset, w);
}
