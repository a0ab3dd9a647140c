/* Single values of a test: callers, services, times … */
#include "base/clock.h"
#include "config/values.h"
#include "decision/lookup.h"
#include "expect/reading.h"

enum { HOST_MAX = 260, TEXT_MAX = 8192 };

static bool report(reading *r, const char *key, const node *n, const error *e)
{
    diag_at(r->l.diags, n->at, "%s: %s", key, e->text);
    return false;
}

static bool read_text(reading *r, const char *key, const node *n, const char *wanted, span *out)
{
    if (!read_scalar(&r->l, key, n, wanted, out))
        return false;
    if (out->n && out->n <= TEXT_MAX)
        return true;
    diag_at(r->l.diags, n->at, "%s: expected 1 to %d bytes, found %zu", key, TEXT_MAX, out->n);
    return false;
}

/* One of the project's own accounts has to be there: else a slip in its name would make a test of
 * somebody who is refused anyway. */
static const char *own_account(const reading *r, const char *name, error *e)
{
    const char *at = strchr(name, '@');
    const span id = span_of(snapshot_project(r->s->s)->id);
    if (at && span_starts(span_of(at + 1), id) &&
        strcmp(at + 1 + id.n, ".iam.gserviceaccount.com") == 0) {
        const account *a = lookup_account(r->s->s, name, e);
        return a ? a->email : NULL;
    }
    return lookup_caller(r->s->s, name, e);
}

bool read_caller_value(reading *r, const char *key, const node *n, value *out)
{
    static const char wanted[] = "an account, a service, an e-mail address, or anonymous";
    span name;
    error e = {0};
    if (!read_text(r, key, n, wanted, &name))
        return false;
    *out = (value){.shown = name.p};
    if (span_eq_str(name, "anonymous"))
        return true;
    const service *svc = snapshot_find_service(r->s->s, name);
    if (svc && !snapshot_resolve_account(r->s->s, name))
        out->text = svc->account->email;
    else
        out->text = own_account(r, name.p, &e);
    return out->text || report(r, key, n, &e);
}

bool read_service_value(reading *r, const char *key, const node *n, value *out)
{
    span name;
    error e = {0};
    if (!read_text(r, key, n, "a service", &name))
        return false;
    const service *svc = lookup_service(r->s->s, name.p, &e);
    if (!svc)
        return report(r, key, n, &e);
    *out = (value){.text = svc->name, .shown = svc->name};
    return true;
}

bool read_host_value(reading *r, const char *key, const node *n, value *out)
{
    span name;
    if (!read_text(r, key, n, "a host name, as in the header Host", &name))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        const unsigned char c = (unsigned char)name.p[i];
        if (c <= ' ' || c >= 0x7F || strchr("/@\\\"", c) || name.n > HOST_MAX) {
            expected(&r->l, key, n, "a host name, as in the header Host");
            return false;
        }
    }
    *out = (value){.text = name.p, .shown = name.p};
    return true;
}

bool read_text_value(reading *r, const char *key, const node *n, value *out)
{
    span text;
    if (!read_text(r, key, n, "text", &text))
        return false;
    *out = (value){.text = text.p, .shown = arena_fmt(r->l.mem, "audience %s", text.p)};
    return true;
}

/* What could not stand in a request line is no path. */
bool read_path_value(reading *r, const char *key, const node *n, value *out)
{
    span path;
    if (!read_text(r, key, n, "a path such as /api/items", &path))
        return false;
    bool good = path.p[0] == '/';
    for (size_t i = 0; i < path.n; i++)
        good &= (unsigned char)path.p[i] > ' ' && path.p[i] != 0x7F;
    if (!good) {
        expected(&r->l, key, n, "a path such as /api/items");
        return false;
    }
    *out = (value){.text = path.p, .shown = path.p};
    return true;
}

bool read_header_value(reading *r, const char *key, const node *n, value *out)
{
    static const char *const words[] = {"authorization", "serverless", NULL};
    span name;
    error e = {0};
    token_header h = HEADER_NONE;
    if (!read_text(r, key, n, "authorization or serverless", &name))
        return false;
    if (!token_header_parse(name.p, &h, &e)) {
        diag_at(r->l.diags, n->at, "%s: expected authorization or serverless, found %s%s", key,
                found_text(&r->l, n), diag_suggest(r->l.diags, name, words));
        return false;
    }
    const char *shown = h == HEADER_SERVERLESS ? "X-Serverless-Authorization" : NULL;
    *out = (value){.number = h, .shown = shown};
    return true;
}

bool read_token_value(reading *r, const char *key, const node *n, value *out)
{
    span name;
    error e = {0};
    token_way w = WAY_NONE;
    if (!read_text(r, key, n, "a way to be wrong, such as expired; or valid", &name))
        return false;
    if (!span_eq_str(name, "valid") && !token_way_parse(name, &w, &e))
        return report(r, key, n, &e);
    const char *shown = w ? arena_fmt(r->l.mem, "token %s", token_way_name(w)) : NULL;
    *out = (value){.number = w, .shown = shown};
    return true;
}

bool read_internal_value(reading *r, const char *key, const node *n, value *out)
{
    bool is_internal = false;
    const node name = {.kind = NODE_SCALAR, .text = span_of(key)};
    const node_pair entry = {&name, n};
    const size_t before = diag_count(r->l.diags);
    read_bool(&r->l, &entry, &is_internal);
    *out = (value){.number = is_internal, .shown = is_internal ? "internal" : NULL};
    return diag_count(r->l.diags) == before;
}

/* "+30m", "-1h", or RFC 3339. */
bool read_time_value(reading *r, const char *key, const node *n, value *out)
{
    static const char wanted[] = "a time such as 2030-01-01T00:00:00Z, +30m or -1h";
    span text;
    if (!read_text(r, key, n, wanted, &text))
        return false;
    *out = (value){.shown = arena_fmt(r->l.mem, "at %s", text.p)};
    const char sign = text.p[0];
    if (sign == '+' || sign == '-') {
        out->relative = true;
        if (value_duration_us(span_from(text, 1), &out->number)) {
            out->number = sign == '-' ? -out->number : out->number;
            return true;
        }
    } else if (clock_parse_rfc3339(text, &out->number)) {
        return true;
    }
    expected(&r->l, key, n, wanted);
    return false;
}
