/* `invoker echo`: a container that answers with the request it got, so that one sees what Cloud Run
 * makes of a request on its way in: the signature that is gone, the headers that are new. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "http/server.h"

#define COMMAND "echo"

enum {
    PORT_MAX = 65535,
    ADDRESS_MAX = 32,
    HEAD_MAX = 64 * 1024,
    BODY_MAX = 32 * 1024 * 1024,
    REPLY_MAX = 1024 * 1024,
    CONNECTIONS_MAX = 1000,
    IDLE_S = 620 /* longer than the gateway keeps a connection */
};

static const http_field JSON[] = {{"Content-Type", "application/json"}, {0}};
static const http_field TEXT[] = {{"Content-Type", "text/plain; charset=utf-8"}, {0}};
/* To a browser that asks whether it may (Fetch, "CORS protocol"): yes. */
static const http_field PREFLIGHT[] = {{"Access-Control-Allow-Origin", "*"},
                                       {"Access-Control-Allow-Methods", "GET, POST, PUT, DELETE"},
                                       {"Access-Control-Allow-Headers", "authorization"},
                                       {0}};

/* ---- answers ---- */

static void put_header(void *ctx, span name, span value)
{
    buf *b = ctx;
    if (b->p[b->n - 1] != '{')
        buf_char(b, ',');
    buf_json(b, name);
    buf_char(b, ':');
    buf_json(b, value);
}

static void put_member(buf *b, const char *name, span value)
{
    buf_fmt(b, "\"%s\":", name);
    buf_json(b, value);
    buf_char(b, ',');
}

static void answer_all(http_request *r)
{
    auto_buf buf b = buf_make(REPLY_MAX);
    buf_char(&b, '{');
    put_member(&b, "service", span_of(getenv("K_SERVICE")));
    put_member(&b, "method", http_method(r));
    put_member(&b, "path", http_target(r));
    buf_str(&b, "\"headers\":{");
    http_each_header(r, put_header, &b);
    buf_str(&b, "}}\n");
    http_respond(r, 200, JSON, buf_view(&b), false);
}

/* GET /received/NAME: that header's value, for a shell's $(…). */
static void answer_header(http_request *r, span name)
{
    auto_free char *copy = span_dup(name);
    auto_buf buf b = buf_make(REPLY_MAX);
    buf_span(&b, http_header(r, copy));
    buf_char(&b, '\n');
    http_respond(r, http_has_header(r, copy) ? 200 : 404, TEXT, buf_view(&b), false);
}

static void answer(void *ctx, http_request *r)
{
    static const span received = {"/received/", 10};
    (void)ctx;
    const span path = http_path(r);
    if (span_eq(http_method(r), SPAN_LIT("OPTIONS")) && http_has_header(r, "Origin"))
        http_respond(r, 204, PREFLIGHT, (span){0}, false);
    else if (span_starts(path, received) && path.n > received.n)
        answer_header(r, span_from(path, received.n));
    else
        answer_all(r);
}

/* ---- the process ---- */

static void on_signal(void *ctx, int signo)
{
    (void)signo;
    loop_stop(ctx);
}

static bool listen_at(http_server *s, int64_t port, error *e)
{
    char text[ADDRESS_MAX];
    net_addr a;
    snprintf(text, sizeof text, "127.0.0.1:%d", (int)port);
    return net_addr_parse(span_of(text), &a, e) && http_server_listen(s, &a, false, NULL, NULL, e);
}

static bool serve(loop *l, int64_t port, error *e)
{
    const http_server_options o = {.handle = answer,
                                   .head_max = HEAD_MAX,
                                   .body_max = BODY_MAX,
                                   .connections_max = CONNECTIONS_MAX,
                                   .idle_timeout_s = IDLE_S};
    http_server *s = http_server_open(l, &o, e);
    if (!s)
        return false;
    const bool ok = listen_at(s, port, e);
    if (ok)
        loop_run(l);
    http_server_close(s);
    return ok;
}

static int run(int64_t port)
{
    static const int list[] = {SIGTERM, SIGINT, 0};
    error e = {0};
    loop *l = loop_new(&e);
    signals *s = l ? signals_open(l, list, on_signal, l, &e) : NULL;
    const bool ok = s && serve(l, port, &e);
    signals_close(s);
    loop_free(l);
    return ok ? CLI_OK : cli_failed(COMMAND, &e);
}

/* $PORT, as every container does; 0: not usable. */
static int64_t given_port(void)
{
    const char *text = getenv("PORT");
    uint64_t port = 0;
    return text && span_u64(span_of(text), PORT_MAX, &port) ? (int64_t)port : 0;
}

int cmd_echo(int argc, char **argv)
{
    int64_t port = given_port();
    const cli_option options[] = {
        {"port", 0, CLI_INT, "PORT", "where to listen on 127.0.0.1 ($PORT)", &port}, {0}};
    char **operands = NULL;
    const int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (operands[0])
        return cli_usage_error(COMMAND, "unexpected operand '%s'", operands[0]);
    if (port < 1 || port > PORT_MAX)
        return cli_usage_error(COMMAND, "which port? $PORT or --port is a number from 1 to 65535");
    return run(port);
}
