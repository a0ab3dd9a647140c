/* The control listener: who may ask at all, and its life. */
#include "control/control.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/api.h"
#include "control/control_impl.h"
#include "control/reply.h"

enum { HEAD_MAX = 16 * 1024, CONNECTIONS_MAX = 64, IDLE_TIMEOUT_S = 30 };

bool type_is_json(span content_type)
{
    span media;
    (void)span_cut(&content_type, ';', &media);
    return span_ieq_str(span_trim(media), "application/json");
}

static void handle(void *ctx, http_request *r)
{
    control *c = ctx;
    if (!host_is_ours(http_host(r)))
        reply_error(r, 403, NULL,
                    "this listener answers to addresses, localhost and names without a dot, not "
                    "to the Host \"%.*s\"",
                    SPAN_ARG(http_host(r)));
    else if (is_cross_site(r))
        reply_error(r, 403, NULL, "a web page of another origin (\"%.*s\") may not ask here",
                    SPAN_ARG(http_header(r, "Origin")));
    else if (!page_serve(r) && !ask_serve(c, r) && !invoker_v1_serve(c, r))
        api_serve(c, r);
}

/* The server's own refusals in the shape of all others. A client that takes this listener for its
 * proxy and an https:// endpoint asks for a tunnel. */
static void word_refusal(const http_request *r, unsigned status, const char *sentence, buf *out)
{
    auto_buf buf message = buf_make(8192);
    if (status == 400 && span_eq_str(http_method(r), "CONNECT"))
        buf_fmt(&message,
                "no tunnel to \"%.*s\": as a proxy this listener serves requests for its own "
                "http:// endpoints only; point the client's endpoint there",
                (int)(http_target(r).n < 256 ? http_target(r).n : 256), http_target(r).p);
    else
        buf_str(&message, sentence);
    error_body(status, error_status(status), buf_view(&message), (span){0}, out);
}

/* ---- life ---- */

control *control_open(loop *l, const control_backend *b, error *e)
{
    control *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->backend = *b;
    c->loop = l;
    c->logs = log_store_new();
    c->server = http_server_open(l,
                                 &(http_server_options){.handle = handle,
                                                        .ctx = c,
                                                        .refusal = word_refusal,
                                                        .refusal_type = REPLY_JSON_TYPE,
                                                        .head_max = HEAD_MAX,
                                                        .body_max = API_BODY_MAX,
                                                        .connections_max = CONNECTIONS_MAX,
                                                        .idle_timeout_s = IDLE_TIMEOUT_S},
                                 e);
    if (c->server)
        return c;
    log_store_free(c->logs);
    free(c);
    return NULL;
}

void control_close(control *c)
{
    if (!c)
        return;
    http_server_close(c->server);
    log_store_free(c->logs);
    free(c->address);
    free(c);
}

bool control_listen(control *c, const char *address, bool reserved, error *e)
{
    if (address == c->address || (address && c->address && strcmp(address, c->address) == 0))
        return true;
    char *mine = address ? span_dup(span_of(address)) : NULL;
    net_addr a;
    /* The copy is the tag: it tells this listener apart from the next one. */
    if (mine && (!net_addr_resolve(span_of(mine), &a, e) ||
                 !http_server_listen(c->server, &a, reserved, mine, NULL, e))) {
        free(mine);
        return error_wrap(e, "listen.control");
    }
    if (mine && !net_addr_is_loopback(&a))
        log_at(LOG_WARN, "the control listener can be reached from other machines",
               LOG_S("listen.control", mine));
    if (c->address)
        http_server_unlisten(c->server, c->address);
    free(c->address);
    c->address = mine;
    return true;
}
