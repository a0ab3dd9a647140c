/* What came to the gateway, in numbers. */
#include "base/metrics.h"
#include "control/control_impl.h"
#include "control/later.h"
#include "control/reply.h"

static void on_traffic(void *arg, span object)
{
    http_request *r = later_end(arg);
    if (r && object.n)
        reply_json(r, 200, object);
    else if (r)
        reply_error(r, 500, NULL, "there is too much of it");
}

void serve_traffic(control *c, http_request *r)
{
    c->backend.traffic(c->backend.ctx, on_traffic, later_begin(r));
}

static void on_metrics(void *arg, span text)
{
    static const http_field fields[] = {{"Content-Type", METRICS_TYPE},
                                        {"Cache-Control", "no-store"},
                                        {"X-Content-Type-Options", "nosniff"},
                                        {0}};
    http_request *r = later_end(arg);
    if (r && text.n)
        http_respond(r, 200, fields, text, false);
    else if (r)
        reply_error(r, 500, NULL, "there is too much of it");
}

void serve_metrics(control *c, http_request *r)
{
    c->backend.metrics(c->backend.ctx, on_metrics, later_begin(r));
}
