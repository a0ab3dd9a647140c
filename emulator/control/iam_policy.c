/* Policies of the project, of services and of accounts: reading and writing them. */
#include "control/iam_policy.h"

#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "control/iam_etag.h"
#include "control/iam_policy_internal.h"
#include "state/merge.h"

enum { MASK_MAX = 1024, ETAG_SHOWN = 64, RESOURCE_MAX = 512 };

/* ---- in force ---- */

static const json_t *entry_in_force(const api_call *c, const char *on)
{
    const json_t *entry = api_entry(c, "policies", on);
    return entry && state_policy_counts(api_base(c), on, entry) ? entry : NULL;
}

static json_t *of_entry(const json_t *entry)
{
    static const char *const keys[] = {"version", "etag", "bindings", "auditConfigs"};
    json_t *policy = json_object();
    for (size_t i = 0; i < countof(keys); i++) {
        json_t *v = json_object_get(entry, keys[i]);
        if (v && !(json_is_array(v) && json_array_size(v) == 0))
            json_object_set(policy, keys[i], v);
    }
    return policy;
}

/* The account was deleted by API and the file still grants it something. */
static json_t *as_shown(const api_call *c, json_t *m)
{
    const char *text = json_string_value(m);
    static const span prefix = {"serviceAccount:", 15};
    if (!span_starts(span_of(text), prefix))
        return json_incref(m);
    const json_t *entry = api_entry(c, "accounts", text + prefix.n);
    const char *id = json_string_value(json_object_get(entry, "uniqueId"));
    if (!id || !json_is_true(json_object_get(entry, "deleted")) ||
        snapshot_find_account(api_snapshot(c), span_from(span_of(text), prefix.n)))
        return json_incref(m);
    return json_sprintf("deleted:%s?uid=%s", text, id);
}

static json_t *of_file(const api_call *c, const char *on)
{
    json_auto_t *bindings = policy_bindings_of(api_base(c), on);
    if (json_array_size(bindings) == 0)
        return json_pack("{s:s}", "etag", ETAG_EMPTY_POLICY);
    char etag[ETAG_TEXT];
    etag_make(bindings, (span){0}, etag);
    size_t i, k;
    json_t *b, *m;
    json_array_foreach (bindings, i, b) {
        json_t *members = json_object_get(b, "members");
        json_array_foreach (members, k, m)
            json_array_set_new(members, k, as_shown(c, m));
    }
    return json_pack("{s:i, s:s, s:O}", "version", policy_has_conditions(bindings) ? 3 : 1, "etag",
                     etag, "bindings", bindings);
}

json_t *iam_policy_of(const api_call *c, const char *on)
{
    const json_t *entry = entry_in_force(c, on);
    return entry ? of_entry(entry) : of_file(c, on);
}

/* ---- GET ---- */

/* -1: no number at all. */
static int64_t version_of(span text)
{
    uint64_t n = 0;
    return span_u64(text, INT32_MAX, &n) ? (int64_t)n : -1;
}

/* false: answered. */
static bool read_options(api_call *c, const json_t **out_version)
{
    static const char *const keys[] = {"options", NULL};
    static const char *const fields[] = {"requestedPolicyVersion", NULL};
    const json_t *options = json_object_get(c->body, "options");
    error e = {0};
    if (options && !json_is_object(options))
        error_set(&e, ERR_INVALID, "Invalid value at 'options' (google.iam.v1.GetPolicyOptions)");
    else if (json_only_keys(c->body, "", keys, &e) &&
             (!options || json_only_keys(options, "options", fields, &e))) {
        *out_version = json_object_get(options, "requestedPolicyVersion");
        return true;
    }
    api_fail(c, API_INVALID_ARGUMENT, "%s", e.text);
    return false;
}

static bool check_version_asked_for(api_call *c)
{
    auto_buf buf query = buf_make(MASK_MAX);
    const json_t *in_body;
    int64_t version = 0;
    if (!read_options(c, &in_body))
        return false;
    if (json_is_integer(in_body))
        version = json_integer_value(in_body);
    else if (in_body)
        version = version_of(span_of(json_string_value(in_body)));
    else if (api_query(c, "options.requestedPolicyVersion", &query))
        version = version_of(buf_view(&query));
    if (version == 0 || version == 1 || version == 3)
        return true;
    api_fail(c, API_INVALID_ARGUMENT,
             "Invalid requested policy version. Valid policy versions are 0, 1, and 3.");
    return false;
}

void iam_policy_serve_get(api_call *c, const char *on)
{
    if (check_version_asked_for(c))
        api_reply(c, 200, iam_policy_of(c, on));
}

/* ---- SET ---- */

typedef struct update {
    const json_t *given; /* the policy in the body */
    bool bindings, etag, audit;
} update;

/* Which parts of the policy are meant: "bindings,etag" unless the request says otherwise. */
static bool read_mask(api_call *c, update *u)
{
    const json_t *mask = json_object_get(c->body, "updateMask");
    span rest = span_of(json_string_value(mask)), field;
    if (rest.n == 0) {
        u->bindings = u->etag = true;
        return true;
    }
    do {
        (void)span_cut(&rest, ',', &field);
        field = span_trim(field);
        u->bindings |= span_eq_str(field, "bindings");
        u->etag |= span_eq_str(field, "etag");
        u->audit |= span_eq_str(field, "auditConfigs") || span_eq_str(field, "audit_configs");
        if (!span_eq_str(field, "bindings") && !span_eq_str(field, "etag") &&
            !span_eq_str(field, "version") && !span_eq_str(field, "auditConfigs") &&
            !span_eq_str(field, "audit_configs")) {
            api_fail(c, API_INVALID_ARGUMENT,
                     "Invalid update mask path \"%.*s\": a policy has bindings, etag, version and "
                     "auditConfigs.",
                     field.n > ETAG_SHOWN ? ETAG_SHOWN : (int)field.n, field.p);
            return false;
        }
    } while (rest.n > 0);
    return true;
}

static bool read_update(api_call *c, update *u)
{
    static const char *const keys[] = {"policy", "updateMask", NULL};
    static const char *const fields[] = {"bindings", "etag",       "version", "auditConfigs",
                                         "kind",     "resourceId", NULL};
    error e = {0};
    *u = (update){.given = json_object_get(c->body, "policy")};
    if (!u->given)
        error_set(&e, ERR_INVALID, "The request has no policy.");
    else if (!json_is_object(u->given))
        error_set(&e, ERR_INVALID, "Invalid value at 'policy' (google.iam.v1.Policy)");
    else if (json_only_keys(c->body, "", keys, &e) &&
             json_only_keys(u->given, "policy", fields, &e))
        return read_mask(c, u);
    api_fail(c, API_INVALID_ARGUMENT, "%s", e.text);
    return false;
}

bool iam_etag_fits(api_call *c, const char *of, const json_t *given, const char *in_force)
{
    const char *text = json_string_value(given);
    if (!given || json_is_null(given) || (text && !*text))
        return true;
    const etag_verdict verdict =
        text ? etag_compare(span_of(text), span_of(in_force)) : ETAG_MALFORMED;
    if (verdict == ETAG_SAME)
        return true;
    if (verdict == ETAG_MALFORMED)
        api_fail(c, API_INVALID_ARGUMENT,
                 "Invalid value at '%s.etag' (TYPE_BYTES), Base64 decoding failed for \"%.*s\"", of,
                 ETAG_SHOWN, text ? text : "");
    else
        api_fail(c, API_ABORTED,
                 "There were concurrent %s changes. Please retry the whole read-modify-write with "
                 "exponential backoff. The request's ETag '%.*s' did not match the current %s's "
                 "ETag '%s'.",
                 of, ETAG_SHOWN, text, of, in_force);
    return false;
}

/* Who knows of conditions only by an old version must not take them away: IAM asks for version 3
 * when a policy with conditions is changed in any way. Without an etag it overwrites. */
static bool keeps_conditions(const update *u, const json_t *before, error *e)
{
    const json_t *version = json_object_get(u->given, "version");
    if (!u->etag || !json_object_get(u->given, "etag") || json_integer_value(version) == 3 ||
        !policy_has_conditions(json_object_get(before, "bindings")))
        return true;
    return error_set(e, ERR_INVALID,
                     "The policy in force has conditional role bindings: it is changed with "
                     "version 3; this request says %lld.",
                     (long long)json_integer_value(version));
}

/* A deleted role keeps its bindings, but gets no new ones. */
static bool roles_are_there(const api_call *c, const json_t *bindings, const json_t *before,
                            error *e)
{
    size_t i, k;
    json_t *b, *old;
    json_array_foreach (bindings, i, b) {
        const json_t *role = json_object_get(b, "role");
        const json_t *entry = api_entry(c, "roles", json_string_value(role));
        bool kept = false;
        json_array_foreach (json_object_get(before, "bindings"), k, old)
            kept |= json_equal(json_object_get(old, "role"), role);
        if (!kept && json_is_true(json_object_get(entry, "deleted")))
            return error_set(e, ERR_INVALID, "Role %s is deleted: it can't be granted.",
                             json_string_value(role));
    }
    return true;
}

/* The policy as it is to be, without its etag; NULL and *e. */
static json_t *updated(api_call *c, const char *on, const update *u, const json_t *before, error *e)
{
    json_auto_t *bindings = NULL;
    if (!policy_bindings_check(api_snapshot(c), json_object_get(u->given, "bindings"), &bindings,
                               e) ||
        !policy_version_check(json_object_get(u->given, "version"), bindings, e) ||
        !roles_are_there(c, bindings, before, e) || !keeps_conditions(u, before, e))
        return NULL;
    json_t *kept = json_object_get(before, "bindings");
    if (strcmp(on, "project") == 0 && !policy_public_members_check(bindings, kept, e))
        return NULL;
    json_t *audit = json_object_get(u->audit ? u->given : before, "auditConfigs");
    if (audit && !json_is_array(audit)) {
        error_set(e, ERR_INVALID, "Invalid value at 'policy.auditConfigs' (a list)");
        return NULL;
    }
    json_t *out = json_object();
    json_object_set(out, "bindings", u->bindings ? bindings : kept ? kept : bindings);
    if (audit)
        json_object_set(out, "auditConfigs", audit);
    return out;
}

json_t *iam_policy_entry(const api_call *c, const char *on, const json_t *policy)
{
    char over[FINGERPRINT_TEXT], when[CLOCK_RFC3339_MAX];
    json_t *entry = json_deep_copy(policy);
    fingerprint_policy(api_base(c), on, over);
    if (*over)
        json_object_set_new(entry, "over", json_string(over));
    clock_rfc3339(api_now_us(c), 6, when);
    json_object_set_new(entry, "updated", json_string(when));
    if (c->caller)
        json_object_set_new(entry, "by", json_string(c->caller));
    return entry;
}

static void stamp(const api_call *c, json_t *policy, const char *former)
{
    char etag[ETAG_TEXT], salt[128];
    const int n = snprintf(salt, sizeof salt, "%lld %.64s", (long long)api_now_us(c), former);
    json_object_del(policy, "etag");
    etag_make(policy, (span){salt, (size_t)n}, etag);
    json_object_set_new(policy, "etag", json_string(etag));
    json_object_set_new(
        policy, "version",
        json_integer(policy_has_conditions(json_object_get(policy, "bindings")) ? 3 : 1));
}

void iam_policy_serve_set(api_call *c, const char *on)
{
    update u;
    error e = {0};
    json_auto_t *before = iam_policy_of(c, on);
    const char *former = json_string_value(json_object_get(before, "etag"));
    if (!read_update(c, &u) ||
        (u.etag && !iam_etag_fits(c, "policy", json_object_get(u.given, "etag"), former)))
        return;
    json_auto_t *policy = updated(c, on, &u, before, &e);
    if (!policy) {
        api_fail(c, API_INVALID_ARGUMENT, "%s", e.text);
        return;
    }
    stamp(c, policy, former);
    json_t *draft = api_draft(c);
    json_t *entry = iam_policy_entry(c, on, policy);
    json_t *reply = of_entry(entry);
    state_set(draft, "policies", on, entry);
    api_commit(c, draft, 200, reply);
}

/* ---- accounts that come and go ---- */

/* As the state or the file has it, members not rewritten. */
static json_t *stored(const api_call *c, const char *on)
{
    const json_t *entry = entry_in_force(c, on);
    if (entry)
        return of_entry(entry);
    char etag[ETAG_TEXT];
    json_auto_t *bindings = policy_bindings_of(api_base(c), on);
    etag_make(bindings, (span){0}, etag);
    return json_pack("{s:i, s:s, s:O}", "version", policy_has_conditions(bindings) ? 3 : 1, "etag",
                     etag, "bindings", bindings);
}

static void rename_in(const api_call *c, json_t *draft, const char *on, const char *from,
                      const char *to)
{
    json_auto_t *before = stored(c, on);
    json_auto_t *policy = json_deep_copy(before);
    size_t i, k;
    json_t *b, *m;
    bool found = false;
    json_array_foreach (json_object_get(policy, "bindings"), i, b) {
        json_t *members = json_object_get(b, "members");
        json_array_foreach (members, k, m) {
            if (strcmp(json_string_value(m), from) != 0)
                continue;
            json_array_set_new(members, k, json_string(to));
            found = true;
        }
    }
    if (!found)
        return;
    json_object_set_new(policy, "bindings",
                        policy_bindings_normal(json_object_get(policy, "bindings")));
    state_set(draft, "policies", on, iam_policy_entry(c, on, policy));
}

static void add_resource(json_t *resources, const char *kind, const char *name)
{
    char key[RESOURCE_MAX];
    snprintf(key, sizeof key, "%s%s", kind, name);
    json_object_set_new(resources, key, json_null());
}

void iam_policy_rename_member(const api_call *c, json_t *draft, const char *who,
                              const char *becomes)
{
    const snapshot *base = api_base(c);
    json_auto_t *resources = json_pack("{s:n}", "project");
    const char *key;
    json_t *ignored;
    for (size_t i = 0; i < snapshot_service_count(base); i++)
        add_resource(resources, "services/", snapshot_service(base, i)->name);
    for (size_t i = 0; i < snapshot_account_count(base); i++)
        add_resource(resources, "serviceAccounts/", snapshot_account(base, i)->email);
    json_object_foreach (json_object_get(draft, "policies"), key, ignored)
        json_object_set_new(resources, key, json_null());
    json_object_foreach (resources, key, ignored)
        rename_in(c, draft, key, who, becomes);
}
