/* What each check compared: the wanted, the got, and the near miss between them. */
#include "decision/checks.h"

#include "base/clock.h"
#include "decision/check_impl.h"
#include "decision/explain_text.h"

enum { ROW_TEXT_MAX = 4096, VALUE_MAX = 512 };

void check_put(buf *b, span value)
{
    buf_span(b, (span){value.p, value.n < VALUE_MAX ? value.n : VALUE_MAX});
}

void check_put_time(buf *b, int64_t at_s)
{
    /* Years beyond 9999 have no such form. */
    if (at_s > INT64_C(253402300799)) {
        buf_fmt(b, "second %lld", (long long)at_s);
        return;
    }
    char text[CLOCK_RFC3339_MAX];
    clock_rfc3339(at_s * 1000000, 0, text);
    buf_str(b, text);
}

/* ---- the door ---- */

static void host(check_row *row, const evidence *e)
{
    if (!e->host.n)
        return;
    buf_str(&row->wanted, e->service.n ? "a host of " : "a host of a service");
    buf_span(&row->wanted, e->service);
    check_put(&row->got, e->host);
    if (e->near_host.n)
        buf_fmt(&row->hint, "nearly that of %.*s", SPAN_ARG(e->near_host));
}

static void path(check_row *row, const evidence *e)
{
    if (!e->path.n)
        return;
    buf_str(&row->wanted, e->by_run_app_host ? "none of /healthz, /eventlog, /_ah/…"
                                             : "any (not by a run.app host)");
    check_put(&row->got, e->path);
    if (e->reason == REASON_RESERVED_PATH)
        buf_str(&row->hint, "/healthz/ and /health are not reserved");
}

static void default_url(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, "run.app URLs switched on, or another URL");
    buf_fmt(&row->got, "%s, switched %s", e->by_run_app_host ? "a run.app URL" : "another URL",
            e->default_url_disabled ? "off" : "on");
}

static void ingress_setting(check_row *row, const evidence *e)
{
    buf_fmt(&row->wanted, "ingress: %s", INGRESS_NAMES[e->ingress]);
    if (e->ingress == INGRESS_ALL)
        buf_str(&row->got, "any caller");
    else
        buf_str(&row->got, e->internal ? "a caller inside" : "a caller outside");
    if (e->from.n)
        buf_fmt(&row->got, " (%.*s)", SPAN_ARG(e->from));
    if (e->reason != REASON_INGRESS_BLOCKED)
        return;
    buf_str(&row->hint, e->ingress == INGRESS_NONE
                            ? "nobody is admitted"
                            : "inside are the services' addresses: of the topology, nobody else");
}

void check_put_grant(buf *b, const evidence_grant *g)
{
    buf_span(b, g->member);
    buf_str(b, " holds ");
    buf_span(b, g->role);
    buf_str(b, " on ");
    buf_span(b, g->service.n ? g->service : SPAN_LIT("the project"));
    if (!g->file.n)
        return;
    buf_str(b, " (");
    evidence_place(b, g);
    buf_char(b, ')');
}

static void open_to_all(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, "allUsers, or invoker_iam_check: false");
    if (e->reason == REASON_CHECK_DISABLED)
        buf_str(&row->got, "invoker_iam_check: false");
    else if (e->reason == REASON_PUBLIC)
        check_put_grant(&row->got, &e->binding);
    else
        buf_str(&row->got, "private");
}

/* ---- the credential ---- */

static void credential_there(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, "Authorization or X-Serverless-Authorization");
    const char *field = token_header_field(e->header);
    buf_str(&row->got, field ? field : "neither header");
    if (e->token == TOKEN_EMPTY)
        buf_str(&row->got, ", empty");
    if (e->header == HEADER_SERVERLESS)
        buf_str(&row->hint, "it alone counts; Authorization is not looked at");
}

static void one_id_token(check_row *row, const evidence *e)
{
    static const char *const got[] = {
        [TOKEN_NOT_BEARER] = "no \"Bearer\"",
        [TOKEN_REPEATED_HEADER] = "the header twice",
        [TOKEN_SEVERAL] = "several tokens",
        [TOKEN_ACCESS] = "an access token (ya29.…)",
        [TOKEN_NOT_A_JWT] = "no JWT",
        [TOKEN_SIGNATURE_REMOVED] = "a token without its signature",
    };
    static const char *const hints[] = {
        [TOKEN_NOT_BEARER] = "the scheme stands in front of the token, with a blank between",
        [TOKEN_REPEATED_HEADER] = "something between adds a header of its own",
        [TOKEN_SEVERAL] = "two values were joined by a comma or blank",
        [TOKEN_ACCESS] = "print-access-token and /token give these; ask for an identity token",
        [TOKEN_NOT_A_JWT] = "three base64url parts with dots between, without quotes",
        [TOKEN_SIGNATURE_REMOVED] = "a token that was received is no good for the next service",
    };
    buf_str(&row->wanted, "Bearer ID_TOKEN, once");
    const size_t t = (size_t)e->token;
    const bool known = t < countof(got) && got[t];
    buf_str(&row->got, known ? got[t] : "one JWT");
    if (row->result == CHECK_FAIL && known)
        buf_str(&row->hint, hints[t]);
}

static void algorithm(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, "RS256");
    check_put(&row->got, e->alg.n ? e->alg : SPAN_LIT("RS256"));
    if (row->result != CHECK_FAIL)
        return;
    if (!e->alg.n) {
        buf_clear(&row->got);
        buf_str(&row->got, "another, or none");
    }
    buf_str(&row->hint, "Google signs identity tokens with RS256 only");
}

static void key(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, "a published key");
    if (e->keys.n) {
        buf_str(&row->wanted, ": ");
        check_put(&row->wanted, e->keys);
    }
    check_put(&row->got, e->kid);
    if (row->result != CHECK_FAIL)
        return;
    if (e->reason == REASON_KEYS_UNAVAILABLE)
        buf_str(&row->hint, "none is known: the metadata process does not answer");
    else
        buf_str(&row->hint, e->kid.n ? "minted elsewhere, or before the keys were made anew"
                                     : "the token names no kid");
}

static void signature(check_row *row, const evidence *e)
{
    const bool wrong = row->result == CHECK_FAIL;
    buf_str(&row->wanted, "confirmed by the key");
    if (e->kid.n) {
        buf_char(&row->wanted, ' ');
        check_put(&row->wanted, e->kid);
    }
    buf_str(&row->got, wrong ? "not confirmed" : "confirmed");
    if (wrong)
        buf_str(&row->hint, "a copied token that lost or changed a character looks like this, too");
}

static const struct {
    void (*fill)(check_row *row, const evidence *e);
} fillers[CHECK_COUNT] = {
    [CHECK_HOST] = {host},
    [CHECK_PATH] = {path},
    [CHECK_DEFAULT_URL] = {default_url},
    [CHECK_INGRESS] = {ingress_setting},
    [CHECK_OPEN] = {open_to_all},
    [CHECK_CREDENTIAL] = {credential_there},
    [CHECK_ID_TOKEN] = {one_id_token},
    [CHECK_ALGORITHM] = {algorithm},
    [CHECK_KEY] = {key},
    [CHECK_SIGNATURE] = {signature},
    [CHECK_CLAIMS] = {check_claims},
    [CHECK_ISSUER] = {check_issuer},
    [CHECK_TIME] = {check_time},
    [CHECK_AUDIENCE] = {check_audience},
    [CHECK_PRINCIPAL] = {check_principal},
    [CHECK_DENY] = {check_deny},
    [CHECK_GRANT] = {check_grant},
};

static void clear(buf *b)
{
    if (!b->max)
        *b = buf_make(ROW_TEXT_MAX);
    buf_clear(b);
}

void check_row_fill(check_row *row, check c, const evidence *e)
{
    clear(&row->wanted);
    clear(&row->got);
    clear(&row->hint);
    row->result = check_result_of(c, e->reason);
    if (row->result != CHECK_NOT_REACHED)
        fillers[c].fill(row, e);
}

void check_row_free(check_row *row)
{
    buf_free(&row->wanted);
    buf_free(&row->got);
    buf_free(&row->hint);
}
