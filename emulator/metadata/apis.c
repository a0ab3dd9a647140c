/* Which APIs beside the metadata server's own this process serves, and where.
 *
 * They are served on the shared listener, which stands for the Internet side of Google (the gateway
 * forwards to it), and on services' own listeners as long as those are on the loopback: there, one
 * address is all that a program under test has to know. A service's own listener elsewhere stands
 * for 169.254.169.254 inside its container, where production has no such paths. */
#include "base/log.h"
#include "metadata/credentials.h"
#include "metadata/oauth.h"
#include "metadata/room.h"
#include "metadata/rpc.h"

static bool served_at(const door *d)
{
    net_addr address;
    return !d->service ||
           (net_addr_parse(span_of(d->address), &address, NULL) && net_addr_is_loopback(&address));
}

/* POST /invoker/v1/sync?serial=N: the gateway has changed the state and says so before it answers
 * whoever asked for the change. */
static void serve_sync(metadata *m, http_request *r)
{
    span raw;
    uint64_t wanted = 0;
    if (!http_query_find(http_query(r), "serial", &raw) || !span_u64(raw, UINT64_MAX, &wanted)) {
        rpc_fail(r, RPC_INVALID_ARGUMENT, NULL, "serial=N is missing");
        return;
    }
    error e = {0};
    if (state_serial(live_state(m->live)) < wanted && !live_refresh(m->live, &e)) {
        log_at(LOG_ERROR, "the state is not taken over", LOG_S("detail", e.text));
        rpc_fail(r, RPC_UNAVAILABLE, NULL, "%s", e.text);
        return;
    }
    const unsigned long long serial = state_serial(live_state(m->live));
    if (serial < wanted) {
        rpc_fail(r, RPC_UNAVAILABLE, NULL, "the state that is read here has serial %llu", serial);
        return;
    }
    auto_buf buf body = buf_make(64);
    buf_fmt(&body, "{\"serial\":%llu}", serial);
    rpc_answer(r, buf_view(&body));
}

static void serve_token(metadata *m, http_request *r)
{
    oauth_serve(m, r);
}

static const struct path {
    const char *text;
    void (*serve)(metadata *m, http_request *r);
} paths[] = {
    {"/token", serve_token},
    {"/oauth2/v4/token", serve_token}, /* where older key files' token_uri points */
    {"/o/oauth2/token", serve_token},  /* likewise */
    {"/invoker/v1/sync", serve_sync},
};

/* A page in a browser can make such a request, though not read the answer. */
static bool refused(http_request *r)
{
    if (!http_has_header(r, "Origin") && !http_has_header(r, "X-Forwarded-For"))
        return false;
    rpc_fail(r, RPC_PERMISSION_DENIED, NULL,
             "Requests of web pages and through proxies are not served here.");
    return true;
}

bool apis_serve(metadata *m, http_request *r)
{
    const span path = http_path(r);
    const span v1 = SPAN_LIT("/v1/");
    if (!served_at(http_tag(r)))
        return false;
    if (span_starts(path, v1)) {
        if (!refused(r))
            credentials_serve(m, r, span_from(path, v1.n));
        return true;
    }
    for (size_t i = 0; i < countof(paths); i++) {
        if (!span_eq_str(path, paths[i].text))
            continue;
        if (refused(r))
            return true;
        if (span_eq_str(http_method(r), "POST"))
            paths[i].serve(m, r);
        else
            rpc_fail(r, RPC_METHOD_NOT_ALLOWED, NULL, "%s is called with POST.", paths[i].text);
        return true;
    }
    return false;
}
