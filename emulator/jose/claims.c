/* JWT payload → plain struct, in one allocation: struct, list of audiences, then the texts. */
#include "jose/claims.h"

#include <stdlib.h>

#include "jose/claims_internal.h"

enum { AUDIENCES_MAX = 32, DEPTH_MAX = 16 };

/* 2^53: up to here a JSON number means one integer in every implementation (RFC 8259 §6). */
static const double NUMBER_MAX = 9007199254740992.0;

/* The payload's values while they still belong to jansson. */
typedef struct view {
    claims c;
    const char *aud[AUDIENCES_MAX];
} view;

static bool read_string(const json_t *o, const char *name, const char **out, error *e)
{
    if (json_strict_string(o, name, out))
        return true;
    return error_set(e, ERR_INVALID, "claim \"%s\" is not a string", name);
}

static bool read_time(const json_t *o, const char *name, bool *out_has, int64_t *out, error *e)
{
    const json_t *value = json_object_get(o, name);
    if (!value)
        return true;
    if (!json_is_number(value))
        return error_set(e, ERR_INVALID, "claim \"%s\" is not a number (seconds since 1970)", name);
    const double seconds = json_number_value(value);
    if (!(seconds >= 0 && seconds <= NUMBER_MAX))
        return error_set(e, ERR_INVALID, "claim \"%s\" is outside 0..2^53", name);
    *out_has = true;
    *out = (int64_t)seconds;
    return true;
}

static bool read_audience(const json_t *o, view *v, error *e)
{
    const json_t *aud = json_object_get(o, "aud");
    if (!aud)
        return true;
    if (json_is_string(aud)) {
        v->aud[0] = json_string_value(aud);
        v->c.aud_count = 1;
        return true;
    }
    if (!json_is_array(aud))
        return error_set(e, ERR_INVALID, "claim \"aud\" is neither a string nor a list of strings");
    const size_t n = json_array_size(aud);
    if (n > AUDIENCES_MAX)
        return error_set(e, ERR_LIMIT, "claim \"aud\" lists %zu audiences, at most %d are read", n,
                         AUDIENCES_MAX);
    for (size_t i = 0; i < n; i++) {
        v->aud[i] = json_string_value(json_array_get(aud, i));
        if (!v->aud[i])
            return error_set(e, ERR_INVALID, "claim \"aud\" lists something that is not a string");
    }
    v->c.aud_count = n;
    return true;
}

static bool read_email(const json_t *o, claims *c, error *e)
{
    if (!read_string(o, "email", &c->email, e))
        return false;
    const json_t *verified = json_object_get(o, "email_verified");
    if (verified && !json_is_boolean(verified))
        return error_set(e, ERR_INVALID, "claim \"email_verified\" is neither true nor false");
    c->email_verified = json_is_true(verified);
    return true;
}

static bool read_all(const json_t *o, view *v, error *e)
{
    claims *c = &v->c;
    const char *jti = NULL;
    return read_string(o, "iss", &c->iss, e) && read_string(o, "sub", &c->sub, e) &&
           read_string(o, "azp", &c->azp, e) && read_string(o, "jti", &jti, e) &&
           read_email(o, c, e) && read_audience(o, v, e) &&
           read_time(o, "exp", &c->has_exp, &c->exp_s, e) &&
           read_time(o, "iat", &c->has_iat, &c->iat_s, e) &&
           read_time(o, "nbf", &c->has_nbf, &c->nbf_s, e);
}

static size_t text_size(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static const char *move_text(char **at, const char *s)
{
    if (!s)
        return NULL;
    const size_t n = strlen(s) + 1;
    char *copy = memcpy(*at, s, n);
    *at += n;
    return copy;
}

/* The list of audiences stands right behind the struct, so both must share an alignment. */
typedef struct block {
    claims c;
    const char *aud[];
} block;

static claims *pack(const view *v)
{
    const claims *c = &v->c;
    size_t text = text_size(c->iss) + text_size(c->sub) + text_size(c->azp) + text_size(c->email);
    for (size_t i = 0; i < c->aud_count; i++)
        text += text_size(v->aud[i]);
    block *b = malloc(sizeof *b + c->aud_count * sizeof b->aud[0] + text);
    if (!b)
        abort();
    b->c = *c;
    char *at = (char *)(b->aud + c->aud_count);
    b->c.iss = move_text(&at, c->iss);
    b->c.sub = move_text(&at, c->sub);
    b->c.azp = move_text(&at, c->azp);
    b->c.email = move_text(&at, c->email);
    for (size_t i = 0; i < c->aud_count; i++)
        b->aud[i] = move_text(&at, v->aud[i]);
    b->c.aud = c->aud_count ? b->aud : NULL;
    return &b->c;
}

claims *claims_read(span json, json_verdict *out_verdict, error *e)
{
    json_auto_t *o = json_strict_object("the payload", json, DEPTH_MAX, out_verdict, e);
    if (!o)
        return NULL;
    view v;
    v.c = (claims){0};
    if (!read_all(o, &v, e)) {
        *out_verdict = JSON_FORBIDDEN;
        return NULL;
    }
    return pack(&v);
}

claims *claims_parse(span json, error *e)
{
    json_verdict verdict;
    return claims_read(json, &verdict, e);
}

void claims_free(claims *c)
{
    free(c); /* everything lies in one block that begins with the struct */
}
