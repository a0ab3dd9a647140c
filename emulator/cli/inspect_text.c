/* An inspection for people. What comes from the token is shown without control characters. */
#include "cli/cli_keys.h"
#include "cli/inspect.h"
#include "decision/explain.h"

/* Foreign text on somebody's terminal: printable ASCII, everything else as '?'. */
static void add_plain(buf *b, const char *text)
{
    for (; text && *text; text++) {
        const bool printable = *text >= ' ' && *text <= '~';
        buf_add(b, printable ? text : "?", 1);
    }
}

static void add_label(buf *b, const char *label)
{
    buf_fmt(b, "  %-9s ", label);
}

static void add_line(buf *b, const char *label, const char *text)
{
    if (!text)
        return;
    add_label(b, label);
    add_plain(b, text);
    buf_char(b, '\n');
}

static void add_moment(buf *b, const char *label, bool has, int64_t seconds, int64_t now_s)
{
    if (!has)
        return;
    add_label(b, label);
    cli_add_time(b, seconds);
    buf_str(b, " (");
    cli_add_distance(b, seconds, now_s);
    buf_str(b, ")\n");
}

static void add_headline(buf *b, const inspection *i)
{
    buf_str(b, token_kind_words(i->kind));
    const claims *c = i->claims;
    if (c && (c->email || c->sub)) {
        buf_str(b, " for ");
        add_plain(b, c->email ? c->email : c->sub);
    }
    buf_str(b, i->valid ? ": valid\n" : ": not valid (");
    if (!i->valid)
        buf_fmt(b, "%s)\n", reason_info(i->verdict)->name);
}

static void add_key(buf *b, const inspection *i)
{
    if (!i->kid && i->kind != KIND_ID_TOKEN)
        return;
    add_label(b, "key");
    add_plain(b, i->kid ? i->kid : "not named");
    if (!i->has_keys)
        buf_fmt(b, ", not checked: no keys in %s", i->keys_dir);
    else
        buf_fmt(b, ", %s by the keys in %s", i->confirmed ? "confirmed" : "not confirmed",
                i->keys_dir);
    buf_char(b, '\n');
}

static void add_claims(buf *b, const inspection *i)
{
    const claims *c = i->claims;
    const int64_t now_s = i->now_us / 1000000;
    if (!c)
        return;
    add_line(b, "issuer", c->iss);
    for (size_t a = 0; a < c->aud_count; a++)
        add_line(b, "audience", c->aud[a]);
    add_moment(b, "issued", c->has_iat, c->iat_s, now_s);
    add_moment(b, "begins", c->has_nbf, c->nbf_s, now_s);
    add_moment(b, c->has_exp && c->exp_s <= now_s ? "expired" : "expires", c->has_exp, c->exp_s,
               now_s);
}

static void add_verdict(buf *b, const inspection *i)
{
    if (i->valid)
        return;
    add_line(b, "cause", i->cause.p);
    if (i->problem.kind != ERR_NONE)
        add_line(b, "detail", i->problem.text);
    if (i->fix.n)
        add_line(b, "mend", i->fix.p);
}

/* ---- services ---- */

static void add_service(buf *b, const inspection *i, const service *svc, const service_view *v)
{
    buf_fmt(b, "    %-16s ", svc->name);
    if (v->open) {
        buf_str(b, "open to everybody, no token is looked at\n");
        return;
    }
    const decision *d = &v->decision;
    buf_str(b, "accepts the audience; ");
    if (d->reason == REASON_GRANTED) {
        buf_fmt(b, "this caller may invoke it (%s for %s", d->binding->role, d->binding->member);
        if (d->binding->place.file)
            buf_str(b, ", ");
        place_put(b, d->binding->place, false);
        buf_str(b, ")\n");
        return;
    }
    const request_facts f = {.service = svc, .token = TOKEN_VERIFIED, .claims = i->claims};
    buf_fmt(b, "refused (%s): ", reason_info(d->reason)->name);
    explain_cause(b, i->topology, d, &f, i->now_us);
    buf_str(b, "\n                     ");
    explain_fix(b, i->topology, d, &f);
    buf_char(b, '\n');
}

/* Nearly its audience: worth a line, for that is what people overlook. */
static void add_near_miss(buf *b, const inspection *i, const service *svc, const service_view *v)
{
    const decision d = {.service = svc,
                        .reason = REASON_WRONG_AUDIENCE,
                        .audience = v->audience,
                        .audience_got = v->audience_got};
    const request_facts f = {.service = svc, .token = TOKEN_VERIFIED, .claims = i->claims};
    buf_fmt(b, "    %-16s ", svc->name);
    explain_cause(b, i->topology, &d, &f, i->now_us);
    buf_char(b, '\n');
}

static void add_services(buf *b, const inspection *i)
{
    const snapshot *s = i->topology;
    if (!s || !i->claims)
        return;
    add_line(b, "services", snapshot_project(s)->file);
    size_t accepting = 0;
    for (size_t n = 0; n < snapshot_service_count(s); n++) {
        const service *svc = snapshot_service(s, n);
        const service_view v = inspect_service(i, svc);
        if (v.audience == AUDIENCE_OK)
            add_service(b, i, svc, &v);
        else if (v.audience < AUDIENCE_OTHER_SERVICE || v.audience == AUDIENCE_BARE_HOST)
            add_near_miss(b, i, svc, &v);
        accepting += v.audience == AUDIENCE_OK;
    }
    if (!accepting)
        buf_str(b, "    none of them accepts this audience\n");
}

static void add_part(buf *b, const char *title, const json_t *part)
{
    if (!part)
        return;
    char *text = json_dumps(part, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY |
                                      JSON_REAL_PRECISION(15));
    buf_fmt(b, "%s %s\n", title, text ? text : "cannot be shown");
    free(text);
}

void inspect_show_text(const inspection *i, buf *b)
{
    add_headline(b, i);
    add_verdict(b, i);
    add_key(b, i);
    add_claims(b, i);
    add_services(b, i);
    add_part(b, "header", i->header);
    add_part(b, "claims", i->payload);
}
