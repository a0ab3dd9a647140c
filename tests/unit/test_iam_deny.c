/* Deny policies that come in by API: each refusal beside the policy that is accepted. */
#include "base/attr.h"
#include "check_main.h"
#include "control/iam_deny_check.h"

#define WHO          "\"deniedPrincipals\":[\"principalSet://goog/public:all\"]"
#define WHAT         "\"deniedPermissions\":[\"run.googleapis.com/routes.invoke\"]"
#define RULE(inside) "{\"rules\":[{\"denyRule\":{" inside "}}]}"

/* A NULL refusal: accepted; else a part of its text. */
static const struct {
    const char *policy, *refusal;
} rows[] = {
    {RULE(WHO "," WHAT), NULL},
    {RULE(WHO "," WHAT ",\"exceptionPrincipals\":[\"principal://goog/subject/a@example.com\"]"),
     NULL},
    {RULE(WHO "," WHAT ",\"denialCondition\":null"), NULL},
    {"{\"displayName\":\"d\",\"annotations\":{\"a\":\"b\"},\"etag\":\"x\",\"rules\":[{"
     "\"description\":\"why\",\"denyRule\":{" WHO "," WHAT "}}]}",
     NULL},
    {"{}", "no rules"},
    {"{\"rules\":[]}", "no rules"},
    {"{\"rules\":{}}", "no rules"},
    {"{\"rules\":[5]}", "policy.rules[0]"},
    {"{\"rules\":[{}]}", "'policy.rules[0].denyRule' is missing"},
    {"{\"rule\":[]}", "Unknown name \"rule\" at 'policy'"},
    {"{\"displayName\":5}", "policy.displayName"},
    {"{\"annotations\":[]}", "policy.annotations"},
    {"{\"annotations\":{\"a\":1}}", "policy.annotations"},
    {RULE(WHO), "denies nobody anything"},
    {RULE(WHAT), "denies nobody anything"},
    {RULE(WHO "," WHAT ",\"allowed\":1"), "Unknown name \"allowed\" at 'policy.rules[0].denyRule'"},
    {RULE(WHO "," WHAT ",\"denialCondition\":{\"expression\":\"true\"}"), "resource tags"},
    {RULE("\"deniedPrincipals\":\"x\"," WHAT), "deniedPrincipals' (a list)"},
    {RULE("\"deniedPrincipals\":[1]," WHAT), "deniedPrincipals[0]' (TYPE_STRING)"},
    {RULE("\"deniedPrincipals\":[\"user:a@example.com\"]," WHAT),
     "policy.rules[0].denyRule.deniedPrincipals[0]: "},
    {RULE(WHO ",\"deniedPermissions\":[\"run.routes.invoke\"]"),
     "policy.rules[0].denyRule.deniedPermissions[0]: "},
};

START_TEST(deny_policies_are_checked)
{
    json_error_t why;
    json_auto_t *policy = json_loads(rows[_i].policy, 0, &why);
    error e = {0};
    ck_assert_msg(policy != NULL, "%s: %s", rows[_i].policy, why.text);
    ck_assert_msg(deny_policy_check(policy, &e) == !rows[_i].refusal, "%s: %s", rows[_i].policy,
                  e.text);
    ck_assert_msg(!rows[_i].refusal || strstr(e.text, rows[_i].refusal), "%s", e.text);
}
END_TEST

static const struct {
    const char *id;
    bool fits;
} ids[] = {
    {"abc", true},
    {"a-b.c9", true},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345678901", true},
    {"ab", false},
    {"", false},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz123456789012", false},
    {"Abc", false},
    {"9bc", false},
    {"a_b", false},
};

START_TEST(ids_of_deny_policies_are_checked)
{
    error e = {0};
    ck_assert_msg(deny_id_check(ids[_i].id, &e) == ids[_i].fits, "%s", ids[_i].id);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("iam_deny");
    TCase *t = tcase_create("iam_deny");
    tcase_add_loop_test(t, deny_policies_are_checked, 0, countof(rows));
    tcase_add_loop_test(t, ids_of_deny_policies_are_checked, 0, countof(ids));
    suite_add_tcase(s, t);
    return check_main(s);
}
