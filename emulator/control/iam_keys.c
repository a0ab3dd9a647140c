/* IAM v1, keys of service accounts ("IAM API: REST Resource projects.serviceAccounts.keys"). What
 * is kept is the public half; the private one is in the answer to the creation, and nowhere else.
 */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "control/iam_account.h"
#include "control/iam_key_file.h"
#include "control/iam_routes.h"
#include "jose/account_key.h"
#include "jose/base64.h"

enum { KEYS_MAX_USER_MANAGED = 10, TEXT_MAX = 64 * 1024 };

/* As IAM says of a key that does not expire. */
#define NEVER "9999-12-31T23:59:59Z"

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- as JSON ---- */

static json_t *base64_of(const char *text)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    base64_encode(&b, text, strlen(text));
    return json_string(b.p);
}

static json_t *show(const api_call *c, const account *a, const json_t *key)
{
    const bool uploaded = json_is_true(json_object_get(key, "uploaded"));
    json_t *out =
        json_pack("{s:o, s:s, s:s, s:s, s:s, s:s}", "name",
                  json_sprintf("projects/%s/serviceAccounts/%s/keys/%s",
                               snapshot_project(api_snapshot(c))->id, a->email, text_of(key, "id")),
                  "validAfterTime", text_of(key, "validAfter"), "validBeforeTime",
                  text_of(key, "validBefore"), "keyAlgorithm", "KEY_ALG_RSA_2048", "keyOrigin",
                  uploaded ? "USER_PROVIDED" : "GOOGLE_PROVIDED", "keyType", "USER_MANAGED");
    if (json_is_true(json_object_get(key, "disabled")))
        json_object_set_new(out, "disabled", json_true());
    return out;
}

/* ---- finding ---- */

static json_t *keys_of(const json_t *entry)
{
    return json_object_get(entry, "keys");
}

static size_t index_of(const json_t *keys, const char *id)
{
    size_t i = 0;
    while (i < json_array_size(keys) && strcmp(text_of(json_array_get(keys, i), "id"), id) != 0)
        i++;
    return i;
}

/* The account's entry (owned by the caller) and which of its keys the path names. NULL: answered.
 */
static json_t *find_key(api_call *c, const account **out_account, size_t *out_index)
{
    const account *a = iam_account_of(c);
    if (!a)
        return NULL;
    json_t *entry = iam_account_entry(c, a);
    *out_index = index_of(keys_of(entry), c->params[2]);
    *out_account = a;
    if (*out_index < json_array_size(keys_of(entry)))
        return entry;
    json_decref(entry);
    api_fail(c, API_NOT_FOUND, "Service account key %.64s does not exist.", c->params[2]);
    return NULL;
}

/* ---- reading ---- */

void iam_keys_list(api_call *c)
{
    const account *a = iam_account_of(c);
    if (!a)
        return;
    auto_buf buf types = buf_make(64);
    json_auto_t *entry = iam_account_entry(c, a);
    json_t *keys = json_array();
    const bool system_only =
        api_query(c, "keyTypes", &types) && span_eq_str(buf_view(&types), "SYSTEM_MANAGED");
    for (size_t i = 0; !system_only && i < json_array_size(keys_of(entry)); i++)
        json_array_append_new(keys, show(c, a, json_array_get(keys_of(entry), i)));
    api_reply(c, 200, json_pack("{s:o}", "keys", keys));
}

void iam_keys_get(api_call *c)
{
    const account *a;
    size_t i;
    auto_buf buf type = buf_make(64);
    json_auto_t *entry = find_key(c, &a, &i);
    if (!entry)
        return;
    const json_t *key = json_array_get(keys_of(entry), i);
    const char *field = NULL;
    if (api_query(c, "publicKeyType", &type))
        field = span_eq_str(buf_view(&type), "TYPE_X509_PEM_FILE")    ? "certificate"
                : span_eq_str(buf_view(&type), "TYPE_RAW_PUBLIC_KEY") ? "publicKey"
                                                                      : NULL;
    json_t *reply = show(c, a, key);
    if (field && text_of(key, field))
        json_object_set_new(reply, "publicKeyData", base64_of(text_of(key, field)));
    api_reply(c, 200, reply);
}

/* What anybody may know of an account's keys: {"KEY ID":"CERTIFICATE"}. */
void iam_keys_certificates(api_call *c)
{
    const account *a = snapshot_find_account(api_snapshot(c), span_of(c->params[0]));
    if (!a) {
        api_fail(c, API_NOT_FOUND, "Unknown service account");
        return;
    }
    json_auto_t *entry = iam_account_entry(c, a);
    json_t *reply = json_object();
    for (size_t i = 0; i < json_array_size(keys_of(entry)); i++) {
        const json_t *key = json_array_get(keys_of(entry), i);
        if (!json_is_true(json_object_get(key, "disabled")))
            json_object_set(reply, text_of(key, "id"), json_object_get(key, "certificate"));
    }
    api_reply(c, 200, reply);
}

/* ---- creating ---- */

static json_t *key_entry(const account_key *key, const char *from, bool uploaded)
{
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", key->id, "publicKey", key->public_pem,
                  "certificate", key->certificate, "validAfter", from, "validBefore", NEVER);
    if (uploaded)
        json_object_set_new(out, "uploaded", json_true());
    return out;
}

/* Adds the key (stolen) to a copy of the account's entry; NULL: answered, it has too many or this
 * one. */
static json_t *with_key(api_call *c, const account *a, json_t *key)
{
    json_t *entry = iam_account_entry(c, a);
    if (!keys_of(entry))
        json_object_set_new(entry, "keys", json_array());
    json_t *keys = keys_of(entry);
    if (json_array_size(keys) >= KEYS_MAX_USER_MANAGED)
        api_fail(c, API_FAILED_PRECONDITION,
                 "Precondition check failed: %s has %d keys, which is as many as an account can "
                 "have; delete one first.",
                 a->email, KEYS_MAX_USER_MANAGED);
    else if (index_of(keys, text_of(key, "id")) < json_array_size(keys))
        api_fail(c, API_ALREADY_EXISTS, "Service account key %s already exists.",
                 text_of(key, "id"));
    else {
        json_array_append_new(keys, key);
        return entry;
    }
    json_decref(key);
    json_decref(entry);
    return NULL;
}

static bool check_wishes(api_call *c)
{
    const char *type = text_of(c->body, "privateKeyType");
    const char *algorithm = text_of(c->body, "keyAlgorithm");
    if (type && strcmp(type, "TYPE_GOOGLE_CREDENTIALS_FILE") != 0 &&
        strcmp(type, "TYPE_UNSPECIFIED") != 0)
        api_fail(c, API_INVALID_ARGUMENT,
                 "privateKeyType %.64s is not made here: TYPE_GOOGLE_CREDENTIALS_FILE (gcloud's "
                 "--key-file-type=json) is.",
                 type);
    else if (algorithm && strcmp(algorithm, "KEY_ALG_RSA_2048") != 0 &&
             strcmp(algorithm, "KEY_ALG_UNSPECIFIED") != 0)
        api_fail(c, API_INVALID_ARGUMENT,
                 "keyAlgorithm %.64s is not made here: KEY_ALG_RSA_2048 is.", algorithm);
    else
        return true;
    return false;
}

void iam_keys_create(api_call *c)
{
    const account *a = iam_account_of(c);
    account_key key;
    error e = {0};
    char now[CLOCK_RFC3339_MAX];
    if (!a || !check_wishes(c))
        return;
    clock_rfc3339(api_now_us(c), 0, now);
    if (!account_key_generate(&key, a->unique_id, api_now_us(c) / 1000000, &e)) {
        api_fail(c, API_INTERNAL, "no key could be made: %s", e.text);
        return;
    }
    json_t *kept = key_entry(&key, now, false);
    json_t *entry = with_key(c, a, kept);
    if (entry) {
        json_t *reply = show(c, a, kept);
        json_object_set_new(reply, "privateKeyType", json_string("TYPE_GOOGLE_CREDENTIALS_FILE"));
        json_object_set_new(reply, "privateKeyData", iam_key_file(c, a, &key));
        iam_account_commit(c, a->email, entry, reply);
    }
    account_key_clear(&key);
}

void iam_keys_upload(api_call *c)
{
    const account *a = iam_account_of(c);
    account_key key;
    error e = {0};
    char now[CLOCK_RFC3339_MAX];
    auto_buf buf pem = buf_make(TEXT_MAX);
    if (!a)
        return;
    const char *data = text_of(c->body, "publicKeyData");
    if (!data || !base64_decode(span_of(data), &pem) || !buf_ok(&pem) || pem.n == 0)
        error_set(&e, ERR_INVALID, "expected base64 of a certificate in PEM");
    else if (account_key_of_certificate(&key, buf_view(&pem), &e)) {
        clock_rfc3339(api_now_us(c), 0, now);
        json_t *kept = key_entry(&key, now, true);
        json_t *entry = with_key(c, a, kept);
        if (entry)
            iam_account_commit(c, a->email, entry, show(c, a, kept));
        account_key_clear(&key);
        return;
    }
    api_fail(c, API_INVALID_ARGUMENT, "Invalid value at 'publicKeyData': %s", e.text);
}

/* ---- changing ---- */

void iam_keys_delete(api_call *c)
{
    const account *a;
    size_t i;
    json_t *entry = find_key(c, &a, &i);
    if (!entry)
        return;
    json_array_remove(keys_of(entry), i);
    iam_account_commit(c, a->email, entry, json_object());
}

static void set_disabled(api_call *c, bool disabled)
{
    const account *a;
    size_t i;
    json_t *entry = find_key(c, &a, &i);
    if (!entry)
        return;
    json_object_set_new(json_array_get(keys_of(entry), i), "disabled", json_boolean(disabled));
    iam_account_commit(c, a->email, entry, json_object());
}

void iam_keys_disable(api_call *c)
{
    set_disabled(c, true);
}
void iam_keys_enable(api_call *c)
{
    set_disabled(c, false);
}
