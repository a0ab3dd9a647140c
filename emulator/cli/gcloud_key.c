/* Keys are made as `gcloud iam service-accounts keys create` makes them: by the IAM API v1. */
#include "cli/gcloud_key.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/span.h"
#include "cli/control_client.h"
#include "jose/base64.h"

/* gcloud's own id as an OAuth client: what its users' ID tokens are made for. */
#define CLIENT_ID "32555940559.apps.googleusercontent.com"

enum { TEXT_MAX = 64 * 1024, PATH_MAX_ = 1024, KEY_FILE_MAX = 16 * 1024 };

static char *to_text(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    if (!text)
        abort();
    return text;
}

/* ---- asking the gateway ---- */

/* Google's error text, of an API or of the token endpoint, else the status. */
static bool refused(const control_reply *r, error *e)
{
    json_auto_t *body = json_loadb(r->body, r->n, 0, NULL);
    const char *text =
        json_string_value(json_object_get(json_object_get(body, "error"), "message"));
    if (!text)
        text = json_string_value(json_object_get(body, "error_description"));
    return text ? error_set(e, ERR_INVALID, "%s", text)
                : error_set(e, ERR_INVALID, "status %u", r->status);
}

/* The answer as JSON, or NULL; *out_status (nullable) is 0 when there was none at all. */
static json_t *ask(const char *control, const control_request *r, unsigned *out_status, error *e)
{
    control_reply reply;
    if (out_status)
        *out_status = 0;
    if (!control_send(control, r, &reply, e))
        return NULL;
    json_t *answer = NULL;
    if (out_status)
        *out_status = reply.status;
    if (reply.status != 200)
        refused(&reply, e);
    else if (!(answer = json_loadb(reply.body, reply.n, 0, NULL)))
        error_set(e, ERR_INVALID, "%s %s: the answer is no JSON", r->method, r->path);
    free(reply.body);
    return answer;
}

char *gcloud_user_token(const char *control, const char *user, error *e)
{
    auto_buf buf form = buf_make(TEXT_MAX);
    buf_str(&form, "grant_type=refresh_token&client_id=" CLIENT_ID "&client_secret=none"
                   "&refresh_token=");
    buf_percent(&form, span_of(user));
    const control_request r = {.method = "POST",
                               .path = "/token",
                               .body = form.p,
                               .type = "application/x-www-form-urlencoded"};
    json_auto_t *answer = ask(control, &r, NULL, e);
    const char *token = json_string_value(json_object_get(answer, "access_token"));
    if (answer && !token)
        error_set(e, ERR_INVALID, "the token endpoint's answer has no access_token");
    return token ? span_dup(span_of(token)) : NULL;
}

static void keys_path(const char *email, const char *id, buf *b)
{
    buf_str(b, "/v1/projects/-/serviceAccounts/");
    buf_percent(b, span_of(email));
    buf_str(b, "/keys");
    if (id) {
        buf_char(b, '/');
        buf_percent(b, span_of(id));
    }
}

/* ---- keys ---- */

/* The id of a key file that says where this gateway's token endpoint is, and whether it does: the
 * answer of the API names Google's. */
static const char *adopt(json_t *key, const char *control, const char *email)
{
    auto_buf buf uri = buf_make(PATH_MAX_);
    buf_fmt(&uri, "http://%s/token", control);
    const char *type = json_string_value(json_object_get(key, "type"));
    const char *owner = json_string_value(json_object_get(key, "client_email"));
    const char *id = json_string_value(json_object_get(key, "private_key_id"));
    const bool good = type && strcmp(type, "service_account") == 0 && owner &&
                      strcmp(owner, email) == 0 && id && buf_ok(&uri) &&
                      json_object_set_new(key, "token_uri", json_string(uri.p)) == 0;
    return good ? id : NULL;
}

static char *make_key(const gcloud_key *k, error *e)
{
    auto_buf buf path = buf_make(PATH_MAX_), text = buf_make(KEY_FILE_MAX);
    keys_path(k->email, NULL, &path);
    const control_request r = {
        .method = "POST", .path = path.p, .body = "{}", .bearer = k->user_token};
    json_auto_t *answer = ask(k->control, &r, NULL, e);
    const char *data = json_string_value(json_object_get(answer, "privateKeyData"));
    if (!answer)
        return NULL;
    json_auto_t *key = data && base64_decode(span_of(data), &text)
                           ? json_loadb(text.p ? text.p : "", text.n, 0, NULL)
                           : NULL;
    const char *id = adopt(key, k->control, k->email);
    if (!id) {
        error_set(e, ERR_INVALID, "the answer has no key file in it");
        return NULL;
    }
    auto_free char *content = to_text(key);
    return file_replace(k->file, content, strlen(content), 0600, e) ? span_dup(span_of(id)) : NULL;
}

typedef enum kept { KEPT_GOOD, KEPT_STALE, KEPT_UNKNOWN } kept;

/* KEPT_GOOD: *out_id, which the caller frees. KEPT_UNKNOWN: the gateway does not say, *e. */
static kept kept_key(const gcloud_key *k, char **out_id, error *e)
{
    size_t n;
    unsigned status;
    auto_free char *text = file_read(k->file, KEY_FILE_MAX, &n, NULL);
    json_auto_t *key = text ? json_loadb(text, n, 0, NULL) : NULL;
    const char *id = adopt(key, k->control, k->email);
    if (!id)
        return KEPT_STALE;
    auto_buf buf path = buf_make(PATH_MAX_);
    keys_path(k->email, id, &path);
    const control_request r = {.method = "GET", .path = path.p, .bearer = k->user_token};
    json_auto_t *known = ask(k->control, &r, &status, e);
    if (!known)
        return status == 404 ? KEPT_STALE : KEPT_UNKNOWN;
    if (json_is_true(json_object_get(known, "disabled")))
        return KEPT_STALE;
    *out_id = span_dup(span_of(id));
    return KEPT_GOOD;
}

char *gcloud_key_provide(const gcloud_key *k, error *e)
{
    char *id = NULL;
    if (kept_key(k, &id, e) == KEPT_STALE)
        id = make_key(k, e);
    if (!id)
        error_wrap(e, "no key of %s", k->email);
    return id;
}
