/* testIamPermissions: what is truly evaluated is answered truly; every caller may administer. */
#include <string.h>

#include "base/attr.h"
#include "control/iam_permission.h"
#include "control/iam_policy.h"
#include "policy/role.h"

enum { PERMISSIONS_MAX = 100, PERMISSION_MAX = 128 };

/* Administration is open to every caller; these are not. */
static bool is_evaluated(const char *permission)
{
    static const char *const all[] = {PERMISSION_INVOKE,    PERMISSION_ACCESS_TOKEN,
                                      PERMISSION_ID_TOKEN,  PERMISSION_IMPLICIT_DELEGATION,
                                      PERMISSION_SIGN_BLOB, PERMISSION_SIGN_JWT};
    for (size_t i = 0; i < countof(all); i++)
        if (strcmp(all[i], permission) == 0)
            return true;
    return false;
}

/* false: there is no such resource (a service that is yet to be deployed). */
static bool find_resource(const snapshot *s, span on, resource *out)
{
    static const span services = {"services/", 9}, accounts = {"serviceAccounts/", 16};
    *out = (resource){0};
    if (span_starts(on, services))
        out->service = snapshot_find_service(s, span_from(on, services.n));
    else if (span_starts(on, accounts))
        out->account = snapshot_find_account(s, span_from(on, accounts.n));
    else
        return true;
    return out->service || out->account;
}

static bool holds(const api_call *c, const char *on, const char *permission)
{
    const snapshot *s = api_snapshot(c);
    const span email = span_of(c->caller);
    const principal who = {member_kind_of_email(email), email};
    resource r;
    if (!is_evaluated(permission) || !find_resource(s, span_of(on), &r))
        return true;
    return snapshot_allows(s, &r, &who, permission, api_now_us(c)) != NULL;
}

bool iam_permission_is_sound(const json_t *p)
{
    const span text = span_of(json_string_value(p));
    span rest = text, head;
    if (text.n == 0 || text.n > PERMISSION_MAX || span_find(text, '*') != text.n)
        return false;
    return span_cut(&rest, '.', &head) && head.n > 0 && span_cut(&rest, '.', &head) && head.n > 0 &&
           rest.n > 0;
}

void iam_policy_serve_test(api_call *c, const char *on)
{
    const json_t *asked = json_object_get(c->body, "permissions");
    if (json_array_size(asked) == 0 || json_array_size(asked) > PERMISSIONS_MAX) {
        api_fail(c, API_INVALID_ARGUMENT, "permissions must be a list of 1 to %d permissions.",
                 PERMISSIONS_MAX);
        return;
    }
    json_auto_t *held = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        json_t *p = json_array_get(asked, i);
        if (!iam_permission_is_sound(p)) {
            const char *text = json_string_value(p);
            api_fail(c, API_INVALID_ARGUMENT, "Permission %.128s is not valid for this resource.",
                     text ? text : "that is no text");
            return;
        }
        if (holds(c, on, json_string_value(p)))
            json_array_append(held, p);
    }
    json_t *reply = json_object();
    if (json_array_size(held) > 0)
        json_object_set(reply, "permissions", held);
    api_reply(c, 200, reply);
}
