/* From a case to the bytes of a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test_live_impl.h"
#include "cli/up_env.h"

enum { REQUEST_MAX = 256 * 1024, REPLY_MAX = 1024 * 1024, PATIENCE_US = 60 * 1000 * 1000 };

static bool skip(outcome *o, const char *why)
{
    o->verdict = VERDICT_SKIPPED;
    o->skipped = span_dup(span_of(why));
    return false;
}

/* ---- URLs ---- */

/* A URL of the file's becomes that of the same service at the gateway that runs: its ports may be
 * others. Caller frees; NULL: it stays as it is. */
static char *translated(const live_run *l, const char *url)
{
    for (size_t i = 0; i < snapshot_service_count(l->file); i++) {
        const service *from = snapshot_service(l->file, i);
        const service *to = snapshot_find_service(l->s->s, span_of(from->name));
        const size_t n = strlen(from->url);
        if (!to || strncmp(url, from->url, n) != 0 || (url[n] && !strchr("/?#", url[n])))
            continue;
        auto_buf buf b = buf_make(REQUEST_MAX);
        buf_fmt(&b, "%s%s", to->url, url + n);
        return buf_take(&b);
    }
    return NULL;
}

/* ---- the head ---- */

static void put_credential(buf *b, const hypothesis_options *o, const char *token)
{
    const char *name =
        o->header == HEADER_SERVERLESS ? "X-Serverless-Authorization" : "Authorization";
    if (o->way == WAY_EMPTY)
        buf_fmt(b, "%s:\r\n", name);
    else if (o->way == WAY_NOT_BEARER)
        buf_fmt(b, "%s: Basic bm9ib2R5OnNlY3JldA==\r\n", name);
    else if (o->way == WAY_SEVERAL)
        buf_fmt(b, "%s: Bearer %s, %s\r\n", name, token, token);
    else
        buf_fmt(b, "%s: Bearer %s\r\n", name, token);
    if (o->way == WAY_REPEATED)
        buf_fmt(b, "%s: Bearer %s\r\n", name, token);
}

static bool put_request(live_run *l, shot *s, const hypothesis_options *o, const char *address,
                        error *e)
{
    const char *token = o->caller ? live_token(&l->tokens, o, &s->h, l->now_us, e) : NULL;
    if (o->caller && !token)
        return false;
    s->request = buf_make(REQUEST_MAX);
    buf_fmt(&s->request, "GET %s HTTP/1.1\r\nHost: %s\r\n", s->h.path, o->host ? o->host : address);
    buf_fmt(&s->request, "X-Cloud-Trace-Context: %s/1\r\nUser-Agent: invoker-test\r\n", s->trace);
    buf_str(&s->request, "Connection: close\r\n");
    if (token)
        put_credential(&s->request, o, token);
    buf_str(&s->request, "\r\n");
    return buf_ok(&s->request) || error_set(e, ERR_LIMIT, "the request is too long");
}

/* ---- all ---- */

/* What cannot be had over the network; NULL: nothing. */
static const char *impossible(const test_case *c, const request_facts *f)
{
    if (c->timed)
        return "over the network it is always now";
    if (f->internal && f->service && f->service->ingress != INGRESS_ALL)
        return "a call from inside cannot be made from here";
    return NULL;
}

static char *address_of(const live_run *l, const shot *s)
{
    return s->c->call.host ? reachable_address(snapshot_project(l->s->s)->ingress_listen)
                           : reachable_address(s->h.facts.service->listen);
}

bool shot_prepare(live_run *l, const test_case *c, outcome *o, uint64_t number, shot *out)
{
    error e = {0};
    *out = (shot){.c = c, .o = o, .call.fd = -1};
    snprintf(out->trace, sizeof out->trace, "%016llx%016llx", (unsigned long long)l->nonce,
             (unsigned long long)number);
    hypothesis_options call = c->call;
    auto_free char *audience = call.audience ? translated(l, call.audience) : NULL;
    call.audience = audience ? audience : call.audience;
    if (!hypothesis_make(&call, l->s->s, l->now_us, &out->h, &e))
        return skip(o, e.text);
    const char *why_not = impossible(c, &out->h.facts);
    if (why_not)
        return skip(o, why_not);
    auto_free char *address = address_of(l, out);
    if (!address)
        return skip(o, "nothing listens there");
    if (!put_request(l, out, &call, address, &e) ||
        !net_addr_resolve(span_of(address), &out->call.to, &e))
        return skip(o, e.text);
    out->call.request = buf_view(&out->request);
    out->call.reply_max = REPLY_MAX;
    out->call.connect_us = out->call.idle_us = PATIENCE_US;
    out->sent = true;
    return true;
}

void shot_free(shot *s)
{
    hypothesis_free(&s->h);
    buf_free(&s->request);
    if (s->sent)
        http_call_free(&s->call);
    json_decref(s->decided);
    *s = (shot){.c = NULL};
}
