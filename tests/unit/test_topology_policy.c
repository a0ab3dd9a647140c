/* Accounts, users, groups, the matrix and raw IAM policies: what is refused, and what each accepted
 * form grants. */
#include "topology_fixture.h"

/* Lines 2 to 6 of most texts. */
#define WORLD                                                                                      \
    PROJECT "service_accounts: { frontend-sa: {}, backend-sa: {} }\n"                              \
            "services: { frontend: { service_account: frontend-sa }, backend-api: {} }\n"          \
            "users: [alice@example.com]\n"                                                         \
            "groups: { team@example.com: [alice@example.com] }\n"
#define MATRIX(entry) WORLD "matrix: {" entry "}\n"
#define POLICY(bindings)                                                                           \
    PROJECT "services:\n"                                                                          \
            "  api:\n"                                                                             \
            "    policy:\n"                                                                        \
            "      bindings:\n" bindings

static const problem_row REFUSED[] = {
    /* accounts */
    {PROJECT "service_accounts: { Frontend_SA: {} }\n",
     "t.yaml:2:21: 'Frontend_SA' is not a service account name: expected at most 30 lower-case "
     "letters, digits and hyphens, a letter first, or a whole ...gserviceaccount.com address\n"},
    {PROJECT "service_accounts: { alice@example.com: {} }\n",
     "t.yaml:2:21: 'alice@example.com' is not a service account name: expected at most 30 "
     "lower-case letters, digits and hyphens, a letter first, or a whole ...gserviceaccount.com "
     "address\n"},
    {PROJECT "service_accounts: { a-sa: { name: x } }\n",
     "t.yaml:2:29: unknown key 'name' in service account 'a-sa'; there are: display_name, "
     "description, disabled, unique_id, policy\n"},
    {PROJECT "service_accounts: { a-sa: { display_name: [] } }\n",
     "t.yaml:2:43: display_name: expected text, found a list\n"},
    {PROJECT "service_accounts: { a-sa: { disabled: 1 } }\n",
     "t.yaml:2:39: disabled: expected true or false, found '1'\n"},
    {PROJECT "service_accounts:\n  a-sa: {}\n  a-sa@my-project.iam.gserviceaccount.com: {}\n",
     "t.yaml:4:3: service account 'a-sa@my-project.iam.gserviceaccount.com' is already defined at "
     "t.yaml:3\n"},
    {WORLD "limits:\n" PROJECT, "t.yaml:7:1: duplicate key 'project'; the first is at line 1\n"},
    {PROJECT "service_accounts: { frontend-sa: {} }\n"
             "services: { api: { service_account: frontnd-sa } }\n",
     "t.yaml:3:37: service account 'frontnd-sa' of service 'api' is not defined; did you mean "
     "'frontend-sa'?\n"},
    /* users and groups */
    {PROJECT "users: { alice: x }\n",
     "t.yaml:2:8: users: expected a list such as [alice@example.com], found a mapping\n"},
    {PROJECT "users: [alice]\n",
     "t.yaml:2:9: users: expected an e-mail address such as alice@example.com, found 'alice'\n"},
    {PROJECT "users: [a@p.iam.gserviceaccount.com]\n",
     "t.yaml:2:9: users: expected an e-mail address such as alice@example.com, found "
     "'a@p.iam.gserviceaccount.com'\n"},
    {PROJECT "users: [a@example.com, b@example.com, a@example.com]\n",
     "t.yaml:2:39: user 'a@example.com' is already given at t.yaml:2\n"},
    {PROJECT "groups: { team: [] }\n",
     "t.yaml:2:11: groups: expected an e-mail address such as team@example.com, found 'team'\n"},
    {PROJECT "groups: { t@example.com: bob }\n",
     "t.yaml:2:26: t@example.com: expected a list of members, found 'bob'\n"},
    {PROJECT "groups: { t@example.com: [bob@example.com] }\n",
     "t.yaml:2:27: caller 'bob@example.com' in groups is not defined: neither a service account, a "
     "group nor a user\n"},
    {PROJECT "groups: { t@example.com: [allUsers] }\n",
     "t.yaml:2:27: 'allUsers' cannot be a member of a group; users, service accounts and groups "
     "can\n"},
    {PROJECT "groups: { t@example.com: [[x]] }\n",
     "t.yaml:2:27: t@example.com: expected the name of a member, found a list\n"},
    {PROJECT "users: [t@example.com]\ngroups: { t@example.com: [] }\n",
     "t.yaml:3:11: 't@example.com' is both a group and a user\n"},
    {PROJECT "groups:\n  a@example.com: [b@example.com]\n  b@example.com: [a@example.com]\n",
     "t.yaml:4:3: group 'a@example.com' contains itself through 'b@example.com'\n"},
    {PROJECT "groups:\n  a@example.com: [group:a@example.com]\n",
     "t.yaml:3:3: group 'a@example.com' contains itself through 'a@example.com'\n"},
    /* matrix */
    {WORLD "matrix: [a]\n", "t.yaml:6:9: matrix: expected a mapping, found a list\n"},
    {MATRIX("frontend-sa: backend-api"),
     "t.yaml:6:23: frontend-sa: expected a list of services such as [backend-api], found "
     "'backend-api'\n"},
    {MATRIX("frontend-sa: [backnd-api]"), "t.yaml:6:24: service 'backnd-api' in matrix is not "
                                          "defined; did you mean 'backend-api'?\n"},
    {MATRIX("frontend-sa: [[x]]"),
     "t.yaml:6:24: matrix: expected the name of a service, found a list\n"},
    {MATRIX("frontend-sa: [frontend, frontend]"),
     "t.yaml:6:34: service 'frontend' is listed twice for the same caller\n"},
    {MATRIX("frontnd-sa: [frontend]"),
     "t.yaml:6:10: caller 'frontnd-sa' in matrix is not defined: neither a service account, a "
     "group nor a user; did you mean 'frontend-sa'?\n"},
    {MATRIX("alusers: [frontend]"),
     "t.yaml:6:10: caller 'alusers' in matrix is not defined: neither a service account, a group "
     "nor a user; did you mean 'allUsers'?\n"},
    {MATRIX("frontend: [backend-api]"),
     "t.yaml:6:10: 'frontend' in matrix is a service, not a caller: callers are accounts; did you "
     "mean 'frontend-sa', as which it runs?\n"},
    {MATRIX("bob@example.com: [frontend]"),
     "t.yaml:6:10: caller 'bob@example.com' in matrix is not defined: neither a service account, a "
     "group nor a user\n"},
    {MATRIX("\"group:tem@example.com\": [frontend]"),
     "t.yaml:6:10: group 'tem@example.com' in matrix is not defined; did you mean "
     "'team@example.com'?\n"},
    {MATRIX("\"serviceAccount:frontnd-sa@my-project.iam.gserviceaccount.com\": [frontend]"),
     "t.yaml:6:10: service account 'frontnd-sa@my-project.iam.gserviceaccount.com' in matrix is "
     "not defined; did you mean 'frontend-sa'?\n"},
    {MATRIX("\"user:bob\": [frontend]"), "t.yaml:6:10: member \"user:bob\" is not valid: expected "
                                         "an e-mail address behind the prefix\n"},
    {MATRIX("\"serviceaccount:a@b.iam.gserviceaccount.com\": [frontend]"),
     "t.yaml:6:10: member \"serviceaccount:a@b.iam.gserviceaccount.com\" is not valid: write "
     "\"serviceAccount\" (case counts)\n"},
    /* raw policies */
    {PROJECT "services: {api: {policy: [x]}}\n",
     "t.yaml:2:26: a policy: expected a mapping, found a list\n"},
    {PROJECT "project: {policy: {}}\n",
     "t.yaml:2:1: duplicate key 'project'; the first is at line 1\n"},
    {PROJECT "services: {api: {policy: {binding: []}}}\n",
     "t.yaml:2:27: unknown key 'binding' in a policy; did you mean 'bindings'?\n"},
    {PROJECT "services: {api: {policy: {bindings: x}}}\n",
     "t.yaml:2:37: bindings: expected a list of bindings, found 'x'\n"},
    {PROJECT "services: {api: {policy: {version: 2}}}\n",
     "t.yaml:2:36: version: expected 1 or 3, found '2'\n"},
    {PROJECT "services: {api: {policy: {etag: [x]}}}\n",
     "t.yaml:2:33: etag: expected text, found a list\n"},
    {POLICY("      - roles/run.invoker\n"),
     "t.yaml:6:9: bindings: expected a mapping with role and members, found "
     "'roles/run.invoker'\n"},
    {POLICY("      - role: roles/run.invoker\n"), "t.yaml:6:9: a binding needs 'members'\n"},
    {POLICY("      - members: [allUsers]\n"), "t.yaml:6:9: a binding needs 'role'\n"},
    {POLICY("      - role: roles/run.invoke\n        members: [allUsers]\n"),
     "t.yaml:6:15: unknown role 'roles/run.invoke'; did you mean 'roles/run.invoker'?\n"},
    {POLICY("      - role: invoker\n        members: [allUsers]\n"),
     "t.yaml:6:15: unknown role 'invoker'\n"},
    {POLICY("      - role: projects/p/roles/mine\n        members: [allUsers]\n"),
     "t.yaml:6:15: custom role 'projects/p/roles/mine' is not defined under 'roles'\n"},
    {POLICY("      - role: roles/run.invoker\n        members: allUsers\n"),
     "t.yaml:7:18: members: expected a list of members, found 'allUsers'\n"},
    {POLICY("      - role: roles/run.invoker\n        members:\n        - alice@example.com\n"),
     "t.yaml:8:11: member \"alice@example.com\" lacks its kind: write "
     "\"user:alice@example.com\"\n"},
    {POLICY("      - role: roles/run.invoker\n        members: [{}]\n"),
     "t.yaml:7:19: members: expected a member such as user:alice@example.com, found a mapping\n"},
    {POLICY("      - role: roles/run.invoker\n        members: [allUsers]\n        member: x\n"),
     "t.yaml:8:9: unknown key 'member' in a binding; did you mean 'members'?\n"},
};

START_TEST(what_is_refused_says_where_and_why)
{
    check_problems(&REFUSED[_i]);
}
END_TEST

typedef struct grant_row {
    const char *text;
    const char *service; /* NULL: at project level */
    const char *role, *member;
    uint32_t line, column;
} grant_row;

#define SA(name) "serviceAccount:" name "@my-project.iam.gserviceaccount.com"
#define RUN      "roles/run.invoker"

static const grant_row GRANTS[] = {
    {MATRIX("allUsers: [frontend]"), "frontend", RUN, "allUsers", 6, 21},
    {MATRIX("allAuthenticatedUsers: [frontend]"), "frontend", RUN, "allAuthenticatedUsers", 6, 34},
    {MATRIX("frontend-sa: [backend-api]"), "backend-api", RUN, SA("frontend-sa"), 6, 24},
    {MATRIX("frontend-sa@my-project.iam.gserviceaccount.com: [frontend]"), "frontend", RUN,
     SA("frontend-sa"), 6, 59},
    {MATRIX("\"" SA("backend-sa") "\": [frontend]"), "frontend", RUN, SA("backend-sa"), 6, 75},
    {MATRIX("123456789012-compute@developer.gserviceaccount.com: [frontend]"), "frontend", RUN,
     "serviceAccount:123456789012-compute@developer.gserviceaccount.com", 6, 63},
    {MATRIX("\"serviceAccount:x@other-project.iam.gserviceaccount.com\": [frontend]"), "frontend",
     RUN, "serviceAccount:x@other-project.iam.gserviceaccount.com", 6, 69},
    {MATRIX("alice@example.com: [frontend]"), "frontend", RUN, "user:alice@example.com", 6, 30},
    {MATRIX("\"user:bob@example.com\": [frontend]"), "frontend", RUN, "user:bob@example.com", 6,
     35},
    {MATRIX("team@example.com: [frontend]"), "frontend", RUN, "group:team@example.com", 6, 29},
    {MATRIX("\"group:team@example.com\": [frontend]"), "frontend", RUN, "group:team@example.com", 6,
     37},
    {MATRIX("\"domain:example.com\": [frontend]"), "frontend", RUN, "domain:example.com", 6, 33},
    {POLICY("      - members:\n        - user:bob@example.com\n        role: roles/run.admin\n"),
     "api", "roles/run.admin", "user:bob@example.com", 7, 11},
    /* As gcloud prints it; who is not of this topology is kept as written. */
    {POLICY("      - members:\n        - serviceAccount:a@b.iam.gserviceaccount.com\n"
            "        role: roles/run.invoker\n      etag: BwWWja0YfJA=\n      version: 1\n"),
     "api", RUN, "serviceAccount:a@b.iam.gserviceaccount.com", 7, 11},
    {POLICY("      - members: ['deleted:user:x@example.com?uid=123']\n"
            "        role: roles/viewer\n      version: 3\n"),
     "api", "roles/viewer", "deleted:user:x@example.com?uid=123", 6, 19},
    {"project:\n  id: my-project\n  policy:\n    bindings:\n"
     "    - { role: roles/editor, members: ['user:bob@example.com'] }\n",
     NULL, "roles/editor", "user:bob@example.com", 5, 39},
};

START_TEST(each_accepted_form_grants_what_it_says)
{
    const grant_row *row = &GRANTS[_i];
    snapshot *s = load_good(row->text);
    ck_assert_uint_eq(snapshot_binding_count(s), 1);
    const binding *b = snapshot_binding(s, 0);
    ck_assert_int_eq(b->project_level, row->service == NULL);
    if (row->service)
        ck_assert_str_eq(snapshot_service(s, b->service)->name, row->service);
    ck_assert_str_eq(b->role, row->role);
    ck_assert_str_eq(b->member, row->member);
    ck_assert_str_eq(b->place.file, "t.yaml");
    ck_assert_uint_eq(b->place.line, row->line);
    ck_assert_uint_eq(b->place.column, row->column);
    snapshot_unref(s);
}
END_TEST

START_TEST(matrix_and_policies_add_up)
{
    snapshot *s = load_good("project:\n  id: my-project\n  policy:\n    bindings:\n"
                            "    - { role: roles/owner, members: [user:o@example.com] }\n"
                            "service_accounts: { a-sa: {} }\n"
                            "services:\n  api:\n    policy:\n      bindings:\n"
                            "      - { role: roles/run.invoker, members: [user:b@example.com,"
                            " domain:example.org] }\n"
                            "matrix: { a-sa: [api], allAuthenticatedUsers: }\n");
    ck_assert_uint_eq(snapshot_binding_count(s), 4);
    snapshot_unref(s);
}
END_TEST

static bool granted(const snapshot *s, const char *service_name, const char *email)
{
    principal who;
    ck_assert(snapshot_principal(s, email, NULL, &who));
    return snapshot_grant(s, snapshot_find_service(s, span_of(service_name)), &who, 0) != NULL;
}

START_TEST(members_of_a_group_are_granted_through_nested_groups)
{
    snapshot *s = load_good(PROJECT "service_accounts: { ci-sa: {} }\n"
                                    "services: { api: {} }\n"
                                    "users: [alice@example.com, eve@example.com]\n"
                                    "groups:\n"
                                    "  team@example.com: [alice@example.com, crew@example.com]\n"
                                    "  crew@example.com: [ci-sa, 'user:bob@example.com']\n"
                                    "matrix: { team@example.com: [api] }\n");
    ck_assert(granted(s, "api", "alice@example.com"));
    ck_assert(granted(s, "api", "bob@example.com"));
    ck_assert(granted(s, "api", "ci-sa@my-project.iam.gserviceaccount.com"));
    ck_assert(!granted(s, "api", "eve@example.com"));
    snapshot_unref(s);
}
END_TEST

START_TEST(accounts_are_completed_and_described)
{
    snapshot *s = load_good(PROJECT "service_accounts:\n"
                                    "  a-sa: { display_name: The A, disabled: true }\n"
                                    "  x@other-project.iam.gserviceaccount.com:\n"
                                    "services: { api: { service_account: a-sa }, own: {} }\n");
    const account *a =
        snapshot_find_account(s, SPAN_LIT("a-sa@my-project.iam.gserviceaccount.com"));
    ck_assert_ptr_nonnull(a);
    ck_assert_str_eq(a->display_name, "The A");
    ck_assert(a->disabled);
    ck_assert_ptr_nonnull(
        snapshot_find_account(s, SPAN_LIT("x@other-project.iam.gserviceaccount.com")));
    ck_assert_ptr_eq(snapshot_service(s, 0)->account, a);
    ck_assert(!snapshot_service(s, 0)->account_is_default);
    ck_assert(snapshot_service(s, 1)->account_is_default);
    ck_assert_str_eq(snapshot_service(s, 1)->account->email,
                     "123456789012-compute@developer.gserviceaccount.com");
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("topology policy");
    TCase *t = tcase_create("grants");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_add_loop_test(t, what_is_refused_says_where_and_why, 0, countof(REFUSED));
    tcase_add_loop_test(t, each_accepted_form_grants_what_it_says, 0, countof(GRANTS));
    tcase_add_test(t, matrix_and_policies_add_up);
    tcase_add_test(t, members_of_a_group_are_granted_through_nested_groups);
    tcase_add_test(t, accounts_are_completed_and_described);
    suite_add_tcase(s, t);
    return check_main(s);
}
