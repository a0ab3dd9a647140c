/* What came to the gateway, in numbers. */
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
