/* A request by the pool's own client: one request, one bounded body, one result. */
#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/proxy_impl.h"

struct fetch {
    proxy *proxy;
    fetch *next, *previous;
    loop_timer timer; /* the deadline; or, once over, the moment to tell */
    void (*on_result)(void *ctx, unsigned status, span body, const error *e);
    void *ctx;
    char *upload; /* its body, as far as it was not handed over yet */
    size_t upload_n, upload_sent;
    buf body;      /* of the answer */
    error failure; /* kind is ERR_NONE while there is none */
    bool over;
    call *call;
};

static void unlink_and_free(fetch *f)
{
    loop_timer_cancel(f->proxy->loop, &f->timer);
    *(f->previous ? &f->previous->next : &f->proxy->fetches) = f->next;
    if (f->next)
        f->next->previous = f->previous;
    call_release(f->call);
    buf_free(&f->body);
    free(f->upload);
    free(f);
}

static void tell(fetch *f)
{
    bool failed = f->failure.kind != ERR_NONE;
    f->on_result(f->ctx, failed ? 0 : f->call->response.status, buf_view(&f->body),
                 failed ? &f->failure : NULL);
    unlink_and_free(f);
}

/* Told by the timer, so that the owner is never called back from within its own call. */
static void end(fetch *f)
{
    f->over = true;
    loop_timer_set(f->proxy->loop, &f->timer, loop_now_us(f->proxy->loop));
}

static void fail(fetch *f, error_kind kind, const char *why)
{
    call_abort(f->call, PROXY_BAD_RESPONSE, why);
    error_set(&f->failure, kind, "%s", why);
    end(f);
}

static void on_timer(loop_timer *t)
{
    fetch *f = container_of(t, fetch, timer);
    if (f->over)
        tell(f);
    else
        fail(f, ERR_UNAVAILABLE, "no complete answer in time");
}

static void read_body(fetch *f)
{
    char block[4096];
    ssize_t n;
    while ((n = call_read(f->call, block, sizeof block)) > 0) {
        buf_add(&f->body, block, (size_t)n);
        if (!buf_ok(&f->body)) {
            fail(f, ERR_LIMIT, "the answer is too large");
            return;
        }
    }
    if (n == CALL_END)
        end(f);
    else if (n == CALL_BROKEN)
        fail(f, ERR_UNAVAILABLE, f->call->why ? f->call->why : "the answer broke off");
}

/* As much of the body as there is room for; the rest when the call has changed. */
static void send_body(fetch *f)
{
    while (f->upload_sent < f->upload_n) {
        size_t n = call_send(f->call, f->upload + f->upload_sent, f->upload_n - f->upload_sent);
        if (n == 0)
            break;
        f->upload_sent += n;
    }
    if (f->upload_sent == f->upload_n && !f->call->body_ended)
        call_end(f->call, NULL, 0);
}

static void on_changed(void *owner)
{
    fetch *f = owner;
    const call *c = f->call;
    if (f->over)
        return;
    if (c->state == CALL_WAITING || c->state == CALL_BODY)
        send_body(f);
    switch (c->state) {
    case CALL_FAILED:
        fail(f, ERR_UNAVAILABLE, c->why);
        break;
    case CALL_BODY:
    case CALL_DONE:
        read_body(f);
        break;
    case CALL_IDLE:
    case CALL_WAITING:
    case CALL_SWITCHED: /* nobody asked for that */
        break;
    }
}

static void start(fetch *f, const fetch_request *r)
{
    field fields[FETCH_FIELDS_MAX + 2] = {{SPAN_LIT("Host"), r->host},
                                          {SPAN_LIT("Accept"), SPAN_LIT("*/*")}};
    size_t n = 2;
    assert(r->field_count <= FETCH_FIELDS_MAX);
    for (size_t i = 0; i < r->field_count; i++)
        fields[n++] = r->fields[i];
    const span method = r->method.n ? r->method : SPAN_LIT("GET");
    const bool framed = r->body.n || span_eq_str(method, "POST") || span_eq_str(method, "PUT");
    const head_out head = {.method = method,
                           .target = r->target,
                           .fields = fields,
                           .field_count = n,
                           .framing = {.has_length = framed, .length = r->body.n}};
    call_start(f->call, r->to, &head, r->body.n > 0);
    on_changed(f);
}

fetch *proxy_fetch(proxy *p, const fetch_request *r)
{
    fetch *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->proxy = p;
    f->on_result = r->on_result;
    f->ctx = r->ctx;
    f->body = buf_make(r->answer_max);
    f->upload = span_dup(r->body);
    f->upload_n = r->body.n;
    f->timer.fire = on_timer;
    f->next = p->fetches;
    if (f->next)
        f->next->previous = f;
    p->fetches = f;
    f->call = h1_call_take(&p->h1_calls, p->pool);
    f->call->changed = on_changed;
    f->call->owner = f;
    loop_timer_set(p->loop, &f->timer, loop_now_us(p->loop) + r->timeout_us);
    start(f, r);
    return f;
}

void fetch_cancel(fetch *f)
{
    if (f)
        unlink_and_free(f);
}

span fetch_header(const fetch *f, const char *name)
{
    const response_head *h = &f->call->response;
    for (size_t i = 0; i < h->field_count; i++)
        if (span_ieq_str(h->fields[i].name, name))
            return h->fields[i].value;
    return (span){0};
}

void fetch_cancel_all(proxy *p)
{
    for (fetch *f = p->fetches; f;) {
        fetch *next = f->next;
        unlink_and_free(f);
        f = next;
    }
}
