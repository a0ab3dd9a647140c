/* Optional members are left out when there is nothing to say. */
#include "decision/evidence_json.h"

#include "decision/checks.h"
#include "decision/terraform.h"

enum { TERRAFORM_MAX = 16 * 1024 };

/* Recordings are made of these: no format is parsed for each. */
static void put_key(buf *b, const char *key)
{
    buf_str(b, ",\"");
    buf_str(b, key);
    buf_str(b, "\":");
}

static void put(buf *b, const char *key, span value)
{
    if (value.n == 0)
        return;
    put_key(b, key);
    buf_json(b, value);
}

static void put_bool(buf *b, const char *key, bool value)
{
    put_key(b, key);
    buf_str(b, value ? "true" : "false");
}

/* ---- bindings ---- */

static void put_grant(buf *b, const char *key, const evidence_grant *g)
{
    if (!g->member.n)
        return;
    buf_fmt(b, ",\"%s\":{\"member\":", key);
    buf_json(b, g->member);
    put(b, "role", g->role);
    auto_buf buf text = buf_make(SIZE_MAX / 2);
    buf_str(&text, g->service.n ? "service " : "project");
    buf_span(&text, g->service);
    put(b, "on", buf_view(&text));
    put(b, "condition", g->condition);
    buf_clear(&text);
    evidence_place(&text, g);
    put(b, "at", buf_view(&text));
    buf_char(b, '}');
}

/* ---- checks ---- */

static void put_checks(buf *b, const evidence *e)
{
    check_row row = {.result = CHECK_PASS};
    buf_str(b, ",\"checks\":[");
    for (int c = 0; c < CHECK_COUNT; c++) {
        check_row_fill(&row, (check)c, e);
        buf_str(b, c ? ",{\"check\":\"" : "{\"check\":\"");
        buf_str(b, check_name((check)c));
        buf_str(b, "\",\"result\":\"");
        buf_str(b, check_result_name(row.result));
        buf_char(b, '"');
        put(b, "wanted", buf_view(&row.wanted));
        put(b, "got", buf_view(&row.got));
        put(b, "hint", buf_view(&row.hint));
        buf_char(b, '}');
    }
    buf_char(b, ']');
    check_row_free(&row);
}

/* ---- facts ---- */

static void put_str(buf *b, const char *key, const char *value)
{
    put(b, key, span_of(value));
}

static void put_number(buf *b, bool there, const char *key, int64_t value)
{
    if (!there)
        return;
    put_key(b, key);
    buf_i64(b, value);
}

static void put_claims(buf *b, const evidence *e)
{
    const claims *c = e->claims;
    buf_str(b, ",\"claims\":{\"aud\":[");
    for (size_t i = 0; i < c->aud_count; i++) {
        buf_str(b, i ? "," : "");
        buf_json(b, span_of(c->aud[i]));
    }
    buf_char(b, ']');
    put_str(b, "iss", c->iss);
    put_str(b, "sub", c->sub);
    put_str(b, "azp", c->azp);
    put_str(b, "email", c->email);
    if (c->email)
        put_bool(b, "email_verified", c->email_verified);
    put_number(b, c->has_iat, "iat", c->iat_s);
    put_number(b, c->has_exp, "exp", c->exp_s);
    put_number(b, c->has_nbf, "nbf", c->nbf_s);
    put(b, "kid", e->kid);
    put(b, "alg", e->alg);
    buf_char(b, '}');
}

static void put_facts(buf *b, const evidence *e)
{
    buf_fmt(b, ",\"facts\":{\"by_run_app_host\":%s", e->by_run_app_host ? "true" : "false");
    put_bool(b, "internal", e->internal);
    put_bool(b, "reserved_path", e->reserved_path);
    put_str(b, "header", token_header_name(e->header));
    put_str(b, "token", token_state_name(e->token));
    if (e->claims)
        put_claims(b, e);
    buf_char(b, '}');
}

void evidence_json_terraform(buf *b, const evidence *e)
{
    auto_buf buf text = buf_make(TERRAFORM_MAX);
    evidence_terraform(&text, e);
    put(b, "terraform", buf_view(&text));
}

void evidence_json(buf *b, const evidence *e)
{
    put_grant(b, "binding", &e->binding);
    put_grant(b, "nearest", &e->nearest);
    put_checks(b, e);
    put_facts(b, e);
}
