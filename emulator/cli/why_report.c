/* Printing a verdict: status, each check in its order, cause and cure. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/why.h"
#include "cli/why_view.h"
#include "decision/evidence_json.h"
#include "decision/explain.h"
#include "gateway/pages.h"
#include "jose/jws.h"

enum { REPORT_MAX = 256 * 1024, PART_MAX = 16 * 1024 };

unsigned why_status(reason r)
{
    return reason_status(r);
}

const char *why_status_text(reason r)
{
    static const char *const texts[] = {[PAGE_NONE] = "forwarded",
                                        [PAGE_401] = "401 Unauthorized",
                                        [PAGE_403] = "403 Forbidden",
                                        [PAGE_404] = "404 Not Found",
                                        [PAGE_404_ROBOT] = "404 Not Found"};
    return texts[reason_info(r)->page];
}

/* ---- the texts ---- */

typedef struct verdict {
    const why_case *c;
    const snapshot *s;
    decision d;
    const reason_row *row;
    buf caller, cause, fix, local;
} verdict;

static void name_caller(verdict *v)
{
    const claims *c = v->c->h.facts.claims;
    if (v->d.principal.email.n) {
        explain_caller(&v->caller, v->s, &v->d.principal);
    } else if (c && c->email) {
        const principal p = {member_kind_of_email(span_of(c->email)), span_of(c->email)};
        explain_caller(&v->caller, v->s, &p);
        if (v->c->h.facts.token != TOKEN_VERIFIED)
            buf_str(&v->caller, " (unverified)");
    } else {
        buf_str(&v->caller, v->c->h.facts.header == HEADER_NONE ? "anonymous" : "somebody");
    }
}

/* ---- JSON ---- */

static void put_member(buf *b, const char *name, const char *text)
{
    buf_fmt(b, ",\"%s\":", name);
    if (text && *text)
        buf_json(b, span_of(text));
    else
        buf_str(b, "null");
}

/* Of a given token what its header says; a made-up one has no header. */
static void add_token(const why_case *c, evidence *e, char **kid, char **alg)
{
    const span text = span_of(c->text);
    const span token = span_trim(span_from(text, span_find(text, ' ')));
    if (!c->parsed)
        return;
    (void)jws_peek(token.n ? token : text, kid, alg, NULL, NULL);
    e->kid = span_of(*kid);
    e->alg = span_of(*alg);
}

static void put_request(buf *b, const verdict *v)
{
    if (!v->d.service)
        return;
    auto_buf buf url = buf_make(PART_MAX);
    buf_fmt(&url, "%s%s", v->d.service->url, v->c->h.path);
    put_member(b, "request", url.p);
}

static void put_json(buf *b, const verdict *v, int64_t now_us)
{
    auto_free char *kid = NULL;
    auto_free char *alg = NULL;
    evidence e = evidence_of(v->s, &v->d, &v->c->h.facts, now_us);
    e.path = (span){v->c->h.path, strcspn(v->c->h.path, "?#")};
    add_token(v->c, &e, &kid, &alg);
    buf_fmt(b, "{\"allowed\":%s,\"status\":%u,\"reason\":\"%s\"", v->row->allows ? "true" : "false",
            why_status(v->d.reason), v->row->name);
    put_member(b, "caller", v->caller.p);
    put_member(b, "service", v->d.service ? v->d.service->name : NULL);
    put_member(b, "path", v->c->h.path);
    put_request(b, v);
    put_member(b, "www_authenticate", v->row->challenge ? PAGE_CHALLENGE : NULL);
    put_member(b, "log_text", v->row->log_text);
    buf_fmt(b, ",\"logged\":%s", v->row->logged ? "true" : "false");
    put_member(b, "role", v->d.binding ? v->d.binding->role : NULL);
    put_member(b, "explanation", v->cause.p);
    put_member(b, "fix", v->fix.p);
    evidence_json_terraform(b, &e);
    put_member(b, "local_fix", v->local.p);
    put_member(b, "learn_more", v->row->learn_more);
    evidence_json(b, &e);
    buf_char(b, '}');
}

static void settle_verdict(verdict *v, const why_case *c, const snapshot *s, int64_t now_us)
{
    *v = (verdict){.c = c, .s = s, .d = decide(s, &c->h.facts, now_us)};
    v->row = reason_info(v->d.reason);
    v->caller = v->cause = v->fix = v->local = buf_make(PART_MAX);
    decide_nearest(s, &v->d, now_us);
    name_caller(v);
    explain_cause(&v->cause, s, &v->d, &c->h.facts, now_us);
    explain_fix(&v->fix, s, &v->d, &c->h.facts);
    explain_local_fix(&v->local, s, &v->d, &c->h.facts);
}

static void release_verdict(verdict *v)
{
    buf_free(&v->caller);
    buf_free(&v->cause);
    buf_free(&v->fix);
    buf_free(&v->local);
}

void why_json(buf *b, const why_case *c, const snapshot *s, int64_t now_us)
{
    verdict v;
    settle_verdict(&v, c, s, now_us);
    put_json(b, &v, now_us);
    release_verdict(&v);
}

static int print(const verdict *v, int64_t now_us, bool json)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    put_json(&b, v, now_us);
    const int status = v->row->allows ? CLI_OK : CLI_FAILED;
    if (json) {
        buf_char(&b, '\n');
        return cli_print(&b, status);
    }
    json_auto_t *d = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    buf_clear(&b);
    buf_fmt(&b, "%s -> %s: %s, %s (%s)\n\n", v->caller.p,
            v->d.service ? v->d.service->name : "no service",
            v->row->allows ? "allowed" : "refused", why_status_text(v->d.reason), v->row->name);
    why_view(&b, d, cli_colour(stdout));
    return cli_print(&b, status);
}

int why_report(const why_case *c, const snapshot *s, int64_t now_us, bool json)
{
    verdict v;
    settle_verdict(&v, c, s, now_us);
    const int status = print(&v, now_us, json);
    release_verdict(&v);
    return status;
}
