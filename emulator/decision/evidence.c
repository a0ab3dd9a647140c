/* From pointers into topology and token to plain values. */
#include "decision/evidence.h"

#include "base/hash.h"
#include "decision/explain_text.h"

enum { NAMES_COMPARED_MAX = 256 };

static evidence_grant of_binding(const snapshot *s, const binding *g, binding_state state)
{
    if (!g)
        return (evidence_grant){.line = 0};
    evidence_grant out = {.member = span_of(g->member),
                          .role = span_of(g->role),
                          .file = span_of(g->place.file),
                          .line = g->place.line,
                          .column = g->place.column,
                          .state = state,
                          .granted_us = g->granted_us,
                          .effective_us = g->effective_us,
                          .revoked_us = g->revoked_us};
    if (!g->project_level && g->service != BINDING_NO_SERVICE)
        out.service = span_of(snapshot_service(s, g->service)->name);
    if (g->condition)
        out.condition = span_of(condition_get(g->condition)->expression);
    return out;
}

static void add_service(evidence *e, const service *svc)
{
    e->service = span_of(svc->name);
    e->url = span_of(svc->url);
    e->accepted = span_of(svc->accepted);
    e->ingress = svc->ingress;
    e->default_url_disabled = svc->default_url_disabled;
}

static void add_deny(evidence *e, const deny_rule *r)
{
    e->deny_policy = span_of(r->policy);
    e->deny_principal = span_of(r->principals[0]);
    e->deny_file = span_of(r->place.file);
    e->deny_line = r->place.line;
}

evidence evidence_of(const snapshot *s, const decision *d, const request_facts *f, int64_t now_us)
{
    const project *p = snapshot_project(s);
    evidence e = {.reason = d->reason,
                  .now_us = now_us,
                  .skew_s = snapshot_emulation(s)->clock_skew_s,
                  .project = span_of(p->id),
                  .region = span_of(p->region),
                  .by_run_app_host = f->by_run_app_host,
                  .internal = f->internal,
                  .reserved_path = f->reserved_path,
                  .header = f->header,
                  .token = f->token,
                  .claims = f->claims,
                  .audience = d->audience,
                  .audience_got = span_of(d->audience_got),
                  .other = span_of(d->other ? d->other->name : NULL),
                  .principal = d->principal,
                  .binding = of_binding(s, d->binding, BINDING_IN_FORCE)};
    if (d->service)
        add_service(&e, d->service);
    if (d->deny)
        add_deny(&e, d->deny);
    const missed_grant near = decision_nearest(s, d, now_us);
    e.nearest = of_binding(s, near.binding, near.state);
    explain_mend(s, d, &e.mend_service, &e.mend_value);
    return e;
}

span evidence_near_host(const snapshot *s, span host)
{
    const char *names[NAMES_COMPARED_MAX + 1];
    size_t n = 0;
    while (n < snapshot_service_count(s) && n < NAMES_COMPARED_MAX) {
        names[n] = snapshot_service(s, n)->name;
        n++;
    }
    names[n] = NULL;
    return span_of(did_you_mean((span){host.p, span_find(host, '.')}, names));
}

static void put_line(buf *b, span file, uint32_t line, uint32_t column)
{
    buf_span(b, file);
    if (file.n && line)
        buf_fmt(b, ":%u", line);
    if (file.n && line && column)
        buf_fmt(b, ":%u", column);
}

void evidence_place(buf *b, const evidence_grant *g)
{
    put_line(b, g->file, g->line, g->column);
}

/* ---- audiences ---- */

/* The part of a URL that says where it leads, without tag and scheme. */
static span host_of(span url)
{
    for (size_t i = 0; i + 3 <= url.n; i++) {
        if (memcmp(url.p + i, "://", 3) == 0 || memcmp(url.p + i, "---", 3) == 0)
            return host_of(span_from(url, i + 3));
    }
    return url;
}

static unsigned char lower(char c)
{
    const unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? u | 0x20U : u;
}

static size_t common(span a, span b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && lower(a.p[n]) == lower(b.p[n]))
        n++;
    return n;
}

/* The longer the hosts agree from their beginning the nearer; the scheme breaks ties. */
static size_t likeness(span accepted, span got)
{
    const span host = host_of(accepted);
    const size_t same = common(host, host_of(got));
    return 2 * same + (same == host.n ? 64 : 0) + (common(accepted, got) > 4);
}

span evidence_nearest_audience(span accepted, span got, size_t *out_count)
{
    span best = {NULL, 0}, line;
    size_t best_likeness = 0;
    *out_count = 0;
    while (accepted.n) {
        span_cut(&accepted, '\n', &line);
        const size_t like = likeness(line, got);
        if (!best.p || like > best_likeness) {
            best = line;
            best_likeness = like;
        }
        ++*out_count;
    }
    return best;
}

/* ---- names ---- */

const char *token_header_field(token_header h)
{
    static const char *const fields[] = {[HEADER_NONE] = NULL,
                                         [HEADER_AUTHORIZATION] = "Authorization",
                                         [HEADER_SERVERLESS] = "X-Serverless-Authorization"};
    return fields[h];
}

const char *token_header_name(token_header h)
{
    static const char *const names[] = {[HEADER_NONE] = "none",
                                        [HEADER_AUTHORIZATION] = "authorization",
                                        [HEADER_SERVERLESS] = "serverless"};
    return names[h];
}

const char *token_state_name(token_state t)
{
    static const char *const names[] = {
        [TOKEN_ABSENT] = "absent",         [TOKEN_EMPTY] = "empty",
        [TOKEN_NOT_BEARER] = "not_bearer", [TOKEN_REPEATED_HEADER] = "repeated_header",
        [TOKEN_SEVERAL] = "several",       [TOKEN_ACCESS] = "access_token",
        [TOKEN_NOT_A_JWT] = "not_a_jwt",   [TOKEN_SIGNATURE_REMOVED] = "signature_removed",
        [TOKEN_BAD_ALG] = "bad_alg",       [TOKEN_UNKNOWN_KEY] = "unknown_key",
        [TOKEN_NO_KEYS] = "no_keys",       [TOKEN_BAD_SIGNATURE] = "bad_signature",
        [TOKEN_BAD_CLAIMS] = "bad_claims", [TOKEN_VERIFIED] = "verified",
        [TOKEN_UNCHECKED] = "unchecked"};
    return names[t];
}
