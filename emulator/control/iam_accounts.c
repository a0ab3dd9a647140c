/* IAM v1, service accounts: list, get, create, change, delete and bring back ("IAM API: REST
 * Resource projects.serviceAccounts"). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/unique_id.h"
#include "control/iam_account.h"
#include "control/iam_etag.h"
#include "control/iam_policy.h"
#include "control/iam_policy_internal.h"
#include "control/iam_routes.h"
#include "state/merge.h"

enum {
    ID_MIN = 6,
    ID_MAX = 30,
    DISPLAY_NAME_MAX = 100,
    DESCRIPTION_MAX = 256,
    PAGE = 20,
    PAGE_MAX = 100,
    TEXT_MAX = 1024
};

/* ---- reading ---- */

void iam_accounts_list(api_call *c)
{
    const snapshot *s = api_snapshot(c);
    iam_page page;
    if (!api_project(c, c->params[0]) ||
        !iam_page_of(c, PAGE, PAGE_MAX, snapshot_account_count(s), &page))
        return;
    json_t *accounts = json_array();
    for (size_t i = page.from; i < page.to; i++)
        json_array_append_new(accounts, iam_account_json(c, snapshot_account(s, i)));
    json_t *reply = json_pack("{s:o}", "accounts", accounts);
    if (*page.next)
        json_object_set_new(reply, "nextPageToken", json_string(page.next));
    api_reply(c, 200, reply);
}

void iam_accounts_get(api_call *c)
{
    const account *a = iam_account_of(c);
    if (a)
        api_reply(c, 200, iam_account_json(c, a));
}

/* ---- creating ---- */

/* {WORD: …, "serviceAccount": {…}}; false: answered. */
static bool check_body(api_call *c, const char *word)
{
    const char *const keys[] = {word, "serviceAccount", NULL};
    static const char *const fields[] = {
        "name", "projectId",   "uniqueId",       "email",    "displayName",
        "etag", "description", "oauth2ClientId", "disabled", NULL};
    const json_t *given = json_object_get(c->body, "serviceAccount");
    error e = {0};
    if (given && !json_is_object(given))
        error_set(&e, ERR_INVALID,
                  "Invalid value at 'service_account' (google.iam.admin.v1.ServiceAccount)");
    else if (json_only_keys(c->body, "", keys, &e) &&
             (!given || json_only_keys(given, "service_account", fields, &e)))
        return true;
    api_fail(c, API_INVALID_ARGUMENT, "%s", e.text);
    return false;
}

/* [a-z]([-a-z0-9]*[a-z0-9]), 6 to 30 characters. */
static bool check_id(api_call *c, const char *id)
{
    const size_t n = strlen(id);
    if (n < ID_MIN || n > ID_MAX) {
        api_fail_with(c, API_INVALID_ARGUMENT, NULL,
                      "The account ID \"%.128s\" does not have a length between %d and %d.", id,
                      ID_MIN, ID_MAX);
        return false;
    }
    const bool sound = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && *id >= 'a' &&
                       *id <= 'z' && id[n - 1] != '-';
    if (!sound)
        api_fail(
            c, API_INVALID_ARGUMENT,
            "The account ID \"%s\" does not match the regular expression "
            "[a-z]([-a-z0-9]*[a-z0-9]): lower case letters, digits and hyphens, a letter first "
            "and no hyphen last.",
            id);
    return sound;
}

/* The first account of a name has the id that follows from its address, as one of the file has; a
 * later one has another, so that what was granted to the former does not come back to life. */
static void choose_unique_id(const api_call *c, const char *email, char out[UNIQUE_ID_TEXT])
{
    char text[TEXT_MAX];
    int n = snprintf(text, sizeof text, "%s", email);
    if (json_is_true(json_object_get(api_entry(c, "accounts", email), "deleted")))
        n = snprintf(text, sizeof text, "%lld %s", (long long)api_now_us(c), email);
    account_unique_id((span){text, (size_t)n}, out);
}

/* A new account has no policy, whatever an earlier one or the file had. */
static void clear_policy(const api_call *c, json_t *draft, const char *email)
{
    char on[ACCOUNT_KEY_TEXT], over[FINGERPRINT_TEXT];
    iam_account_resource(email, on);
    fingerprint_policy(api_base(c), on, over);
    json_auto_t *none =
        json_pack("{s:s, s:i, s:[]}", "etag", ETAG_EMPTY_POLICY, "version", 1, "bindings");
    state_set(draft, "policies", on, *over ? iam_policy_entry(c, on, none) : NULL);
}

static void refuse_existing(api_call *c, const char *id, const char *email)
{
    const char *of = snapshot_project(api_snapshot(c))->id;
    json_t *details =
        json_pack("[{s:s, s:o}]", "@type", "type.googleapis.com/google.rpc.ResourceInfo",
                  "resourceName", json_sprintf("projects/%s/serviceAccounts/%s", of, email));
    api_fail_with(c, API_ALREADY_EXISTS, details,
                  "Service account %s already exists within project projects/%s.", id, of);
}

static json_t *new_entry(const api_call *c, const char *email, const char *display_name,
                         const char *description)
{
    char when[CLOCK_RFC3339_MAX], unique_id[UNIQUE_ID_TEXT];
    clock_rfc3339(api_now_us(c), 6, when);
    choose_unique_id(c, email, unique_id);
    return json_pack("{s:s, s:s, s:s*, s:s*, s:b}", "uniqueId", unique_id, "createTime", when,
                     "displayName", display_name, "description", description, "disabled", 0);
}

void iam_accounts_create(api_call *c)
{
    const char *id, *display_name, *description;
    const json_t *wanted = json_object_get(c->body, "serviceAccount");
    if (!api_project(c, c->params[0]) || !check_body(c, "accountId") ||
        !iam_text(c, c->body, "accountId", TEXT_MAX, &id) || !check_id(c, id ? id : "") ||
        !iam_text(c, wanted, "displayName", DISPLAY_NAME_MAX, &display_name) ||
        !iam_text(c, wanted, "description", DESCRIPTION_MAX, &description))
        return;
    char email[ACCOUNT_KEY_TEXT];
    (void)snprintf(email, sizeof email, "%s@%s.iam.gserviceaccount.com", id,
                   snapshot_project(api_snapshot(c))->id);
    if (snapshot_find_account(api_snapshot(c), span_of(email))) {
        refuse_existing(c, id, email);
        return;
    }
    json_t *draft = api_draft(c);
    json_t *entry = new_entry(c, email, display_name, description);
    json_t *reply = iam_account_json_of(c, email, entry);
    iam_account_put(c, draft, email, entry);
    clear_policy(c, draft, email);
    api_commit(c, draft, 200, reply);
}

/* ---- changing ---- */

typedef struct account_change {
    const char *display_name, *description;
    bool sets_display_name, sets_description;
} account_change;

static void apply(api_call *c, const account *a, const account_change *change)
{
    json_t *entry = iam_account_entry(c, a);
    if (change->sets_display_name)
        json_object_set_new(entry, "displayName",
                            json_string(change->display_name ? change->display_name : ""));
    if (change->sets_description)
        json_object_set_new(entry, "description",
                            json_string(change->description ? change->description : ""));
    json_t *reply = iam_account_json_of(c, a->email, entry);
    iam_account_commit(c, a->email, entry, reply);
}

/* false: answered. */
static bool read_change(api_call *c, const account *a, const json_t *given, account_change *out)
{
    json_auto_t *now = iam_account_json(c, a);
    return iam_etag_fits(c, "service account", json_object_get(given, "etag"),
                         json_string_value(json_object_get(now, "etag"))) &&
           iam_text(c, given, "displayName", DISPLAY_NAME_MAX, &out->display_name) &&
           iam_text(c, given, "description", DESCRIPTION_MAX, &out->description);
}

/* Only these two can be changed. */
static bool check_mask(api_call *c, span mask)
{
    span field;
    while (mask.n > 0) {
        (void)span_cut(&mask, ',', &field);
        field = span_trim(field);
        if (iam_mask_has(field, "displayName", "display_name") ||
            iam_mask_has(field, "description", "description") ||
            iam_mask_has(field, "etag", "etag"))
            continue;
        api_fail(c, API_INVALID_ARGUMENT,
                 "The update mask names \"%.*s\": display_name and description can be changed.",
                 field.n > ID_MAX ? ID_MAX : (int)field.n, field.p);
        return false;
    }
    return true;
}

void iam_accounts_patch(api_call *c)
{
    const account *a = iam_account_of(c);
    const json_t *given = json_object_get(c->body, "serviceAccount");
    const char *mask;
    account_change change = {0};
    if (!a || !check_body(c, "updateMask") ||
        !iam_text(c, c->body, "updateMask", TEXT_MAX, &mask) || !check_mask(c, span_of(mask)) ||
        !read_change(c, a, given, &change))
        return;
    const bool all = !mask || !*mask;
    change.sets_display_name = all ? change.display_name != NULL
                                   : iam_mask_has(span_of(mask), "displayName", "display_name");
    change.sets_description = all ? change.description != NULL
                                  : iam_mask_has(span_of(mask), "description", "description");
    apply(c, a, &change);
}

/* The older way: the whole account in the body, of which the texts that are there are taken. */
void iam_accounts_update(api_call *c)
{
    const account *a = iam_account_of(c);
    account_change change = {0};
    if (!a || !read_change(c, a, c->body, &change))
        return;
    change.sets_display_name = change.display_name != NULL;
    change.sets_description = change.description != NULL;
    apply(c, a, &change);
}

static void set_disabled(api_call *c, bool disabled)
{
    const account *a = iam_account_of(c);
    if (!a)
        return;
    json_t *entry = iam_account_entry(c, a);
    json_object_set_new(entry, "disabled", json_boolean(disabled));
    iam_account_commit(c, a->email, entry, json_object());
}

void iam_accounts_disable(api_call *c)
{
    set_disabled(c, true);
}
void iam_accounts_enable(api_call *c)
{
    set_disabled(c, false);
}

/* ---- deleting and bringing back ---- */

/* How policies name it, and how they do when it is gone. */
typedef struct account_members {
    char alive[ACCOUNT_KEY_TEXT], gone[ACCOUNT_KEY_TEXT];
} account_members;

static account_members members_of(const char *email, const char *unique_id)
{
    account_members m;
    (void)snprintf(m.alive, sizeof m.alive, "serviceAccount:%.400s", email);
    (void)snprintf(m.gone, sizeof m.gone, "deleted:serviceAccount:%.400s?uid=%.21s", email,
                   unique_id);
    return m;
}

void iam_accounts_delete(api_call *c)
{
    const account *a = iam_account_of(c);
    if (!a)
        return;
    if (strcmp(a->email, snapshot_project(api_snapshot(c))->default_account) == 0) {
        api_fail(c, API_FAILED_PRECONDITION,
                 "%s is what services without an account of their own run as: it can be disabled, "
                 "not deleted.",
                 a->email);
        return;
    }
    char when[CLOCK_RFC3339_MAX];
    clock_rfc3339(api_now_us(c), 6, when);
    const account_members m = members_of(a->email, a->unique_id);
    json_t *entry = iam_account_entry(c, a);
    json_object_set_new(entry, "deleted", json_true());
    json_object_set_new(entry, "deleteTime", json_string(when));
    json_t *draft = api_draft(c);
    iam_account_put(c, draft, a->email, entry);
    iam_policy_rename_member(c, draft, m.alive, m.gone);
    api_commit(c, draft, 200, json_object());
}

static bool is_named(const char *email, const json_t *entry, const char *name)
{
    const char *id = json_string_value(json_object_get(entry, "uniqueId"));
    return json_is_true(json_object_get(entry, "deleted")) &&
           ((id && strcmp(id, name) == 0) || strcmp(email, name) == 0);
}

static void restore(api_call *c, json_t *draft, const char *email, const json_t *deleted)
{
    json_t *entry = json_deep_copy(deleted);
    json_object_del(entry, "deleted");
    json_object_del(entry, "deleteTime");
    const account_members m =
        members_of(email, json_string_value(json_object_get(entry, "uniqueId")));
    json_t *reply = json_pack("{s:o}", "restoredAccount", iam_account_json_of(c, email, entry));
    iam_account_put(c, draft, email, entry);
    iam_policy_rename_member(c, draft, m.gone, m.alive);
    api_commit(c, draft, 200, reply);
}

void iam_accounts_undelete(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return;
    json_t *draft = api_draft(c);
    const char *email;
    json_t *entry;
    json_object_foreach (json_object_get(draft, "accounts"), email, entry) {
        if (!is_named(email, entry, c->params[1]))
            continue;
        if (snapshot_find_account(api_snapshot(c), span_of(email)))
            break;
        auto_free char *name = span_dup(span_of(email)); /* the key of what is replaced */
        restore(c, draft, name, entry);
        return;
    }
    json_decref(draft);
    if (snapshot_find_account(api_snapshot(c), span_of(c->params[1])))
        api_fail(c, API_FAILED_PRECONDITION, "Service account %.128s is not deleted.",
                 c->params[1]);
    else
        api_fail(c, API_NOT_FOUND, "Unknown service account");
}

/* ---- its policy ---- */

void iam_accounts_get_policy(api_call *c)
{
    char on[ACCOUNT_KEY_TEXT];
    const account *a = iam_account_of(c);
    if (!a)
        return;
    iam_account_resource(a->email, on);
    iam_policy_serve_get(c, on);
}

void iam_accounts_set_policy(api_call *c)
{
    char on[ACCOUNT_KEY_TEXT];
    const account *a = iam_account_of(c);
    if (!a)
        return;
    iam_account_resource(a->email, on);
    iam_policy_serve_set(c, on);
}

void iam_accounts_test_permissions(api_call *c)
{
    char on[ACCOUNT_KEY_TEXT];
    const account *a = iam_account_of(c);
    if (!a)
        return;
    iam_account_resource(a->email, on);
    iam_policy_serve_test(c, on);
}
