/* Answers, at once or later. Suspending and resuming happens in this file only. */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "http/server_impl.h"

enum { REFUSAL_MAX = 64 * 1024 };

static http_answer *answer_new(unsigned status, const http_field *fields, span body,
                               enum MHD_ResponseMemoryMode mode)
{
    static char nothing[1];
    http_answer *a = malloc(sizeof *a);
    union { /* libmicrohttpd takes a pointer to writable bytes and does not write to them */
        const char *in;
        void *out;
    } bytes = {.in = body.n ? body.p : nothing};
    struct MHD_Response *mhd = MHD_create_response_from_buffer(body.n, bytes.out, mode);
    if (!a || !mhd)
        abort();
    for (; fields && fields->name; fields++) /* one without a value is left out */
        (void)MHD_add_response_header(mhd, fields->name, fields->value);
    *a = (http_answer){mhd, status, 1};
    return a;
}

http_answer *http_answer_new(unsigned status, const http_field *fields, span body)
{
    return answer_new(status, fields, body, MHD_RESPMEM_MUST_COPY);
}

http_answer *http_answer_ref(http_answer *a)
{
    a->refs++;
    return a;
}

void http_answer_unref(http_answer *a)
{
    if (!a || --a->refs)
        return;
    MHD_destroy_response(a->mhd);
    free(a);
}

enum MHD_Result respond_queue(http_request *r)
{
    http_answer *a = TAKE(r->answer);
    enum MHD_Result result = a ? MHD_queue_response(r->mhd, a->status, a->mhd) : MHD_NO;
    http_answer_unref(a);
    return result;
}

static void link_deferred(http_request *r)
{
    http_server *s = r->conn->server;
    r->previous = NULL;
    r->next = s->deferred;
    if (r->next)
        r->next->previous = r;
    s->deferred = r;
}

static void unlink_deferred(http_request *r)
{
    if (r->previous)
        r->previous->next = r->next;
    else
        r->conn->server->deferred = r->next;
    if (r->next)
        r->next->previous = r->previous;
    r->previous = r->next = NULL;
}

void respond_suspend(http_request *r)
{
    MHD_suspend_connection(r->mhd);
}

void respond_resume(http_request *r)
{
    MHD_resume_connection(r->mhd);
    mhd_loop_kick(r->conn->server->mhd);
}

static void leave_deferred(http_request *r, request_state next)
{
    unlink_deferred(r);
    r->state = next;
    respond_resume(r);
}

void respond_give(http_request *r, http_answer *a)
{
    const http_server_options *o = &r->conn->server->options;
    if (o->answered)
        o->answered(o->ctx, r, a->status);
    r->answer = a;
    if (r->state == REQUEST_DEFERRED)
        leave_deferred(r, REQUEST_ANSWERED);
    else
        r->state = REQUEST_ANSWERED;
}

void http_respond(http_request *r, unsigned status, const http_field *fields, span body,
                  bool body_static)
{
    respond_give(r, answer_new(status, fields, body,
                               body_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY));
}

void http_respond_with(http_request *r, http_answer *a)
{
    respond_give(r, http_answer_ref(a));
}

void http_defer(http_request *r, void (*on_gone)(void *ctx), void *ctx)
{
    r->deferred = true;
    r->on_gone = on_gone;
    r->gone_ctx = ctx;
}

void respond_defer_now(http_request *r)
{
    http_server *s = r->conn->server;
    respond_suspend(r);
    r->state = REQUEST_DEFERRED;
    link_deferred(r);
    if (r->conn->gone || s->closing)
        loop_timer_set(s->loop, &s->gone_check, loop_now_us(s->loop));
}

void respond_drop(http_request *r)
{
    (void)shutdown(r->conn->watch.fd, SHUT_RDWR);
    void (*on_gone)(void *ctx) = r->on_gone;
    void *ctx = r->gone_ctx;
    leave_deferred(r, REQUEST_DROPPED);
    if (on_gone)
        on_gone(ctx);
}

void respond_drop_gone(http_server *s)
{
    http_request *next = NULL;
    for (http_request *r = s->deferred; r; r = next) {
        next = r->next;
        if (r->conn->gone)
            respond_drop(r);
    }
}

void respond_error(http_request *r, unsigned status, const char *sentence, bool close)
{
    const http_server_options *o = &r->conn->server->options;
    auto_buf buf text = buf_make(REFUSAL_MAX);
    if (o->refusal)
        o->refusal(r, status, sentence, &text);
    else
        buf_fmt(&text, "%s\n", sentence);
    const http_field fields[] = {
        {"Content-Type", o->refusal ? o->refusal_type : "text/plain; charset=utf-8"},
        {close ? "Connection" : NULL, "close"},
        {0}};
    http_respond(r, status, fields, buf_view(&text), false);
}
