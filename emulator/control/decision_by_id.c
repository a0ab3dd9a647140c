/* GET /invoker/v1/decisions/ID: one decision, by its id or by enough of it to tell it apart. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_impl.h"
#include "control/later.h"
#include "control/reply.h"

static const char PREFIX[] = "/invoker/v1/decisions/";

static bool is_id(span text)
{
    if (text.n < CONTROL_DECISION_ID_LEAST || text.n > CONTROL_DECISION_ID_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

/* Of two at most: the query's limit. */
static void on_found(void *arg, span array)
{
    http_request *r = later_end(arg);
    if (!r)
        return;
    json_auto_t *found = json_loadb(array.p, array.n, JSON_REJECT_DUPLICATES, NULL);
    const size_t count = json_array_size(found);
    if (count == 0) {
        reply_error(r, 404, NULL,
                    "no decision with that id is remembered: the oldest give way to new ones");
        return;
    }
    if (count > 1) {
        reply_error(r, 400, NULL, "the ids of several decisions begin so; give more digits");
        return;
    }
    auto_free char *text = json_dumps(json_array_get(found, 0), JSON_COMPACT);
    reply_json(r, 200, span_of(text));
}

bool decision_serve(control *c, http_request *r)
{
    const span path = http_path(r);
    if (!span_starts(path, span_of(PREFIX)))
        return false;
    const span id = span_from(path, sizeof PREFIX - 1);
    if (!span_eq(http_method(r), SPAN_LIT("GET")) && !span_eq(http_method(r), SPAN_LIT("HEAD"))) {
        reply_error(r, 405, "GET, HEAD", "a decision is read with GET");
    } else if (!is_id(id)) {
        reply_error(r, 400, NULL,
                    "an id is %d hexadecimal digits in small letters, or its first %d or more",
                    CONTROL_DECISION_ID_MAX, CONTROL_DECISION_ID_LEAST);
    } else {
        control_decisions_query q = {.limit = 2};
        memcpy(q.id, id.p, id.n);
        c->backend.decisions(c->backend.ctx, &q, on_found, later_begin(r));
    }
    return true;
}
