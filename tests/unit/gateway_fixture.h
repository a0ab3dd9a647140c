/* A judge without sockets: exchanges are plain structs, what becomes of them is written down. */
#ifndef GATEWAY_FIXTURE_H
#define GATEWAY_FIXTURE_H

#include <stdlib.h>

#include "check_main.h"
#include "gateway/admit.h"
#include "jose_fixture.h"
#include "policy_fixture.h"

enum { FAKE_FIELDS = 8, FAKE_BLOCKS = 64 };

struct exchange {
    const char *method, *target, *host;
    field fields[FAKE_FIELDS];
    size_t field_count;
    net_addr peer;
    door *door;
    uint64_t declared;
    int64_t started_us;
    void *user;
    void *blocks[FAKE_BLOCKS];
    size_t block_count;
    /* what became of it */
    bool deferred, forwarded;
    unsigned status; /* of the reply; 0: none */
    char reply[2048];
    char challenge[256];
    forward sent;
};

span exchange_method(const exchange *x)
{
    return span_of(x->method);
}
span exchange_target(const exchange *x)
{
    return span_of(x->target);
}
span exchange_path(const exchange *x)
{
    return (span){x->target, span_find(span_of(x->target), '?')};
}
span exchange_host(const exchange *x)
{
    return span_of(x->host);
}
span exchange_version(const exchange *x)
{
    (void)x;
    return SPAN_LIT("HTTP/1.1");
}
size_t exchange_field(const exchange *x, const char *name, span *out_first)
{
    size_t n = 0;
    for (size_t i = x->field_count; i-- > 0;)
        if (span_ieq_str(x->fields[i].name, name)) {
            n++;
            if (out_first)
                *out_first = x->fields[i].value;
        }
    return n;
}
span exchange_field_at(const exchange *x, const char *name, size_t i)
{
    for (size_t k = 0; k < x->field_count; k++)
        if (span_ieq_str(x->fields[k].name, name) && i-- == 0)
            return x->fields[k].value;
    return (span){0};
}
const char *exchange_failure_detail(const exchange *x)
{
    (void)x;
    return NULL;
}
const net_addr *exchange_peer(const exchange *x)
{
    return &x->peer;
}
void *exchange_tag(const exchange *x)
{
    return x->door;
}
bool exchange_is_secure(const exchange *x)
{
    (void)x;
    return false;
}
span exchange_scheme(const exchange *x)
{
    (void)x;
    return (span){0};
}
bool exchange_declared_length(const exchange *x, uint64_t *out_bytes)
{
    *out_bytes = x->declared;
    return x->declared != 0;
}
int64_t exchange_started_us(const exchange *x)
{
    return x->started_us;
}
void *exchange_alloc(exchange *x, size_t n)
{
    ck_assert_uint_lt(x->block_count, FAKE_BLOCKS);
    void *p = malloc(n ? n : 1);
    ck_assert_ptr_nonnull(p);
    x->blocks[x->block_count++] = p;
    return p;
}
void exchange_set_user(exchange *x, void *user)
{
    x->user = user;
}
void *exchange_user(const exchange *x)
{
    return x->user;
}
void exchange_reply(exchange *x, const reply *r)
{
    ck_assert_uint_eq(x->status, 0);
    ck_assert(!x->forwarded);
    x->status = r->status;
    snprintf(x->reply, sizeof x->reply, "%.*s", SPAN_ARG(r->body));
    for (size_t i = 0; i < r->field_count; i++)
        if (span_ieq_str(r->fields[i].name, "WWW-Authenticate"))
            snprintf(x->challenge, sizeof x->challenge, "%.*s", SPAN_ARG(r->fields[i].value));
}
void exchange_forward(exchange *x, const forward *f)
{
    ck_assert_uint_eq(x->status, 0);
    ck_assert(!x->forwarded);
    x->forwarded = true;
    x->sent = *f;
}
void exchange_defer(exchange *x)
{
    x->deferred = true;
}
const char *proxy_failure_name(proxy_failure f)
{
    return f == PROXY_OK ? "ok" : "failed";
}

/* ---- the gateway around the judge ---- */

typedef struct gateway {
    EVP_PKEY *key, *other_key;
    jwks *keys, *other_keys;
    snapshot *snap;
    host_names *names;
    upstreams *upstreams;
    loop *loop;
    recent *recent;
    request_log *log;
    tally *tally;
    admit_counters counters;
    admit *admit;
    exchange_handler handler;
    door door; /* of backend-api */
    int64_t now_us;
    unsigned wanted; /* how often keys were asked for */
    uint64_t serial, attempt;
} gateway;

static gateway g;

static int64_t gateway_now(void *ctx)
{
    (void)ctx;
    return g.now_us;
}

static void gateway_want_keys(void *ctx)
{
    (void)ctx;
    g.wanted++;
}

static void gateway_names_changed(void *ctx)
{
    (void)ctx;
}

static inline jwks *gateway_jwks(const EVP_PKEY *key, const char *kid)
{
    auto_free char *jwk = fixture_jwk(key, kid, "");
    auto_buf buf b = buf_make(1 << 16);
    buf_fmt(&b, "{\"keys\":[%s]}", jwk);
    error e = {0};
    jwks *k = jwks_parse(buf_view(&b), &e);
    ck_assert_msg(k != NULL, "%s", e.text);
    return k;
}

/* Before Check forks: making keys takes long. */
static inline void gateway_keys_once(void)
{
    g.key = EVP_RSA_gen(2048);
    g.other_key = EVP_RSA_gen(2048);
}

/* age_us: how long ago the last attempt to fetch keys was. */
static inline view *gateway_view(jwks *keys, int64_t age_us)
{
    return view_new(&(view_parts){.serial = ++g.serial,
                                  .snap = g.snap,
                                  .keys = keys,
                                  .keys_attempt = ++g.attempt,
                                  .keys_attempt_us = loop_now_us(g.loop) - age_us,
                                  .upstreams = g.upstreams});
}

static inline void gateway_open(jwks *keys, int64_t age_us)
{
    g.admit = admit_new(&(admit_options){.loop = g.loop,
                                         .clock = {gateway_now, NULL},
                                         .log = g.log,
                                         .recent = g.recent,
                                         .tally = g.tally,
                                         .counters = &g.counters,
                                         .want_keys = gateway_want_keys},
                        gateway_view(keys, age_us));
    g.handler = admit_handler(g.admit);
}

static inline void gateway_setup(void)
{
    net_addr to;
    g.keys = gateway_jwks(g.key, "k1");
    g.other_keys = gateway_jwks(g.other_key, "k2");
    g.snap = fixture_tutorial();
    g.loop = loop_new(NULL);
    loop_turn(g.loop, 0);
    g.names = host_names_open(g.loop, gateway_names_changed, NULL);
    g.upstreams = upstreams_new(g.names);
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:9082"), &to, NULL));
    upstreams_attach(g.upstreams, SPAN_LIT("backend-api"), &to);
    g.log = request_log_open(g.loop, REQUEST_LOG_OFF);
    g.recent = recent_new();
    g.tally = tally_new(NOW_US);
    g.door = (door){.service = span_dup(SPAN_LIT("backend-api"))};
    g.now_us = NOW_US;
}

static inline void gateway_teardown(void)
{
    admit_free(g.admit);
    request_log_close(g.log);
    recent_free(g.recent);
    tally_free(g.tally);
    upstreams_free(g.upstreams);
    host_names_close(g.names);
    snapshot_unref(g.snap);
    jwks_unref(g.keys);
    jwks_unref(g.other_keys);
    loop_free(g.loop);
    free(g.door.service);
}

/* A token of frontend-sa for backend-api; caller frees. */
static inline char *gateway_token(EVP_PKEY *key, const char *kid, int64_t exp_s)
{
    char header[64];
    auto_buf buf payload = buf_make(1024);
    snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
    buf_fmt(&payload,
            "{\"iss\":\"https://accounts.google.com\",\"aud\":\"" DET_URL "\",\"email\":\"" FRONTEND
            "\",\"email_verified\":true,\"sub\":\"1\",\"iat\":%lld,"
            "\"exp\":%lld}",
            (long long)NOW_S, (long long)exp_s);
    return fixture_token(key, header, buf_view(&payload));
}

static inline exchange *gateway_exchange(const char *authorization)
{
    exchange *x = calloc(1, sizeof *x);
    ck_assert_ptr_nonnull(x);
    x->method = "GET";
    x->target = "/api/items?q";
    x->host = "127.0.0.1:8082";
    x->door = &g.door;
    x->started_us = loop_now_us(g.loop);
    ck_assert(net_addr_parse(SPAN_LIT("203.0.113.7:4711"), &x->peer, NULL));
    if (authorization)
        x->fields[x->field_count++] = (field){SPAN_LIT("Authorization"), span_of(authorization)};
    return x;
}

static inline exchange *gateway_ask(const char *authorization)
{
    exchange *x = gateway_exchange(authorization);
    g.handler.on_head(g.handler.ctx, x);
    return x;
}

static inline void gateway_done(exchange *x, proxy_failure f)
{
    const exchange_outcome o = {
        .failure = f, .status = x->status ? x->status : 200, .forwarded = x->forwarded};
    if (x->forwarded && x->sent.over)
        x->sent.over(x->sent.over_arg);
    g.handler.on_done(g.handler.ctx, x, &o);
    for (size_t i = 0; i < x->block_count; i++)
        free(x->blocks[i]);
    free(x);
}

#endif
