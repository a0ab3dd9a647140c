/* IAM v2, deny policies of the project ("IAM API: REST Resource v2.policies"). Its long-running
 * operations are over at once. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/hash.h"
#include "control/iam_account.h"
#include "control/iam_deny_check.h"
#include "control/iam_etag.h"
#include "control/iam_policy.h"

enum { PAGE = 1000, TEXT_MAX = 512, UUID_TEXT = 37 };

#define POINT  "cloudresourcemanager.googleapis.com/projects/"
#define POLICY "type.googleapis.com/google.iam.v2.Policy"

/* ---- where a policy is attached ---- */

/* Params 0: the attachment point (decoded once by the path, once more where a client encoded it
 * twice), 1: the kind. false: answered. */
static bool check_place(api_call *c)
{
    auto_buf buf point = buf_make(TEXT_MAX);
    http_percent_decode(span_of(c->params[0]), false, &point);
    const span asked = buf_view(&point), head = SPAN_LIT(POINT);
    if (strcmp(c->params[1], "denypolicies") != 0)
        api_fail(c, API_INVALID_ARGUMENT,
                 "Policies of kind \"%.64s\" are not served here: "
                 "denypolicies are.",
                 c->params[1]);
    else if (!buf_ok(&point) || !span_starts(asked, head) ||
             span_find(span_from(asked, head.n), '/') < asked.n - head.n)
        api_fail(c, API_INVALID_ARGUMENT,
                 "The attachment point \"%.200s\" is not served here: " POINT
                 "PROJECT, with %%2F for each slash, is.",
                 c->params[0]);
    else
        return api_project(c, point.p + head.n);
    return false;
}

static json_t *full_name(const api_call *c, const char *id)
{
    return json_sprintf("policies/cloudresourcemanager.googleapis.com%%2Fprojects%%2F%s/"
                        "denypolicies/%s",
                        snapshot_project(api_snapshot(c))->number, id);
}

/* ---- answers ---- */

static json_t *operation(const api_call *c, const char *id, const json_t *policy)
{
    char when[CLOCK_RFC3339_MAX];
    uint64_t number;
    random_bytes(&number, sizeof number);
    clock_rfc3339(api_now_us(c), 6, when);
    json_auto_t *name = full_name(c, id);
    json_t *response = json_copy((json_t *)(uintptr_t)policy);
    json_object_set_new(response, "@type", json_string(POLICY));
    return json_pack(
        "{s:o, s:{s:s, s:s}, s:b, s:o}", "name",
        json_sprintf("%s/operations/%016llx", json_string_value(name), (unsigned long long)number),
        "metadata", "@type", "type.googleapis.com/google.iam.v2.PolicyOperationMetadata",
        "createTime", when, "done", 1, "response", response);
}

/* The policy of the path (param 2); NULL: answered. */
static json_t *find(api_call *c)
{
    if (!check_place(c))
        return NULL;
    json_t *policy = api_entry(c, "deny", c->params[2]);
    if (!policy)
        api_fail(c, API_NOT_FOUND, "The deny policy \"%.128s\" does not exist.", c->params[2]);
    return policy;
}

static void get(api_call *c)
{
    const json_t *policy = find(c);
    if (policy)
        api_reply(c, 200, json_deep_copy(policy));
}

/* Without their rules, as IAM lists them. */
static void list(api_call *c)
{
    iam_page page;
    json_auto_t *draft = api_draft(c);
    json_t *all = json_object_get(draft, "deny"), *policy;
    const char *id;
    size_t i = 0;
    if (!check_place(c) || !iam_page_of(c, PAGE, PAGE, json_object_size(all), &page))
        return;
    json_t *shown = json_array();
    json_object_foreach (all, id, policy) {
        if (i >= page.from && i < page.to) {
            json_t *copy = json_copy(policy);
            json_object_del(copy, "rules");
            json_array_append_new(shown, copy);
        }
        i++;
    }
    json_t *reply = json_pack("{s:o}", "policies", shown);
    if (*page.next)
        json_object_set_new(reply, "nextPageToken", json_string(page.next));
    api_reply(c, 200, reply);
}

/* Operations are not remembered: whoever asks learns that it is done, and the policy as it is. */
static void get_operation(api_call *c)
{
    if (!check_place(c))
        return;
    json_t *policy = api_entry(c, "deny", c->params[2]);
    json_auto_t *name = full_name(c, c->params[2]);
    json_t *reply = json_pack(
        "{s:o, s:b}", "name",
        json_sprintf("%s/operations/%s", json_string_value(name), c->params[3]), "done", 1);
    if (policy) {
        json_t *response = json_copy(policy);
        json_object_set_new(response, "@type", json_string(POLICY));
        json_object_set_new(reply, "response", response);
    }
    api_reply(c, 200, reply);
}

/* ---- changing ---- */

static void make_uuid(char out[UUID_TEXT])
{
    uint8_t b[16];
    random_bytes(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    char *at = out;
    for (size_t i = 0; i < sizeof b; i++)
        at += snprintf(at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
}

/* What the client says of the policy; the rest is ours. was: nullable. */
static json_t *policy_of(const api_call *c, const char *id, const json_t *given, const json_t *was)
{
    static const char *const theirs[] = {"displayName", "annotations", "rules"};
    char when[CLOCK_RFC3339_MAX], uuid[UUID_TEXT], etag[ETAG_TEXT];
    clock_rfc3339(api_now_us(c), 6, when);
    make_uuid(uuid);
    json_t *out = json_pack("{s:o, s:s}", "name", full_name(c, id), "kind", "DenyPolicy");
    json_t *uid = json_object_get(was, "uid"), *made = json_object_get(was, "createTime");
    json_object_set_new(out, "uid", uid ? json_incref(uid) : json_string(uuid));
    json_object_set_new(out, "createTime", made ? json_incref(made) : json_string(when));
    json_object_set_new(out, "updateTime", json_string(when));
    for (size_t i = 0; i < countof(theirs); i++) {
        json_t *v = json_object_get(given, theirs[i]);
        if (v && !json_is_null(v))
            json_object_set_new(out, theirs[i], json_deep_copy(v));
    }
    const char *former = json_string_value(json_object_get(was, "etag"));
    etag_make(out, span_of(former), etag);
    json_object_set_new(out, "etag", json_string(etag));
    return out;
}

static void commit(api_call *c, const char *id, json_t *policy)
{
    json_t *draft = api_draft(c);
    json_t *reply = operation(c, id, policy);
    state_set(draft, "deny", id, policy);
    api_commit(c, draft, 200, reply);
}

static bool check(api_call *c)
{
    error e = {0};
    if (deny_policy_check(c->body, &e))
        return true;
    api_fail(c, API_INVALID_ARGUMENT, "%s", e.text);
    return false;
}

static void create(api_call *c)
{
    auto_buf buf id = buf_make(TEXT_MAX);
    error e = {0};
    if (!check_place(c))
        return;
    (void)api_query(c, "policyId", &id);
    if (!deny_id_check(id.p ? id.p : "", &e))
        api_fail(c, API_INVALID_ARGUMENT, "%s", e.text);
    else if (api_entry(c, "deny", id.p))
        api_fail(c, API_ALREADY_EXISTS, "A deny policy with the ID \"%s\" already exists.", id.p);
    else if (check(c))
        commit(c, id.p, policy_of(c, id.p, c->body, NULL));
}

static void update(api_call *c)
{
    const json_t *was = find(c);
    const char *etag = json_string_value(json_object_get(was, "etag"));
    if (was && iam_etag_fits(c, "policy", json_object_get(c->body, "etag"), etag) && check(c))
        commit(c, c->params[2], policy_of(c, c->params[2], c->body, was));
}

static void delete (api_call *c)
{
    const json_t *was = find(c);
    if (!was)
        return;
    auto_buf buf text = buf_make(TEXT_MAX);
    json_auto_t *given = api_query(c, "etag", &text) && text.n ? json_string(text.p) : NULL;
    if (!iam_etag_fits(c, "policy", given, json_string_value(json_object_get(was, "etag"))))
        return;
    char when[CLOCK_RFC3339_MAX];
    clock_rfc3339(api_now_us(c), 6, when);
    json_auto_t *gone = json_copy((json_t *)(uintptr_t)was);
    json_object_set_new(gone, "deleteTime", json_string(when));
    json_t *reply = operation(c, c->params[2], gone);
    json_t *draft = api_draft(c);
    state_set(draft, "deny", c->params[2], NULL);
    api_commit(c, draft, 200, reply);
}

#define POLICIES "/v2/policies/{}/{}"

const api_route iam_v2_routes[] = {
    {.method = "GET", .pattern = POLICIES, .serve = list},
    {.method = "POST", .pattern = POLICIES, .serve = create},
    {.method = "GET", .pattern = POLICIES "/{}", .serve = get},
    {.method = "PUT", .pattern = POLICIES "/{}", .serve = update},
    {.method = "DELETE", .pattern = POLICIES "/{}", .serve = delete},
    {.method = "GET", .pattern = POLICIES "/{}/operations/{}", .serve = get_operation},
    {0},
};
