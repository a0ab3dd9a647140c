/* Route, check the credential, ask the policy, act. */
#include <stdlib.h>

#include "decision/explain.h"
#include "gateway/admission.h"
#include "gateway/token_state.h"
#include "jose/jws.h"

static const view *view_of(const admission *m)
{
    return m->hold->view;
}

static void route(const admit *a, admission *m, request_facts *f)
{
    const view *v = view_of(m);
    host_kind kind = HOST_OWN;
    const service *by_host = snapshot_route_host(v->snap, exchange_host(m->x), &kind);
    f->service = m->door->service ? door_service(m->door, v) : by_host;
    if (!f->service && proxied_is(a, m))
        f->service = proxied_service(a, m);
    f->by_run_app_host = by_host && by_host == f->service && kind == HOST_RUN_APP;
    f->reserved_path = f->by_run_app_host && decide_reserved_path(exchange_path(m->x));
    f->internal = f->service && view_is_internal(v, exchange_peer(m->x));
    m->service = f->service;
    m->by_run_app_host = f->by_run_app_host;
}

static bool may_wait(const admit *a, const admission *m)
{
    const view *v = view_of(m);
    if (m->waited)
        return false;
    return !v->keys || loop_now_us(a->o.loop) - v->keys_attempt_us >= ADMIT_ASK_KEYS_EACH_US;
}

/* Sets f->token and f->claims; *out_own is what the caller must free. false: fresh keys may change
 * the result, and it is worth waiting for them. */
static bool check_token(admit *a, const admission *m, span token, request_facts *f,
                        claims **out_own)
{
    const view *v = view_of(m);
    int64_t now_s = m->wall_us / 1000000;
    tally_tokens *counted = tally_token_counts(a->o.tally);
    f->claims = token_memory_get(a->tokens, token, now_s);
    if (f->claims) {
        counted->remembered++;
        f->token = TOKEN_VERIFIED;
        return true;
    }
    if (!v->keys) {
        counted->keyless++;
        f->token = TOKEN_NO_KEYS;
        return !may_wait(a, m);
    }
    claims *c = NULL;
    jws_result r = jws_verify(v->keys, token, &c, NULL);
    counted->judged[r]++;
    f->token = token_state_of(r);
    f->claims = c;
    if (r != JWS_OK || !token_memory_put(a->tokens, token, c, now_s))
        *out_own = c;
    return r != JWS_UNKNOWN_KID || !may_wait(a, m);
}

static void find_credential(admission *m, request_facts *f)
{
    span authorization = {0};
    span serverless = {0};
    size_t authorization_n = exchange_field(m->x, "Authorization", &authorization);
    size_t serverless_n = exchange_field(m->x, "X-Serverless-Authorization", &serverless);
    credential c = credential_find(authorization_n, authorization, serverless_n, serverless);
    f->header = c.header;
    f->token = c.state;
    m->token = c.token;
}

/* false: wait for keys. */
static bool check_credential(admit *a, admission *m, request_facts *f, claims **out_own)
{
    find_credential(m, f);
    return f->token != TOKEN_UNCHECKED || check_token(a, m, m->token, f, out_own);
}

/* Explained at once, as long as claims and policy are at hand. */
static void explain(admit *a, admission *m, const decision *d, const request_facts *f)
{
    const snapshot *s = view_of(m)->snap;
    buf *b = &a->scratch;
    buf_clear(b);
    explain_cause(b, s, d, f, m->wall_us);
    m->explanation = judge_keep(m->x, buf_view(b));
    buf_clear(b);
    explain_fix(b, s, d, f);
    m->fix = judge_keep(m->x, buf_view(b));
    buf_clear(b);
    explain_local_fix(b, s, d, f);
    m->local_fix = judge_keep(m->x, buf_view(b));
}

static span with_nul(const char *text)
{
    return (span){text, strlen(text) + 1};
}

/* What is told of it when the request is over; claims and token may be gone by then. */
static void keep_facts(admission *m, const decision *d, const request_facts *f)
{
    m->verdict = *d;
    m->verdict.principal.email = m->caller;
    m->verdict.audience_got = NULL;
    for (size_t i = 0; d->audience_got && f->claims && i < f->claims->aud_count; i++) {
        if (f->claims->aud[i] == d->audience_got)
            m->audience_index = i;
    }
    if (d->reason == REASON_WRONG_AUDIENCE && d->audience_got)
        m->verdict.audience_got = judge_keep(m->x, with_nul(d->audience_got)).p;
    m->facts = *f;
    m->facts.claims = NULL;
    m->judged = credential_unsigned(m->token);
}

static void take_decision(admit *a, admission *m, decision *d, const request_facts *f)
{
    const reason_row *row = reason_info(d->reason);
    m->decided = true;
    m->reason = d->reason;
    m->binding = d->binding;
    m->header = d->header;
    m->unlogged = !d->service || !row->logged;
    m->text_payload = row->log_text;
    if (f->token == TOKEN_VERIFIED)
        m->caller = judge_keep(m->x, d->principal.email);
    if (!row->allows)
        decide_nearest(view_of(m)->snap, d, m->wall_us);
    if (!row->allows || (d->binding && binding_is_changing(d->binding, m->wall_us)))
        explain(a, m, d, f);
    keep_facts(m, d, f);
}

/* ---- audit mode ---- */

/* Some things have no container to go to, whatever IAM says. */
static bool is_tolerated(const admission *m, const decision *d)
{
    return snapshot_emulation(view_of(m)->snap)->audit && !reason_info(d->reason)->allows &&
           d->service && d->reason != REASON_RESERVED_PATH;
}

/* As if it were allowed. Of a credential that nobody had to look at yet, a private service gets to
 * see no signature either. */
static void tolerate(admit *a, admission *m, request_facts *f)
{
    const service *svc = m->service;
    m->audited = true;
    m->unlogged = false;
    m->text_payload = NULL;
    if (m->header == HEADER_NONE && svc->iam_check &&
        !snapshot_is_open(view_of(m)->snap, svc, m->wall_us)) {
        find_credential(m, f);
        m->header = f->header;
    }
    admission_forward(a, m);
}

static bool never_reaches_containers(span method)
{
    return span_eq(method, SPAN_LIT("TRACE")) || span_eq(method, SPAN_LIT("CONNECT"));
}

static void wait_or_refuse(admit *a, admission *m)
{
    if (a->waiting_count < ADMIT_WAITING_MAX) {
        admission_wait(a, m);
        return;
    }
    m->explanation = SPAN_LIT("Too many requests wait for the verification keys.");
    admission_refuse(a, m, ERROR_429, false);
}

void admission_judge(admit *a, admission *m)
{
    request_facts f = {.token = TOKEN_UNCHECKED};
    route(a, m, &f);
    if (never_reaches_containers(exchange_method(m->x))) {
        m->unlogged = true;
        m->explanation = SPAN_LIT("TRACE and CONNECT never reach a Cloud Run container.");
        admission_refuse(a, m, ERROR_405_ROBOT, false);
        return;
    }
    if (proxied_is(a, m) && proxied_judge(a, m))
        return;
    claims *own = NULL;
    if (decide_needs_token(view_of(m)->snap, &f, m->wall_us) && !check_credential(a, m, &f, &own)) {
        claims_free(own);
        wait_or_refuse(a, m);
        return;
    }
    decision d = decide(view_of(m)->snap, &f, m->wall_us);
    take_decision(a, m, &d, &f);
    claims_free(own);
    const reason_row *row = reason_info(d.reason);
    if (row->allows)
        admission_forward(a, m);
    else if (is_tolerated(m, &d))
        tolerate(a, m, &f);
    else
        admission_refuse(a, m, pages_of_reason(d.reason), row->challenge);
}
