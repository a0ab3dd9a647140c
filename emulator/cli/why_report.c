/* Printing a verdict: status, each check in its order, cause and cure. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/why.h"
#include "decision/explain.h"
#include "gateway/pages.h"

enum { REPORT_MAX = 256 * 1024, PART_MAX = 16 * 1024 };

/* The checks in the order in which decide() makes them, each with the reasons that it yields. */
typedef struct check {
    const char *name;
    reason reasons[7];
    size_t count;
} check;

static const check checks[] = {
    {"host", {REASON_UNKNOWN_HOST}, 1},
    {"path", {REASON_RESERVED_PATH}, 1},
    {"default URL", {REASON_DEFAULT_URL_DISABLED}, 1},
    {"ingress", {REASON_INGRESS_BLOCKED}, 1},
    {"open to everybody", {REASON_PUBLIC, REASON_CHECK_DISABLED}, 2},
    {"credential", {REASON_NO_CREDENTIAL, REASON_EMPTY_CREDENTIAL}, 2},
    {"one ID token",
     {REASON_NOT_BEARER, REASON_REPEATED_HEADER, REASON_SEVERAL_TOKENS, REASON_ACCESS_TOKEN,
      REASON_NOT_A_JWT, REASON_SIGNATURE_REMOVED},
     6},
    {"algorithm", {REASON_BAD_ALG}, 1},
    {"key", {REASON_UNKNOWN_KEY, REASON_KEYS_UNAVAILABLE}, 2},
    {"signature", {REASON_BAD_SIGNATURE}, 1},
    {"claims", {REASON_BAD_CLAIMS}, 1},
    {"issuer", {REASON_SELF_SIGNED, REASON_WRONG_ISSUER}, 2},
    {"time", {REASON_EXPIRED, REASON_NOT_YET_VALID}, 2},
    {"audience", {REASON_NO_AUDIENCE, REASON_WRONG_AUDIENCE}, 2},
    {"principal", {REASON_NO_PRINCIPAL, REASON_ACCOUNT_DISABLED}, 2},
    {"deny policies", {REASON_DENIED}, 1},
    {"grant",
     {REASON_NO_GRANT, REASON_NOT_PROPAGATED, REASON_CONDITION_NOT_MET, REASON_GRANTED},
     4},
};

enum { OPEN_CHECK = 4 };

unsigned why_status(reason r)
{
    static const unsigned statuses[] = {[PAGE_NONE] = 200,
                                        [PAGE_401] = 401,
                                        [PAGE_403] = 403,
                                        [PAGE_404] = 404,
                                        [PAGE_404_ROBOT] = 404};
    return statuses[reason_info(r)->page];
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

static size_t deciding_check(reason r)
{
    for (size_t i = 0; i < countof(checks); i++) {
        for (size_t j = 0; j < checks[i].count; j++) {
            if (checks[i].reasons[j] == r)
                return i;
        }
    }
    return countof(checks);
}

/* "pass", "fail", "no" (private: go on) or "not reached". */
static const char *check_result(size_t i, size_t deciding, bool allowed)
{
    if (i > deciding)
        return "not reached";
    if (i == deciding)
        return allowed ? "pass" : "fail";
    return i == OPEN_CHECK ? "no" : "pass";
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

static void put_line(buf *b, const char *name, const char *text)
{
    if (text && *text)
        buf_fmt(b, "  %-11s %s\n", name, text);
}

static void put_checks(buf *b, const verdict *v, bool colour)
{
    const size_t deciding = deciding_check(v->d.reason);
    for (size_t i = 0; i < countof(checks); i++) {
        const char *result = check_result(i, deciding, v->row->allows);
        const char *paint = !colour                       ? ""
                            : strcmp(result, "fail") == 0 ? "\033[31m"
                            : strcmp(result, "pass") == 0 ? "\033[32m"
                                                          : "\033[2m";
        buf_fmt(b, "  %s%-11s%s %s\n", paint, result, colour ? "\033[0m" : "", checks[i].name);
    }
}

static void put_text(buf *b, const verdict *v, bool colour)
{
    const service *svc = v->d.service;
    buf_fmt(b, "%s -> %s: %s, %s (%s)\n\n", v->caller.p, svc ? svc->name : "no service",
            v->row->allows ? "allowed" : "refused", why_status_text(v->d.reason), v->row->name);
    put_checks(b, v, colour);
    buf_char(b, '\n');
    if (svc)
        buf_fmt(b, "  %-11s %s%s\n", "request", svc->url, v->c->h.path);
    put_line(b, "challenge", v->row->challenge ? "WWW-Authenticate: " PAGE_CHALLENGE : NULL);
    put_line(b, "log", v->row->log_text);
    if (!v->row->logged)
        put_line(b, "log", "(production writes no log entry)");
    put_line(b, "cause", v->cause.p);
    put_line(b, "production", v->fix.p);
    put_line(b, "here", v->local.p);
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

static void put_json(buf *b, const verdict *v)
{
    const size_t deciding = deciding_check(v->d.reason);
    buf_fmt(b, "{\"allowed\":%s,\"status\":%u,\"reason\":\"%s\"", v->row->allows ? "true" : "false",
            why_status(v->d.reason), v->row->name);
    put_member(b, "caller", v->caller.p);
    put_member(b, "service", v->d.service ? v->d.service->name : NULL);
    put_member(b, "path", v->c->h.path);
    put_member(b, "www_authenticate", v->row->challenge ? PAGE_CHALLENGE : NULL);
    put_member(b, "log_text", v->row->log_text);
    buf_fmt(b, ",\"logged\":%s", v->row->logged ? "true" : "false");
    put_member(b, "binding", v->d.binding ? v->d.binding->member : NULL);
    put_member(b, "role", v->d.binding ? v->d.binding->role : NULL);
    put_member(b, "explanation", v->cause.p);
    put_member(b, "fix", v->fix.p);
    put_member(b, "local_fix", v->local.p);
    buf_str(b, ",\"checks\":[");
    for (size_t i = 0; i < countof(checks); i++)
        buf_fmt(b, "%s{\"check\":\"%s\",\"result\":\"%s\"}", i ? "," : "", checks[i].name,
                check_result(i, deciding, v->row->allows));
    buf_str(b, "]}\n");
}

int why_report(const why_case *c, const snapshot *s, int64_t now_us, bool json)
{
    verdict v = {.c = c, .s = s, .d = decide(s, &c->h.facts, now_us)};
    v.row = reason_info(v.d.reason);
    v.caller = v.cause = v.fix = v.local = buf_make(PART_MAX);
    name_caller(&v);
    explain_cause(&v.cause, s, &v.d, &c->h.facts, now_us);
    explain_fix(&v.fix, s, &v.d, &c->h.facts);
    explain_local_fix(&v.local, s, &v.d, &c->h.facts);
    auto_buf buf b = buf_make(REPORT_MAX);
    if (json)
        put_json(&b, &v);
    else
        put_text(&b, &v, cli_colour(stdout));
    buf_free(&v.caller);
    buf_free(&v.cause);
    buf_free(&v.fix);
    buf_free(&v.local);
    return cli_print(&b, v.row->allows ? CLI_OK : CLI_FAILED);
}
