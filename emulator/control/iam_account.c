/* What the handlers for service accounts share. */
#include "control/iam_account.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "control/iam_etag.h"
#include "state/merge.h"

void iam_account_resource(const char *email, char out[ACCOUNT_KEY_TEXT])
{
    (void)snprintf(out, ACCOUNT_KEY_TEXT, "serviceAccounts/%s", email);
}

const account *iam_account_of(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return NULL;
    const account *a = snapshot_find_account(api_snapshot(c), span_of(c->params[1]));
    if (!a)
        api_fail(c, API_NOT_FOUND, "Unknown service account");
    return a;
}

/* ---- as JSON ---- */

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_string(text));
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static json_t *show(const api_call *c, const account *a)
{
    const char *id = snapshot_project(api_snapshot(c))->id;
    char etag[ETAG_TEXT];
    json_t *out = json_object();
    set_text(out, "email", a->email);
    set_text(out, "uniqueId", a->unique_id);
    set_text(out, "displayName", a->display_name);
    set_text(out, "description", a->description);
    if (a->disabled)
        json_object_set_new(out, "disabled", json_true());
    etag_make(out, (span){0}, etag);
    set_text(out, "etag", etag);
    json_object_set_new(out, "name", json_sprintf("projects/%s/serviceAccounts/%s", id, a->email));
    set_text(out, "projectId", id);
    set_text(out, "oauth2ClientId", a->unique_id);
    return out;
}

json_t *iam_account_json(const api_call *c, const account *a)
{
    return show(c, a);
}

json_t *iam_account_json_of(const api_call *c, const char *email, const json_t *entry)
{
    const account a = {.email = email,
                       .unique_id = text_of(entry, "uniqueId"),
                       .display_name = text_of(entry, "displayName"),
                       .description = text_of(entry, "description"),
                       .disabled = json_is_true(json_object_get(entry, "disabled"))};
    return show(c, &a);
}

/* ---- in the state ---- */

json_t *iam_account_entry(const api_call *c, const account *a)
{
    const json_t *entry = api_entry(c, "accounts", a->email);
    if (entry && state_account_counts(api_base(c), a->email, entry))
        return json_deep_copy(entry);
    json_t *out = json_object();
    set_text(out, "uniqueId", a->unique_id);
    set_text(out, "displayName", a->display_name);
    set_text(out, "description", a->description);
    json_object_set_new(out, "disabled", json_boolean(a->disabled));
    return out;
}

void iam_account_put(const api_call *c, json_t *draft, const char *email, json_t *entry)
{
    char over[FINGERPRINT_TEXT];
    fingerprint_account(api_base(c), email, over);
    json_object_del(entry, "over");
    set_text(entry, "over", over);
    state_set(draft, "accounts", email, entry);
}

void iam_account_commit(api_call *c, const char *email, json_t *entry, json_t *reply)
{
    json_t *draft = api_draft(c);
    iam_account_put(c, draft, email, entry);
    api_commit(c, draft, 200, reply);
}

/* ---- requests ---- */

bool iam_page_of(api_call *c, size_t otherwise, size_t most, size_t total, iam_page *out)
{
    auto_buf buf size_text = buf_make(32), token = buf_make(32);
    uint64_t size = 0, from = 0;
    if (api_query(c, "pageSize", &size_text) && !span_u64(buf_view(&size_text), INT32_MAX, &size)) {
        api_fail(c, API_INVALID_ARGUMENT, "Page size must be a number from 0 to %zu.", most);
        return false;
    }
    if (api_query(c, "pageToken", &token) && token.n > 0 &&
        (!buf_ok(&token) || !span_u64(buf_view(&token), INT32_MAX, &from))) {
        api_fail(c, API_INVALID_ARGUMENT, "The page token is none that this list gave out.");
        return false;
    }
    if (size == 0)
        size = otherwise;
    if (size > most)
        size = most;
    *out = (iam_page){.from = from < total ? (size_t)from : total};
    out->to = total - out->from > size ? out->from + (size_t)size : total;
    if (out->to < total)
        (void)snprintf(out->next, sizeof out->next, "%zu", out->to);
    return true;
}

bool iam_text(api_call *c, const json_t *object, const char *key, size_t most, const char **out)
{
    const json_t *v = json_object_get(object, key);
    *out = json_string_value(v);
    if (v && !json_is_null(v) && !*out) {
        api_fail(c, API_INVALID_ARGUMENT, "Invalid value at '%s' (TYPE_STRING)", key);
        return false;
    }
    if (json_string_length(v) > most) {
        api_fail(c, API_INVALID_ARGUMENT, "The %s is longer than %zu bytes.", key, most);
        return false;
    }
    return true;
}

bool iam_mask_has(span mask, const char *camel, const char *snake)
{
    span field;
    while (mask.n > 0) {
        (void)span_cut(&mask, ',', &field);
        field = span_trim(field);
        if (span_eq_str(field, camel) || span_eq_str(field, snake))
            return true;
    }
    return false;
}
