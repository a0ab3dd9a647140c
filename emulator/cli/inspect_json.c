/* An inspection for programs. */
#include "cli/cli_keys.h"
#include "cli/inspect.h"
#include "decision/explain.h"

enum { FIX_MAX = 16 * 1024 };

static void add_bool(buf *b, const char *name, bool value)
{
    buf_fmt(b, "%s%s", name, value ? "true" : "false");
}

static void add_text(buf *b, const char *name, const char *value)
{
    buf_str(b, name);
    if (value)
        buf_json(b, span_of(value));
    else
        buf_str(b, "null");
}

static void add_part(buf *b, const char *name, const json_t *part)
{
    char *text = part ? json_dumps(part, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY) : NULL;
    buf_fmt(b, "%s%s", name, text ? text : "null");
    free(text);
}

static void add_moment(buf *b, const char *name, bool has, int64_t seconds)
{
    buf_str(b, name);
    if (!has) {
        buf_str(b, "null");
        return;
    }
    buf_char(b, '"');
    cli_add_time(b, seconds);
    buf_char(b, '"');
}

static void add_service(buf *b, const inspection *i, const service *svc)
{
    const service_view v = inspect_service(i, svc);
    const decision *d = &v.decision;
    const bool accepted = v.audience == AUDIENCE_OK;
    const request_facts f = {.service = svc, .token = TOKEN_VERIFIED, .claims = i->claims};
    auto_buf buf fix = buf_make(FIX_MAX);
    if (accepted && !v.open && !reason_info(d->reason)->allows)
        explain_fix(&fix, i->topology, d, &f);
    add_text(b, "{\"name\":", svc->name);
    add_text(b, ",\"url\":", svc->url);
    add_bool(b, ",\"open\":", v.open);
    add_bool(b, ",\"accepts_audience\":", accepted);
    add_bool(b, ",\"may_invoke\":", v.open || reason_info(d->reason)->allows);
    add_text(b, ",\"reason\":", v.open ? "public" : reason_info(d->reason)->name);
    add_text(b, ",\"fix\":", fix.n ? fix.p : NULL);
    buf_char(b, '}');
}

static void add_services(buf *b, const inspection *i)
{
    const snapshot *s = i->topology;
    buf_str(b, ",\"services\":[");
    for (size_t n = 0; s && i->claims && n < snapshot_service_count(s); n++) {
        if (n)
            buf_char(b, ',');
        add_service(b, i, snapshot_service(s, n));
    }
    buf_char(b, ']');
}

void inspect_show_json(const inspection *i, buf *b)
{
    const claims *c = i->claims;
    add_text(b, "{\"kind\":", token_kind_name(i->kind));
    add_bool(b, ",\"valid\":", i->valid);
    add_text(b, ",\"reason\":", i->valid ? "ok" : reason_info(i->verdict)->name);
    add_text(b, ",\"cause\":", i->cause.n ? i->cause.p : NULL);
    add_text(b, ",\"fix\":", i->fix.n ? i->fix.p : NULL);
    add_text(b, ",\"detail\":", i->problem.kind == ERR_NONE ? NULL : i->problem.text);
    add_text(b, ",\"kid\":", i->kid);
    add_text(b, ",\"keys\":", i->has_keys ? i->keys_dir : NULL);
    add_bool(b, ",\"confirmed\":", i->confirmed);
    add_text(b, ",\"principal\":", c ? (c->email ? c->email : c->sub) : NULL);
    add_moment(b, ",\"issued\":", c && c->has_iat, c ? c->iat_s : 0);
    add_moment(b, ",\"expires\":", c && c->has_exp, c ? c->exp_s : 0);
    add_part(b, ",\"header\":", i->header);
    add_part(b, ",\"claims\":", i->payload);
    add_services(b, i);
    buf_str(b, "}\n");
}
