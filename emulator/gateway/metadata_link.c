/* One request to the metadata process for each question, over kept-alive connections. */
#include "gateway/metadata_link.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/log.h"
#include "gateway/known_tokens.h"
#include "gateway/names.h"
#include "proxy/exchange.h"

enum {
    ANSWER_MAX = 4 * 1024 * 1024,
    TARGET_MAX = 64 * 1024,
    IDENTIFY_TIMEOUT_US = 2 * 1000 * 1000,
    ASK_TIMEOUT_US = 10 * 1000 * 1000,
    SYNC_TIMEOUT_US = 1000 * 1000,
    CONNECT_TIMEOUT_US = 1000 * 1000,
    CONNECTIONS_KEPT = 4
};

#define STOPPING "the gateway is stopping"

/* A question that is under way. */
typedef struct job {
    struct job *previous, *next;
    metadata_link *link;
    fetch *fetch;
    char *token; /* of whom it is about, or who asks; NULL: nobody's */
    void (*end)(struct job *j, unsigned status, span body, const error *e);
    union {
        void (*identified)(void *arg, const char *email, const error *e);
        void (*answered)(void *arg, const metadata_answer *a, const error *e);
        void (*synced)(void *arg);
    } done;
    void *arg;
} job;

struct metadata_link {
    loop *loop;
    clock_source clock;
    proxy *proxy;
    host_names *names;
    known_tokens *tokens;
    const snapshot *snap; /* NULL until the first one */
    job *jobs;
    bool stopped;
};

/* ---- life ---- */

static void on_names(void *ctx)
{
    (void)ctx; /* looked up when the next question is asked */
}

metadata_link *metadata_link_open(loop *l, clock_source clock, error *e)
{
    proxy *p = proxy_open(l,
                          &(proxy_options){.upstream_idle_s = 1,
                                           .upstream_idle_max = CONNECTIONS_KEPT,
                                           .connect_timeout_us = CONNECT_TIMEOUT_US},
                          e);
    if (!p)
        return NULL;
    metadata_link *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    *m = (metadata_link){.loop = l,
                         .clock = clock,
                         .proxy = p,
                         .names = host_names_open(l, on_names, NULL),
                         .tokens = known_tokens_new(METADATA_LINK_TOKENS_MAX)};
    return m;
}

static void free_job(job *j)
{
    free(j->token);
    free(j);
}

static void remove_job(job *j)
{
    *(j->previous ? &j->previous->next : &j->link->jobs) = j->next;
    if (j->next)
        j->next->previous = j->previous;
    free_job(j);
}

void metadata_link_stop(metadata_link *m)
{
    if (!m)
        return;
    error e = {0};
    error_set(&e, ERR_UNAVAILABLE, STOPPING);
    m->stopped = true;
    while (m->jobs) {
        job *j = m->jobs;
        m->jobs = j->next;
        if (m->jobs)
            m->jobs->previous = NULL;
        fetch_cancel(TAKE(j->fetch));
        j->end(j, 0, (span){0}, &e);
        free_job(j);
    }
}

void metadata_link_close(metadata_link *m)
{
    if (!m)
        return;
    metadata_link_stop(m);
    proxy_close(m->proxy);
    host_names_close(m->names);
    known_tokens_free(m->tokens);
    free(m);
}

static const char *shared_address(const metadata_link *m)
{
    return m->snap ? snapshot_project(m->snap)->metadata_listen : NULL;
}

void metadata_link_follow(metadata_link *m, const snapshot *s)
{
    net_addr ignored;
    m->snap = s;
    known_tokens_clear(m->tokens);
    if (shared_address(m)) /* a host name is looked up before it is needed */
        (void)host_names_find(m->names, span_of(shared_address(m)), &ignored);
}

size_t metadata_link_tokens(const metadata_link *m)
{
    return known_tokens_count(m->tokens);
}

/* ---- where ---- */

static bool same_address(span host, const char *ours)
{
    net_addr a, b;
    if (span_ieq_str(host, ours))
        return true;
    return net_addr_parse(host, &a, NULL) && net_addr_parse(span_of(ours), &b, NULL) &&
           net_addr_same_ip(&a, &b) && net_addr_port(&a) == net_addr_port(&b);
}

/* The address that the caller named, where it is one of the metadata process'. */
static const char *address_for(const metadata_link *m, span host)
{
    for (size_t i = 0; m->snap && host.n && i < snapshot_service_count(m->snap); i++) {
        const char *own = snapshot_service(m->snap, i)->metadata;
        if (own && same_address(host, own))
            return own;
    }
    return shared_address(m);
}

/* ---- asking ---- */

static void on_result(void *ctx, unsigned status, span body, const error *e)
{
    job *j = ctx;
    j->end(j, status, body, e);
    remove_job(j);
}

/* host is the caller's; Host is ours, which the metadata process answers to. */
static void ask(metadata_link *m, const job *template, const fetch_request *wanted, span host)
{
    error e = {0};
    net_addr to;
    const char *address = address_for(m, host);
    job *j = malloc(sizeof *j);
    if (!j)
        abort();
    *j = *template;
    j->link = m;
    j->next = m->jobs;
    if (j->next)
        j->next->previous = j;
    m->jobs = j;
    if (m->stopped)
        error_set(&e, ERR_UNAVAILABLE, STOPPING);
    else if (!address)
        error_set(&e, ERR_UNAVAILABLE, "the topology states no listen.metadata");
    else if (!host_names_find(m->names, span_of(address), &to))
        error_set(&e, ERR_UNAVAILABLE, "the name in %s is not resolved yet", address);
    if (e.kind != ERR_NONE) {
        on_result(j, 0, (span){0}, &e);
        return;
    }
    fetch_request r = *wanted;
    r.to = &to;
    r.host = span_of(address);
    r.answer_max = ANSWER_MAX;
    r.on_result = on_result;
    r.ctx = j;
    j->fetch = proxy_fetch(m->proxy, &r);
}

/* ---- whose token ---- */

/* An account may have gone, or come anew under its name, since the metadata process said so. */
static bool owner_lives(const metadata_link *m, const token_owner *o)
{
    if (member_kind_of_email(span_of(o->email)) != MEMBER_SERVICE_ACCOUNT)
        return true;
    const account *a = m->snap ? snapshot_find_account(m->snap, span_of(o->email)) : NULL;
    return a && !a->disabled && (!*o->subject || strcmp(a->unique_id, o->subject) == 0);
}

static void tell_owner(const metadata_link *m, const token_owner *o,
                       void (*done)(void *arg, const char *email, const error *e), void *arg)
{
    const error gone = {.kind = ERR_NOT_FOUND, .text = "its account is gone or disabled"};
    if (owner_lives(m, o))
        done(arg, o->email, NULL);
    else
        done(arg, NULL, &gone);
}

static int64_t seconds_of(const json_t *v)
{
    uint64_t n = 0;
    if (json_is_integer(v))
        return json_integer_value(v);
    return span_u64(span_of(json_string_value(v)), INT32_MAX, &n) ? (int64_t)n : 0;
}

static void take_info(job *j, const json_t *info, error *out)
{
    metadata_link *m = j->link;
    const char *email = json_string_value(json_object_get(info, "email"));
    const char *subject = json_string_value(json_object_get(info, "sub"));
    const int64_t left_s = seconds_of(json_object_get(info, "expires_in"));
    if (!email || left_s <= 0) {
        error_set(out, ERR_UNAVAILABLE, "its tokeninfo names no e-mail or no time");
        return;
    }
    const token_owner owner = {email, subject ? subject : ""};
    known_tokens_put(m->tokens, span_of(j->token), &owner, clock_now_s(m->clock) + left_s);
    tell_owner(m, &owner, j->done.identified, j->arg);
}

static void end_identify(job *j, unsigned status, span body, const error *e)
{
    error bad = {0};
    if (e)
        bad = *e;
    else if (status >= 400 && status < 500)
        error_set(&bad, ERR_NOT_FOUND, "nobody's token");
    else if (status != 200)
        error_set(&bad, ERR_UNAVAILABLE, "its tokeninfo answered %u", status);
    if (bad.kind == ERR_NONE) {
        json_t *info = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
        take_info(j, info, &bad);
        json_decref(info);
    }
    if (bad.kind != ERR_NONE)
        j->done.identified(j->arg, NULL, &bad);
}

void metadata_link_identify(metadata_link *m, span token,
                            void (*done)(void *arg, const char *email, const error *e), void *arg)
{
    const token_owner *known = known_tokens_get(m->tokens, token, clock_now_s(m->clock));
    if (known) {
        tell_owner(m, known, done, arg);
        return;
    }
    auto_buf buf target = buf_make(TARGET_MAX);
    buf_str(&target, "/tokeninfo?access_token=");
    buf_percent(&target, token);
    if (!buf_ok(&target)) {
        error e = {.kind = ERR_NOT_FOUND, .text = "no token is that long"};
        done(arg, NULL, &e);
        return;
    }
    const job j = {
        .token = span_dup(token), .end = end_identify, .done.identified = done, .arg = arg};
    ask(m, &j, &(fetch_request){.target = buf_view(&target), .timeout_us = IDENTIFY_TIMEOUT_US},
        (span){0});
}

/* ---- passing on ---- */

static void end_ask(job *j, unsigned status, span body, const error *e)
{
    if (e) {
        j->done.answered(j->arg, NULL, e);
        return;
    }
    if (status == 401 && j->token)
        known_tokens_forget(j->link->tokens, span_of(j->token));
    const metadata_answer a = {.status = status,
                               .type = fetch_header(j->fetch, "Content-Type"),
                               .caching = fetch_header(j->fetch, "Cache-Control"),
                               .flavor = fetch_header(j->fetch, "Metadata-Flavor"),
                               .challenge = fetch_header(j->fetch, "WWW-Authenticate"),
                               .body = body};
    j->done.answered(j->arg, &a, NULL);
}

static char *bearer_of(span authorization)
{
    static const span scheme = {"Bearer ", 7};
    if (authorization.n <= scheme.n || !span_ieq((span){authorization.p, scheme.n}, scheme))
        return NULL;
    return span_dup(span_trim(span_from(authorization, scheme.n)));
}

void metadata_link_ask(metadata_link *m, const metadata_question *q,
                       void (*done)(void *arg, const metadata_answer *a, const error *e), void *arg)
{
    const field given[] = {{SPAN_LIT("Authorization"), q->authorization},
                           {SPAN_LIT("Content-Type"), q->type},
                           {SPAN_LIT("Metadata-Flavor"), q->flavor}};
    field fields[countof(given)];
    size_t n = 0;
    for (size_t i = 0; i < countof(given); i++)
        if (given[i].value.n)
            fields[n++] = given[i];
    const job j = {
        .token = bearer_of(q->authorization), .end = end_ask, .done.answered = done, .arg = arg};
    ask(m, &j,
        &(fetch_request){.method = q->method,
                         .target = q->target,
                         .fields = fields,
                         .field_count = n,
                         .body = q->body,
                         .timeout_us = ASK_TIMEOUT_US},
        q->host);
}

/* ---- a newer state ---- */

static void end_sync(job *j, unsigned status, span body, const error *e)
{
    (void)body;
    if (e || status != 200)
        log_at(LOG_WARN, "the metadata process has not taken the change yet",
               LOG_S("why", e ? e->text : "it answered otherwise than expected"),
               LOG_I("status", status));
    j->done.synced(j->arg);
}

void metadata_link_sync(metadata_link *m, uint64_t serial, void (*done)(void *arg), void *arg)
{
    const field fields[] = {{SPAN_LIT("Metadata-Flavor"), SPAN_LIT("Google")}};
    auto_buf buf target = buf_make(TARGET_MAX);
    buf_str(&target, "/invoker/v1/sync?serial=");
    buf_u64(&target, serial);
    const job j = {.end = end_sync, .done.synced = done, .arg = arg};
    ask(m, &j,
        &(fetch_request){.method = SPAN_LIT("POST"),
                         .target = buf_view(&target),
                         .fields = fields,
                         .field_count = countof(fields),
                         .timeout_us = SYNC_TIMEOUT_US},
        (span){0});
}
