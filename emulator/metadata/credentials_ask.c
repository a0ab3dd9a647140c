/* Reading requests as ProtoJSON does: names in camelCase or snake_case, null for absent, unknown
 * names refused. */
#include "metadata/credentials_ask.h"

#include "jose/base64.h"
#include "jose/json_strict.h"
#include "metadata/access.h"
#include "metadata/identity.h"

enum { BLOB_MAX = 64 * 1024, DEPTH_MAX = 16 };

#define ACCOUNTS "projects/-/serviceAccounts/"
#define LIFETIME_EXTENSION                                                                         \
    "The access token lifetime cannot exceed 3600 seconds. If a lifetime greater than 3600 "       \
    "seconds is required, please add the service account as an allowed value in an Organization "  \
    "Policy that enforces the `constraints/iam.allowServiceAccountCredentialLifetimeExtension` "   \
    "constraint."

typedef bool read_fn(const json_t *value, int64_t now_s, credentials_ask *out, error *e);

static bool wrong(error *e, const char *name, const char *what)
{
    return error_set(e, ERR_INVALID, "Invalid value at '%s': %s", name, what);
}

static span text_of(const json_t *value)
{
    return (span){json_string_value(value), json_string_length(value)};
}

bool credentials_account_name(span text, span *out, error *e)
{
    const span prefix = SPAN_LIT(ACCOUNTS);
    if (span_starts(text, prefix))
        text = span_from(text, prefix.n);
    if (text.n == 0 || span_find(text, '/') < text.n)
        return error_set(e, ERR_INVALID,
                         "Invalid service account name '%.*s': expected " ACCOUNTS
                         "{ACCOUNT_EMAIL_OR_UNIQUEID}",
                         text.n > 200 ? 200 : (int)text.n, text.p);
    *out = text;
    return true;
}

static bool read_delegates(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    if (!json_is_array(value))
        return wrong(e, "delegates", "expected a list of service account names");
    if (json_array_size(value) > CREDENTIALS_DELEGATES_MAX)
        return wrong(e, "delegates", "at most 16 service accounts can be in a chain");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        if (!json_is_string(one))
            return wrong(e, "delegates", "expected a list of service account names");
        if (!credentials_account_name(text_of(one), &out->delegates[out->delegate_count++], e))
            return false;
    }
    return true;
}

/* One word of what RFC 6749 §3.3 allows. */
static bool is_scope(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return s.n > 0;
}

static bool read_scope(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    auto_buf buf list = buf_make(ACCESS_SCOPES_TEXT_MAX);
    const bool one = json_is_string(value);
    if (!one && !json_is_array(value))
        return wrong(e, "scope", "expected a list of OAuth 2.0 scopes");
    for (size_t i = 0; i < (one ? 1 : json_array_size(value)); i++) {
        const json_t *s = one ? value : json_array_get(value, i);
        if (!json_is_string(s) || !is_scope(text_of(s)))
            return wrong(e, "scope", "not a valid OAuth 2.0 scope");
        buf_span(&list, text_of(s));
        buf_char(&list, ' ');
    }
    if (!list.n)
        return true;
    out->scopes = buf_make(ACCESS_SCOPES_TEXT_MAX);
    return (buf_ok(&list) && access_scopes(buf_view(&list), ' ', &out->scopes)) ||
           wrong(e, "scope", "too many OAuth 2.0 scopes");
}

/* A google.protobuf.Duration as JSON: "3600s", "1.5s". */
static bool duration(span text, int64_t *out_s)
{
    uint64_t seconds, part = 0;
    span whole;
    if (text.n < 2 || text.p[text.n - 1] != 's')
        return false;
    text.n--;
    const bool fraction = span_cut(&text, '.', &whole);
    if (fraction && (text.n > 9 || !span_u64(text, UINT64_MAX, &part)))
        return false;
    if (!span_u64(whole, 315576000000, &seconds))
        return false;
    *out_s = (int64_t)seconds + (part > 0);
    return true;
}

static bool read_lifetime(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    if (!json_is_string(value) || !duration(text_of(value), &out->lifetime_s))
        return wrong(e, "lifetime", "expected a duration such as \"3600s\"");
    if (out->lifetime_s == 0)
        return wrong(e, "lifetime", "the lifetime must be positive");
    return out->lifetime_s <= CREDENTIALS_LIFETIME_S ||
           error_set(e, ERR_INVALID, LIFETIME_EXTENSION);
}

static bool read_audience(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    if (!json_is_string(value))
        return wrong(e, "audience", "expected a string");
    out->audience = text_of(value);
    return out->audience.n <= AUDIENCE_MAX || wrong(e, "audience", "longer than 8192 bytes");
}

static bool read_flag(const json_t *value, const char *name, bool *out, error *e)
{
    *out = json_is_true(value);
    return json_is_boolean(value) || wrong(e, name, "expected true or false");
}

static bool read_include_email(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    return read_flag(value, "include_email", &out->include_email, e);
}

static bool read_email_azp(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    return read_flag(value, "use_email_azp", &out->email_azp, e);
}

/* There is no organization here whose number could be told. */
static bool read_organization(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    (void)out;
    bool ignored;
    return read_flag(value, "organization_number_included", &ignored, e);
}

static bool read_blob(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    (void)now_s;
    out->blob = buf_make(BLOB_MAX);
    return (json_is_string(value) && base64_decode(text_of(value), &out->blob) &&
            buf_ok(&out->blob)) ||
           wrong(e, "payload", "expected base64 of at most 65536 bytes");
}

/* "an integer timestamp that is not in the past and no more than 12 hours in the future" */
static bool read_claims(const json_t *value, int64_t now_s, credentials_ask *out, error *e)
{
    if (!json_is_string(value))
        return wrong(e, "payload", "expected the claims as a JSON string");
    error why = {0};
    json_auto_t *claims = json_strict_object("it", text_of(value), DEPTH_MAX, NULL, &why);
    if (!claims)
        return wrong(e, "payload", "it must be a serialized JSON object of claims");
    const json_t *exp = json_object_get(claims, "exp");
    if (exp && !json_is_integer(exp))
        return wrong(e, "payload", "\"exp\" must be an integer timestamp");
    if (exp && (json_integer_value(exp) <= now_s ||
                json_integer_value(exp) > now_s + CREDENTIALS_JWT_LIFETIME_S))
        return wrong(e, "payload",
                     "\"exp\" must not be in the past and no more than 12 hours in the future");
    out->claims = text_of(value);
    return true;
}

#define TOKEN (1U << CREDENTIALS_ACCESS_TOKEN)
#define ID    (1U << CREDENTIALS_ID_TOKEN)
#define BLOB  (1U << CREDENTIALS_SIGN_BLOB)
#define JWT   (1U << CREDENTIALS_SIGN_JWT)
#define ALL   (TOKEN | ID | BLOB | JWT)

static const struct field {
    const char *name, *snake;
    unsigned methods;
    read_fn *read;
} fields[] = {
    {"delegates", NULL, ALL, read_delegates},
    {"scope", NULL, TOKEN, read_scope},
    {"lifetime", NULL, TOKEN, read_lifetime},
    {"audience", NULL, ID, read_audience},
    {"includeEmail", "include_email", ID, read_include_email},
    {"useEmailAzp", "use_email_azp", ID, read_email_azp},
    {"organizationNumberIncluded", "organization_number_included", ID, read_organization},
    {"payload", NULL, BLOB, read_blob},
    {"payload", NULL, JWT, read_claims},
};

static const struct field *field_of(credentials_method method, const char *name)
{
    for (size_t i = 0; i < countof(fields); i++) {
        const struct field *f = &fields[i];
        if ((f->methods & 1U << method) &&
            (strcmp(f->name, name) == 0 || (f->snake && strcmp(f->snake, name) == 0)))
            return f;
    }
    return NULL;
}

static bool lacks_something(credentials_method method, const credentials_ask *a, error *e)
{
    switch (method) {
    case CREDENTIALS_ACCESS_TOKEN:
        return a->scopes.n == 0 && !wrong(e, "scope", "at least one OAuth 2.0 scope is required");
    case CREDENTIALS_ID_TOKEN:
        return a->audience.n == 0 && !wrong(e, "audience", "an audience is required");
    case CREDENTIALS_SIGN_BLOB:
        return a->blob.n == 0 && !wrong(e, "payload", "a payload is required");
    case CREDENTIALS_SIGN_JWT:
        return a->claims.n == 0 && !wrong(e, "payload", "a payload is required");
    }
    abort();
}

bool credentials_ask_parse(credentials_method method, span body, int64_t now_s,
                           credentials_ask *out, error *e)
{
    out->lifetime_s = CREDENTIALS_LIFETIME_S;
    const span nothing = SPAN_LIT("{}");
    error why = {0};
    out->json =
        json_strict_object("the request body", body.n ? body : nothing, DEPTH_MAX, NULL, &why);
    if (!out->json)
        return error_set(e, ERR_INVALID, "Invalid JSON payload received: %s", why.text);
    const char *name;
    json_t *value;
    json_object_foreach (out->json, name, value) {
        const struct field *f = field_of(method, name);
        if (!f)
            return error_set(
                e, ERR_INVALID,
                "Invalid JSON payload received. Unknown name \"%.100s\": Cannot find field.", name);
        if (!json_is_null(value) && !f->read(value, now_s, out, e))
            return false;
    }
    return !lacks_something(method, out, e);
}

void credentials_ask_clear(credentials_ask *a)
{
    buf_free(&a->scopes);
    buf_free(&a->blob);
    json_decref(a->json);
    *a = (credentials_ask){0};
}
