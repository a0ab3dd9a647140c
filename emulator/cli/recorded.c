/* JSON → struct, strictly: what a recording says is what is judged again. */
#include "cli/recorded.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decision/evidence.h"

/* ---- values ---- */

static bool read_text(const json_t *o, const char *key, const char **out, error *e)
{
    const json_t *v = json_object_get(o, key);
    *out = v ? json_string_value(v) : "";
    return *out || error_set(e, ERR_INVALID, "\"%s\" is not a string", key);
}

static bool read_flag(const json_t *o, const char *key, bool without, bool *out, error *e)
{
    const json_t *v = json_object_get(o, key);
    if (v && !json_is_boolean(v))
        return error_set(e, ERR_INVALID, "\"%s\" is neither true nor false", key);
    *out = v ? json_is_true(v) : without;
    return true;
}

static bool is_no_word(const char *key, const char *text, error *e)
{
    return error_set(e, ERR_INVALID, "\"%s\" is none of its words: %.80s", key,
                     text ? text : "missing");
}

static bool read_header(const json_t *o, token_header *out, error *e)
{
    const char *text = json_string_value(json_object_get(o, "header"));
    for (token_header h = HEADER_NONE; text && h <= HEADER_SERVERLESS; h++)
        if (strcmp(token_header_name(h), text) == 0) {
            *out = h;
            return true;
        }
    return is_no_word("header", text, e);
}

static bool read_token(const json_t *o, token_state *out, error *e)
{
    const char *text = json_string_value(json_object_get(o, "token"));
    for (token_state t = TOKEN_ABSENT; text && t <= TOKEN_UNCHECKED; t++)
        if (strcmp(token_state_name(t), text) == 0) {
            *out = t;
            return true;
        }
    return is_no_word("token", text, e);
}

static bool read_time(const json_t *o, recorded *r, error *e)
{
    const char *text = json_string_value(json_object_get(o, "timestamp"));
    if (!text)
        return error_set(e, ERR_INVALID, "no decision: \"timestamp\" is missing");
    return clock_parse_rfc3339(span_of(text), &r->time_us) ||
           error_set(e, ERR_INVALID, "\"timestamp\" is no time: %.80s", text);
}

static bool read_reason(const json_t *o, recorded *r, error *e)
{
    const char *name;
    if (!read_text(o, "reason", &name, e))
        return false;
    r->decided = *name;
    return !*name || reason_by_name(span_of(name), &r->reason) ||
           error_set(e, ERR_INVALID, "no reason of a decision is called \"%.80s\"", name);
}

/* ---- facts ---- */

static bool read_claims(const json_t *facts, recorded_facts *out, error *e)
{
    const json_t *o = json_object_get(facts, "claims");
    if (!o)
        return true;
    auto_free char *text = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        return error_set(e, ERR_INVALID, "the claims cannot be read");
    out->claims = claims_parse(span_of(text), e);
    return out->claims || error_wrap(e, "claims");
}

static bool read_facts(const json_t *o, recorded *r, error *e)
{
    const json_t *facts = json_object_get(o, "facts");
    recorded_facts *f = &r->facts;
    if (!facts)
        return true;
    if (!read_flag(facts, "by_run_app_host", false, &f->by_run_app_host, e) ||
        !read_flag(facts, "internal", false, &f->internal, e) ||
        !read_flag(facts, "reserved_path", false, &f->reserved_path, e) ||
        !read_header(facts, &f->header, e) || !read_token(facts, &f->token, e) ||
        !read_claims(facts, f, e))
        return error_wrap(e, "facts");
    if (f->token == TOKEN_VERIFIED && !f->claims)
        return error_set(e, ERR_INVALID, "facts: a verified token without claims");
    r->has_facts = true;
    return true;
}

static bool read_status(const json_t *o, recorded *r, error *e)
{
    const json_t *status = json_object_get(o, "status");
    const json_int_t code = json_integer_value(status);
    if (status && (!json_is_integer(status) || code < 0 || code > 999))
        return error_set(e, ERR_INVALID, "\"status\" is no status");
    r->status = (unsigned)code;
    return true;
}

static bool read_texts(const json_t *o, recorded *r, error *e)
{
    const struct {
        const char *key, **into;
    } texts[] = {{"id", &r->id},
                 {"service", &r->service},
                 {"method", &r->method},
                 {"path", &r->path},
                 {"host", &r->host},
                 {"caller", &r->caller},
                 {"explanation", &r->explanation},
                 {"fix", &r->fix}};
    for (size_t i = 0; i < countof(texts); i++)
        if (!read_text(o, texts[i].key, texts[i].into, e))
            return false;
    return true;
}

static bool read_all(const json_t *o, recorded *r, error *e)
{
    if (!json_is_object(o))
        return error_set(e, ERR_INVALID, "no decision: not a JSON object");
    return read_time(o, r, e) && read_status(o, r, e) && read_texts(o, r, e) &&
           read_reason(o, r, e) && read_flag(o, "enforced", true, &r->enforced, e) &&
           read_facts(o, r, e);
}

bool recorded_read(const json_t *json, recorded *out, error *e)
{
    *out = (recorded){.enforced = true};
    if (!read_all(json, out, e)) {
        recorded_free(out);
        return false;
    }
    out->allowed = out->decided && reason_info(out->reason)->allows;
    return true;
}

void recorded_free(recorded *r)
{
    claims_free(r->facts.claims);
    r->facts.claims = NULL;
}
