/* A caller that leaves an HTTP/1.1 connection does not disturb the container ("Troubleshoot Cloud
 * Run", client disconnects): what has the whole request works on, and its answer is thrown away.
 * One that is still being started never hears of it.
 * That of a WebSocket is told. */
#include "proxy/proxy_impl.h"

enum {
    DETACHED_MAX = 256,             /* a worker's; of more the upstream connections are closed */
    DISCARD_MAX = 64 * 1024 * 1024, /* of one answer */
    BLOCK = 16 * 1024
};

bool exchange_may_detach(const exchange *x)
{
    const proxy *p = x->proxy;
    const call *c = x->call;
    if (!c || c->ops->cancels || c->upgrading || (c->patience_us > 0 && !c->begun) ||
        (c->state != CALL_WAITING && c->state != CALL_BODY))
        return false;
    return c->body_ended && !c->upload_over && x->failure == PROXY_CLIENT_GONE && !p->draining &&
           !p->closing && p->detached_count < DETACHED_MAX;
}

void exchange_detached_over(exchange *x)
{
    proxy *p = x->proxy;
    loop_timer_cancel(p->loop, &x->deadline);
    *(x->previous ? &x->previous->next : &p->detached) = x->next;
    if (x->next)
        x->next->previous = x->previous;
    p->detached_count--;
    exchange_recycle(x);
}

static void discard(exchange *x)
{
    if (x->call->state == CALL_WAITING)
        return;
    char bin[BLOCK];
    ssize_t n;
    do {
        n = call_read(x->call, bin, sizeof bin);
        if (n > 0)
            x->response_bytes += (uint64_t)n;
    } while (n > 0 && x->response_bytes < DISCARD_MAX);
    if (n != CALL_WAIT)
        exchange_detached_over(x);
}

void exchange_detach(exchange *x)
{
    static const front_ops ops = {.wake = discard, .cut = exchange_detached_over};
    proxy *p = x->proxy;
    x->front = &ops;
    x->detached = true;
    x->mhd = NULL;
    x->conn = NULL;
    x->streaming = NULL;
    x->response_bytes = 0;
    x->previous = NULL;
    x->next = p->detached;
    if (x->next)
        x->next->previous = x;
    p->detached = x;
    p->detached_count++;
    discard(x);
}
