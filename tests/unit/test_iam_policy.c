/* Policies as IAM shows them: one form, whatever the order in which they were written. */
#include "control/iam_policy_internal.h"

#include "check_main.h"
#include "policy_fixture.h"

static json_t *parsed(const char *text)
{
    json_error_t why;
    json_t *v = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    ck_assert_msg(v != NULL, "%s in %s", why.text, text);
    return v;
}

static void assert_json(const json_t *got, const char *expected)
{
    json_auto_t *want = parsed(expected);
    auto_free char *text = json_dumps(got, JSON_COMPACT);
    ck_assert_msg(json_equal(got, want), "got %s, expected %s", text, expected);
}

START_TEST(bindings_are_joined_sorted_and_without_doubles)
{
    json_auto_t *given =
        parsed("[{\"role\":\"roles/viewer\",\"members\":[\"user:b@x.org\"]},"
               " {\"role\":\"roles/run.invoker\",\"members\":[\"user:b@x.org\",\"user:a@x.org\"]},"
               " {\"role\":\"roles/run.invoker\",\"members\":[\"user:a@x.org\",\"user:a@x.org\"],"
               "  \"condition\":{\"title\":\"t\",\"expression\":\"true\"}},"
               " {\"role\":\"roles/run.invoker\",\"members\":[\"user:a@x.org\",\"allUsers\"]},"
               " {\"role\":\"roles/editor\",\"members\":[]}, {\"role\":\"roles/owner\"}]");
    json_auto_t *normal = policy_bindings_normal(given);
    assert_json(normal, "[{\"role\":\"roles/run.invoker\","
                        "  \"members\":[\"allUsers\",\"user:a@x.org\",\"user:b@x.org\"]},"
                        " {\"role\":\"roles/run.invoker\",\"members\":[\"user:a@x.org\"],"
                        "  \"condition\":{\"title\":\"t\",\"expression\":\"true\"}},"
                        " {\"role\":\"roles/viewer\",\"members\":[\"user:b@x.org\"]}]");
    ck_assert(policy_has_conditions(normal));
}
END_TEST

START_TEST(the_file_is_shown_as_a_policy_of_each_resource)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    fixture_bind(b, "backend-api", INVOKER, "user:alice@example.com");
    fixture_bind(b, NULL, "roles/viewer", "user:bob@example.com");
    snapshot *s = fixture_build(b);
    json_auto_t *own = policy_bindings_of(s, "services/backend-api");
    json_auto_t *shared = policy_bindings_of(s, "project");
    json_auto_t *other = policy_bindings_of(s, "services/frontend");
    json_auto_t *unknown = policy_bindings_of(s, "services/none");
    assert_json(own, "[{\"role\":\"roles/run.invoker\",\"members\":[\"serviceAccount:" FRONTEND
                     "\",\"user:alice@example.com\"]}]");
    assert_json(shared, "[{\"role\":\"roles/viewer\",\"members\":[\"user:bob@example.com\"]}]");
    assert_json(other, "[]");
    assert_json(unknown, "[]");
    snapshot_unref(s);
}
END_TEST

START_TEST(conditions_and_accounts_of_the_file_are_shown)
{
    static const condition_text later = {"later", NULL,
                                         "request.time > timestamp('2030-01-01T00:00:00Z')"};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_grant(b, &(grant_spec){.account = BACKEND,
                                            .role = "roles/iam.serviceAccountTokenCreator",
                                            .member = "user:alice@example.com",
                                            .condition = &later});
    snapshot *s = fixture_build(b);
    json_auto_t *got = policy_bindings_of(s, "serviceAccounts/" BACKEND);
    json_auto_t *other = policy_bindings_of(s, "serviceAccounts/" FRONTEND);
    assert_json(got, "[{\"role\":\"roles/iam.serviceAccountTokenCreator\","
                     "  \"members\":[\"user:alice@example.com\"],"
                     "  \"condition\":{\"title\":\"later\",\"expression\":"
                     "\"request.time > timestamp('2030-01-01T00:00:00Z')\"}}]");
    assert_json(other, "[]");
    snapshot_unref(s);
}
END_TEST

/* A NULL refusal: accepted. */
static const struct {
    const char *bindings, *refusal;
} policies[] = {
    {"[]", NULL},
    {"[{\"role\":\"roles/run.invoker\",\"members\":[\"allUsers\"]}]", NULL},
    {"[{\"role\":\"roles/run.invoker\"}]", NULL},
    {"[{\"role\":\"roles/iam.roleAdmin\",\"members\":[\"allUsers\"]}]", NULL},
    {"[{\"role\":\"roles/storage.objectViewer\",\"members\":[\"allUsers\"]}]", NULL},
    {"[{\"role\":\"projects/my-project/roles/caller\",\"members\":[\"allUsers\"]}]", NULL},
    {"[{\"role\":\"roles/run.invoker\",\"members\":[\"user:a@x.org\"],\"condition\":{\"title\":"
     "\"t\",\"expression\":\"request.time < timestamp('2030-01-01T00:00:00Z')\"}}]",
     NULL},
    {"[{\"role\":\"roles/run.invoker\",\"members\":[\"user:a@x.org\",\"allUsers\"],\"condition\":"
     "{\"title\":\"t\",\"expression\":\"true\"}}]",
     "Conditions can't be set on bindings of allUsers or allAuthenticatedUsers: allUsers."},
    {"{}", "Invalid value at 'policy.bindings' (a list of bindings)"},
    {"[\"x\"]", "Invalid value at 'policy.bindings[0]' (google.iam.v1.Binding)"},
    {"[{\"members\":[]}]", "Invalid value at 'policy.bindings[0].role' (TYPE_STRING)"},
    {"[{\"role\":\"roles/viewer\",\"members\":{}}]",
     "Invalid value at 'policy.bindings[0].members' (a list of strings)"},
    {"[{\"role\":\"roles/viewer\",\"members\":[null]}]",
     "Invalid value at 'policy.bindings[0].members' (TYPE_STRING)"},
    {"[{\"role\":\"roles/viewer\",\"member\":[]}]",
     "Invalid JSON payload received. Unknown name \"member\" at 'policy.bindings[0]': Cannot find "
     "field."},
    {"[{\"role\":\"roles/run.invokr\"}]",
     "Role roles/run.invokr is not supported for this resource. Did you mean roles/run.invoker?"},
    {"[{\"role\":\"roles/king\"}]", "Role roles/king is not supported for this resource."},
    {"[{\"role\":\"projects/my-project/roles/none\"}]",
     "Role (projects/my-project/roles/none) does not exist in the resource's hierarchy."},
    {"[{\"role\":\"viewer\"}]",
     "The role name must be in the form \"roles/{role}\", "
     "\"organizations/{organization_id}/roles/{role}\", or \"projects/{project_id}/roles/{role}\"; "
     "this one is \"viewer\"."},
    {"[{\"role\":\"roles/viewer\",\"condition\":{\"title\":\"t\",\"expression\":\"true\"}}]",
     "Conditions can't be set on basic roles (roles/owner, roles/editor, roles/viewer): "
     "roles/viewer."},
    {"[{\"role\":\"roles/run.invoker\",\"condition\":\"true\"}]",
     "Invalid value at 'policy.bindings[0].condition' (google.type.Expr)"},
    {"[{\"role\":\"roles/run.invoker\",\"condition\":{\"expression\":\"true\"}}]",
     "A condition needs a title (binding of roles/run.invoker)."},
    {"[{\"role\":\"roles/run.invoker\",\"condition\":{\"title\":\"t\",\"expression\":5}}]",
     "Invalid value at 'policy.bindings[0].condition.expression' (TYPE_STRING)"},
};

START_TEST(bindings_are_checked_as_iam_checks_them)
{
    static const char *const held[] = {"run.routes.invoke", NULL};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_role(b, "projects/my-project/roles/caller", held);
    snapshot *s = fixture_build(b);
    error e = {0};
    json_t *normal = NULL;
    json_auto_t *given = parsed(policies[_i].bindings);
    const char *refusal = policies[_i].refusal;
    ck_assert(policy_bindings_check(s, given, &normal, &e) == !refusal);
    ck_assert_str_eq(e.text, refusal ? refusal : "");
    ck_assert((normal != NULL) == !refusal);
    json_decref(normal);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_condition_s_mistake_is_refused_with_its_place)
{
    snapshot *s = fixture_build(fixture_builder());
    error e = {0};
    json_t *normal = NULL;
    json_auto_t *given =
        parsed("[{\"role\":\"roles/run.invoker\",\"condition\":{\"title\":\"mine\",\"expression\":"
               "\"true &&\\n request.tim\"}}]");
    ck_assert(!policy_bindings_check(s, given, &normal, &e));
    ck_assert_msg(strstr(e.text, "condition \"mine\" of roles/run.invoker, line 2, column 2: "),
                  "%s", e.text);
    snapshot_unref(s);
}
END_TEST

static json_t *members_of_a_kind(const char *format, size_t n)
{
    json_t *list = json_array();
    char text[64];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text, sizeof text, "%s%zu@example.com", format, i);
        json_array_append_new(list, json_string(text));
    }
    return json_pack("[{s:s, s:o}]", "role", "roles/run.invoker", "members", list);
}

static const struct {
    const char *kind;
    size_t count;
    bool fits;
} sizes[] = {{"user:u", 1500, true},
             {"user:u", 1501, false},
             {"group:g", 250, true},
             {"group:g", 251, false}};

START_TEST(a_policy_has_a_size)
{
    snapshot *s = fixture_build(fixture_builder());
    error e = {0};
    json_t *normal = NULL;
    json_auto_t *given = members_of_a_kind(sizes[_i].kind, sizes[_i].count);
    ck_assert(policy_bindings_check(s, given, &normal, &e) == sizes[_i].fits);
    json_decref(normal);
    snapshot_unref(s);
}
END_TEST

static const struct {
    const char *version; /* NULL: absent */
    bool plain, conditional;
} versions[] = {{NULL, true, false},  {"0", true, false},      {"1", true, false},
                {"3", true, true},    {"2", false, false},     {"4", false, false},
                {"-1", false, false}, {"\"3\"", false, false}, {"3.0", false, false}};

START_TEST(conditions_need_version_3)
{
    json_error_t why;
    json_auto_t *version =
        versions[_i].version ? json_loads(versions[_i].version, JSON_DECODE_ANY, &why) : NULL;
    json_auto_t *plain = parsed("[{\"role\":\"roles/viewer\",\"members\":[\"allUsers\"]}]");
    json_auto_t *conditional = parsed("[{\"role\":\"roles/viewer\",\"condition\":{}}]");
    error e = {0};
    ck_assert(policy_version_check(version, plain, &e) == versions[_i].plain);
    ck_assert(policy_version_check(version, conditional, &e) == versions[_i].conditional);
}
END_TEST

/* A NULL refusal: accepted. */
static const struct {
    const char *member, *refusal;
} members[] = {
    {"allUsers", NULL},
    {"user:alice@example.com", NULL},
    {"serviceAccount:" FRONTEND, NULL},
    {"serviceAccount:" COMPUTE, NULL},
    {"serviceAccount:robot@another.iam.gserviceaccount.com", NULL},
    {"serviceAccount:my-project.svc.id.goog[ns/app]", NULL},
    {"deleted:serviceAccount:" FRONTEND "?uid=123456789012345678901", NULL},
    {"group:team@example.com", NULL},
    {"domain:example.com", NULL},
    {"serviceAccount:ghost@my-project.iam.gserviceaccount.com",
     "Service account ghost@my-project.iam.gserviceaccount.com does not exist."},
    {"alice@example.com", "The member alice@example.com is of an unknown type. Please set a valid "
                          "type prefix for the member."},
    {"user:" FRONTEND, "Principal " FRONTEND " is of type \"serviceAccount\". The principal should "
                       "appear as \"serviceAccount:" FRONTEND "\"."},
    {"serviceAccount:alice@example.com",
     "Principal alice@example.com is of type \"user\". The principal should appear as "
     "\"user:alice@example.com\"."},
    {"User:alice@example.com", "Invalid argument: member \"User:alice@example.com\" is not valid: "
                               "write \"user\" (case counts)"},
    {"allusers", "The member allusers is of an unknown type. Please set a valid type prefix for "
                 "the member."},
};

START_TEST(members_are_checked_as_iam_checks_them)
{
    snapshot *s = fixture_build(fixture_builder());
    error e = {0};
    const char *refusal = members[_i].refusal;
    ck_assert(policy_member_check(s, members[_i].member, &e) == !refusal);
    ck_assert_str_eq(e.text, refusal ? refusal : "");
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("iam_policy");
    TCase *t = tcase_create("iam_policy");
    tcase_add_test(t, bindings_are_joined_sorted_and_without_doubles);
    tcase_add_test(t, the_file_is_shown_as_a_policy_of_each_resource);
    tcase_add_test(t, conditions_and_accounts_of_the_file_are_shown);
    tcase_add_loop_test(t, bindings_are_checked_as_iam_checks_them, 0, countof(policies));
    tcase_add_test(t, a_condition_s_mistake_is_refused_with_its_place);
    tcase_add_loop_test(t, a_policy_has_a_size, 0, countof(sizes));
    tcase_add_loop_test(t, conditions_need_version_3, 0, countof(versions));
    tcase_add_loop_test(t, members_are_checked_as_iam_checks_them, 0, countof(members));
    suite_add_tcase(s, t);
    return check_main(s);
}
