/* Conditions, custom roles, deny rules, images and propagation delays in a topology: what each form
 * means, and what is refused at which place. */
#include "policy/role.h"
#include "topology_fixture.h"

/* A binding's condition; line 8 is the condition's first. */
#define CONDITION(lines)                                                                           \
    PROJECT "services: { api: { policy: { bindings: [\n"                                           \
            "  {\n"                                                                                \
            "    role: roles/run.invoker,\n"                                                       \
            "    members: ['user:a@example.com'],\n"                                               \
            "    condition: {\n" lines "  } } ] } } }\n"
/* The same in block style: the expression is at line 9, from column 23 on. */
#define BINDING(role, members, expression)                                                         \
    PROJECT "services:\n  api:\n    policy:\n      bindings:\n"                                    \
            "      - role: " role "\n        members: [" members "]\n        condition:\n"         \
            "          expression: " expression "\n          title: t\n"
#define ALICE        "'user:alice@example.com'"
#define EXPR(e)      BINDING("roles/run.invoker", ALICE, e)
#define EMULATION(v) PROJECT "emulation: { propagation_delay: " v " }\n"
#define ROLES(v)     PROJECT "roles: { " v " }\n"
#define DENY(v)      PROJECT "deny:\n- " v "\n"
#define EVERYBODY    "deniedPrincipals: ['principalSet://goog/public:all']"
#define INVOKE       "deniedPermissions: [run.googleapis.com/routes.invoke]"
#define PERMISSIONS  "  " INVOKE
#define NOT_CONDITION                                                                              \
    "cannot be granted a role with a condition; put them into a binding without one\n"

#define KNOWN "; known here: request.time, resource.name, resource.service, resource.type"

static const problem_row REFUSED[] = {
    /* conditions: the place is the expression's, and the column counts within it */
    {EXPR("request.path == '/a'"),
     "t.yaml:9:23: expression: request.path: Cloud Run offers no part of the URL to conditions "
     "(Identity-Aware Proxy does); grant on the service instead\n"},
    {EXPR("true && resource.nam == 'x'"),
     "t.yaml:9:31: expression: unknown attribute 'resource.nam'" KNOWN "\n"},
    {EXPR("\"'é' == 'é' && x\""), "t.yaml:9:38: expression: unknown attribute 'x'" KNOWN "\n"},
    {EXPR("'x'"), "t.yaml:9:24: expression: unknown attribute 'x'" KNOWN "\n"},
    {EXPR("|\n            true &&\n              x"),
     "t.yaml:11:15: expression: unknown attribute 'x'" KNOWN "\n"},
    {EXPR("|2\n              true &&\n            x"),
     "t.yaml:11:13: expression: unknown attribute 'x'" KNOWN "\n"},
    {EXPR("|\n\n            true &&\n            x"),
     "t.yaml:12:13: expression: unknown attribute 'x'" KNOWN "\n"},
    {EXPR(">\n            true &&\n            x"),
     "t.yaml:9:23: expression: unknown attribute 'x'" KNOWN " (its line 1, column 9)\n"},
    {EXPR("\"'\\t' == '' && x\""),
     "t.yaml:9:23: expression: unknown attribute 'x'" KNOWN " (its line 1, column 14)\n"},
    {EXPR(""), "t.yaml:9:11: condition: a condition needs an expression\n"},
    {EXPR("[x]"), "t.yaml:9:23: expression: expected text, found a list\n"},
    {CONDITION("      expression: 'true'\n"),
     "t.yaml:6:16: condition: a condition needs a title\n"},
    {CONDITION("      expression: 'true', titel: x\n"),
     "t.yaml:6:16: condition: a condition needs a title\n"
     "t.yaml:7:27: unknown key 'titel' in a condition; did you mean 'title'?\n"},
    {BINDING("roles/run.invoker", "allUsers, " ALICE, "'true'"),
     "t.yaml:7:19: allUsers and allAuthenticatedUsers " NOT_CONDITION},
    {BINDING("roles/run.invoker", ALICE ", allAuthenticatedUsers", "'true'"),
     "t.yaml:7:45: allUsers and allAuthenticatedUsers " NOT_CONDITION},
    {BINDING("roles/editor", ALICE, "'true'"),
     "t.yaml:9:11: the basic roles owner, editor and viewer cannot be granted with a condition; "
     "use "
     "a role of the service, such as roles/run.invoker\n"},
    {PROJECT "services: {api: {policy: {bindings: [{role: roles/run.invoker, members: [], "
             "condition: 'true'}]}}}\n",
     "t.yaml:2:88: condition: expected a mapping with title and expression, found 'true'\n"},
    /* propagation */
    {EMULATION("1"),
     "t.yaml:2:33: propagation_delay: expected a duration such as 300s or 5m, found "
     "'1'; did you mean '1s'?\n"},
    {EMULATION("25h"), "t.yaml:2:33: propagation_delay: expected 0s to 86400s, found '25h'\n"},
    {EMULATION("[1s]"),
     "t.yaml:2:33: propagation_delay: expected a duration such as 300s or 5m, found a list\n"},
    {EMULATION("{}"), "t.yaml:2:33: a propagation delay needs 'delay', or 'min' and 'max'\n"},
    {EMULATION("{ min: 1s }"), "t.yaml:2:40: 'max' is missing beside this\n"},
    {EMULATION("{ max: 1s }"), "t.yaml:2:40: 'min' is missing beside this\n"},
    {EMULATION("{ min: 2s, max: 1s }"), "t.yaml:2:49: max: '1s' is less than min\n"},
    {EMULATION("{ min: 2s, max: x }"),
     "t.yaml:2:49: max: expected a duration such as 300s or 5m, found 'x'\n"},
    {EMULATION("{ delay: 2s, max: 3s }"), "t.yaml:2:42: write either 'delay' or 'min' and 'max'\n"},
    {EMULATION("{ delay: 2s, mode: flaping }"),
     "t.yaml:2:52: mode: expected monotonic or flapping, found 'flaping'; did you mean "
     "'flapping'?\n"},
    {EMULATION("{ delay: 2s, seed: -1 }"),
     "t.yaml:2:52: seed: expected a whole number, found '-1'\n"},
    {EMULATION("{ delay: 2s, rules: x }"),
     "t.yaml:2:53: rules: expected a list of rules, found 'x'\n"},
    {EMULATION("{ rules: [{ service: api }] }"),
     "t.yaml:2:43: a propagation delay needs 'delay', or 'min' and 'max'\n"},
    {EMULATION("{ rules: [{ servce: api, delay: 1s }] }"),
     "t.yaml:2:45: unknown key 'servce' in a rule of propagation_delay; did you mean 'service'?\n"},
    {EMULATION("{ rules: [{ service: Api, delay: 1s }] }"),
     "t.yaml:2:54: service: expected the name of a service, found 'Api'\n"},
    {EMULATION("{ rules: [{ service_account: a-sa, delay: 1s }] }"),
     "t.yaml:2:62: service account 'a-sa' is not defined\n"},
    {EMULATION("{ rules: [{ role: roles/run.invoke, delay: 1s }] }"),
     "t.yaml:2:51: unknown role 'roles/run.invoke'; did you mean 'roles/run.invoker'?\n"},
    {EMULATION("{ rules: [{ member: 'user:x', delay: 1s }] }"),
     "t.yaml:2:53: member \"user:x\" is not valid: expected an e-mail address behind the prefix\n"},
    {PROJECT "service_accounts: { a-sa: {} }\nemulation: { propagation_delay: { rules: [{ service: "
             "api, service_account: a-sa, delay: 1s }] } }\n",
     "t.yaml:3:76: a binding is either a service's or a service account's; write two rules\n"},
    /* custom roles */
    {PROJECT "roles: [x]\n", "t.yaml:2:8: roles: expected a mapping, found a list\n"},
    {ROLES("a: []"), "t.yaml:2:10: roles: expected the ID of a custom role: 3 to 64 letters, "
                     "digits, '_' and '.', found 'a'\n"},
    {ROLES("project/p/roles/abc: []"),
     "t.yaml:2:10: roles: expected the ID of a custom role: 3 to 64 letters, digits, '_' and '.', "
     "found 'project/p/roles/abc'\n"},
    {ROLES("abc: run.routes.invoke"),
     "t.yaml:2:15: abc: expected a list such as [one, two], found 'run.routes.invoke'\n"},
    {ROLES("abc: [run.invoke]"),
     "t.yaml:2:16: abc: expected a permission such as run.routes.invoke, found 'run.invoke'\n"},
    {ROLES("abc: [run.googleapis.com/routes.invoke]"),
     "t.yaml:2:16: abc: expected a permission such as run.routes.invoke, found "
     "'run.googleapis.com/routes.invoke'\n"},
    {ROLES("abc: [], projects/my-project/roles/abc: []"),
     "t.yaml:2:19: role 'projects/my-project/roles/abc' is already defined at t.yaml:2\n"},
    {ROLES("caller: [run.routes.invoke]") "services: { api: { policy: { bindings: [{ role: "
                                          "projects/my-project/roles/calle, members: "
                                          "[" ALICE "] }] } } }\n",
     "t.yaml:3:49: custom role 'projects/my-project/roles/calle' is not defined under 'roles'; did "
     "you mean 'projects/my-project/roles/caller'?\n"},
    /* deny rules */
    {PROJECT "deny: {}\n", "t.yaml:2:7: deny: expected a list of deny rules, found a mapping\n"},
    {DENY("x"), "t.yaml:3:3: deny: expected a mapping with deniedPrincipals and "
                "deniedPermissions, found 'x'\n"},
    {DENY(EVERYBODY), "t.yaml:3:3: a deny rule needs 'deniedPermissions'\n"},
    {DENY(INVOKE), "t.yaml:3:3: a deny rule needs 'deniedPrincipals'\n"},
    {DENY(EVERYBODY "\n" PERMISSIONS "\n  deniedPermission: []"),
     "t.yaml:5:3: unknown key 'deniedPermission' in a deny rule; did you mean "
     "'deniedPermissions'?\n"},
    {DENY("deniedPrincipals: ['user:a@example.com']\n" PERMISSIONS),
     "t.yaml:3:22: principal \"user:a@example.com\" is not valid in a deny policy: expected "
     "principal://goog/subject/EMAIL, principalSet://goog/group/EMAIL, "
     "principal://iam.googleapis.com/projects/-/serviceAccounts/EMAIL or "
     "principalSet://goog/public:all\n"},
    {DENY(EVERYBODY "\n  deniedPermissions: [run.routes.invoke]"),
     "t.yaml:4:23: permission \"run.routes.invoke\" is not valid in a deny policy: expected "
     "SERVICE.googleapis.com/RESOURCE.VERB, such as run.googleapis.com/routes.invoke\n"},
    {DENY(EVERYBODY "\n" PERMISSIONS "\n  denialCondition: { title: x, expression: 'true' }"),
     "t.yaml:5:3: denialCondition: such conditions look at resource tags, which are not emulated; "
     "leave it out, and the rule always applies\n"},
    {DENY("denyRule: { denyRule: {}, " EVERYBODY ", " INVOKE " }"),
     "t.yaml:3:25: denyRule stands within a denyRule\n"},
    /* images */
    {PROJECT "images: [x]\n", "t.yaml:2:9: images: expected a mapping, found a list\n"},
    {PROJECT "images: { gcr.io/p/a: run }\n",
     "t.yaml:2:23: gcr.io/p/a: expected a list such as [build/samples/frontend, --verbose], found "
     "'run'\n"},
    {PROJECT "images: { gcr.io/p/a: [] }\n", "t.yaml:2:23: gcr.io/p/a: expected a list such as "
                                             "[build/samples/frontend, --verbose], found a "
                                             "list\n"},
    {PROJECT "images: { 'a b': [x] }\n",
     "t.yaml:2:11: images: expected an image such as gcr.io/my-project/frontend, found 'a b'\n"},
};

START_TEST(what_is_refused_says_where_and_why)
{
    check_problems(&REFUSED[_i]);
}
END_TEST

/* ---- what counts ---- */

START_TEST(an_empty_project_is_a_project)
{
    static const char *const texts[] = {PROJECT, PROJECT "services:\n", PROJECT "services: {}\n",
                                        "project: { id: my-project }\n"};
    for (size_t i = 0; i < countof(texts); i++) {
        snapshot *s = load_good(texts[i]);
        ck_assert_uint_eq(snapshot_service_count(s), 0);
        ck_assert_uint_eq(snapshot_binding_count(s), 0);
        ck_assert_uint_eq(snapshot_account_count(s), 1);
        ck_assert_ptr_nonnull(snapshot_project(s)->control_listen);
        snapshot_unref(s);
    }
}
END_TEST

START_TEST(a_binding_keeps_its_condition)
{
    snapshot *s = load_good(PROJECT "services:\n  api:\n    policy:\n      version: 3\n"
                                    "      bindings:\n      - role: roles/run.invoker\n"
                                    "        members: [" ALICE "]\n        condition:\n"
                                    "          title: until 2030\n"
                                    "          description: then no more\n"
                                    "          expression: |-\n"
                                    "            request.time <\n"
                                    "              timestamp('2030-01-01T00:00:00Z')\n");
    const binding *b = snapshot_binding(s, 0);
    ck_assert_ptr_nonnull(b->condition);
    const condition_text *text = condition_get(b->condition);
    ck_assert_str_eq(text->title, "until 2030");
    ck_assert_str_eq(text->description, "then no more");
    ck_assert_str_eq(text->expression, "request.time <\n  timestamp('2030-01-01T00:00:00Z')");
    principal p;
    ck_assert(snapshot_principal(s, "alice@example.com", NULL, &p));
    const service *api = snapshot_service(s, 0);
    const int64_t end_us = INT64_C(1893456000) * 1000000;
    ck_assert_ptr_eq(snapshot_grant(s, api, &p, end_us - 1), b);
    ck_assert_ptr_null(snapshot_grant(s, api, &p, end_us));
    snapshot_unref(s);
}
END_TEST

START_TEST(a_delay_is_a_duration_or_a_range)
{
    snapshot *s = load_good(PROJECT);
    ck_assert(!emulation_is_delayed(snapshot_emulation(s)));
    snapshot_unref(s);
    s = load_good(EMULATION("90s"));
    const emulation *e = snapshot_emulation(s);
    ck_assert(e->propagation.min_s == 90 && e->propagation.max_s == 90 && !e->propagation.flapping);
    ck_assert_uint_eq(e->propagation_rule_count, 0);
    snapshot_unref(s);
    s = load_good(EMULATION("{ min: 40s, max: 7m, mode: flapping, seed: 18446744073709551615 }"));
    e = snapshot_emulation(s);
    ck_assert(e->propagation.min_s == 40 && e->propagation.max_s == 420 && e->propagation.flapping);
    ck_assert_uint_eq(e->propagation_seed, UINT64_MAX);
    snapshot_unref(s);
    s = load_good(EMULATION("{ delay: 1m, mode: monotonic }"));
    e = snapshot_emulation(s);
    ck_assert(e->propagation.min_s == 60 && e->propagation.max_s == 60 && !e->propagation.flapping);
    snapshot_unref(s);
}
END_TEST

START_TEST(rules_give_certain_bindings_their_own_delay)
{
    snapshot *s =
        load_good(PROJECT "service_accounts: { a-sa: {} }\n"
                          "roles: { caller: [run.routes.invoke] }\n"
                          "emulation:\n  propagation_delay:\n    mode: flapping\n    rules:\n"
                          "    - { service: deployed-later, delay: 5s, mode: monotonic }\n"
                          "    - { service_account: a-sa, min: 1s, max: 2s }\n"
                          "    - { role: projects/my-project/roles/caller, delay: 0s }\n"
                          "    - { member: a-sa, delay: 9s }\n");
    const emulation *e = snapshot_emulation(s);
    const delay_rule *r = e->propagation_rules;
    ck_assert_uint_eq(e->propagation_rule_count, 4);
    ck_assert_int_eq(e->propagation.max_s, 0);
    ck_assert(emulation_is_delayed(e));
    ck_assert_str_eq(r[0].service, "deployed-later");
    ck_assert(r[0].delay.min_s == 5 && r[0].delay.max_s == 5 && !r[0].delay.flapping);
    ck_assert_str_eq(r[1].account, "a-sa@my-project.iam.gserviceaccount.com");
    ck_assert(r[1].delay.min_s == 1 && r[1].delay.max_s == 2 && r[1].delay.flapping);
    ck_assert_str_eq(r[2].role, "projects/my-project/roles/caller");
    ck_assert_str_eq(r[3].member, "serviceAccount:a-sa@my-project.iam.gserviceaccount.com");
    ck_assert(!r[3].service && !r[3].account && !r[3].role);
    snapshot_unref(s);
}
END_TEST

START_TEST(custom_roles_grant_what_they_list)
{
    snapshot *s = load_good(
        ROLES("caller: [run.services.get, run.routes.invoke], reader: [run.services.get],"
              " organizations/7/roles/mine: [run.routes.invoke]") "services:\n  api:\n    "
                                                                  "policy:\n      bindings:\n"
                                                                  "      - { role: "
                                                                  "projects/my-project/roles/"
                                                                  "caller, members: [" ALICE "] }\n"
                                                                  "      - { role: "
                                                                  "projects/my-project/roles/"
                                                                  "reader, members: [" ALICE "] }\n"
                                                                  "      - { role: "
                                                                  "organizations/7/roles/mine, "
                                                                  "members: [" ALICE "] }\n"
                                                                  "      - { role: "
                                                                  "roles/storage.objectViewer, "
                                                                  "members: [" ALICE "] }\n");
    ck_assert_uint_eq(snapshot_role_count(s), 3);
    ck_assert(snapshot_binding(s, 0)->invokes);
    ck_assert(!snapshot_binding(s, 1)->invokes);
    ck_assert(snapshot_binding(s, 2)->invokes);
    ck_assert(!snapshot_binding(s, 3)->invokes);
    ck_assert(snapshot_role_grants(s, SPAN_LIT("projects/my-project/roles/reader"),
                                   SPAN_LIT("run.services.get")));
    snapshot_unref(s);
}
END_TEST

START_TEST(deny_rules_forbid)
{
    snapshot *s = load_good(DENY(EVERYBODY "\n  " INVOKE "\n  exceptionPrincipals: "
                                           "[principal://goog/subject/alice@example.com]"));
    ck_assert_uint_eq(snapshot_deny_count(s), 1);
    ck_assert_uint_eq(snapshot_deny(s, 0)->place.line, 3);
    principal alice, bob;
    ck_assert(snapshot_principal(s, "alice@example.com", NULL, &alice));
    ck_assert(snapshot_principal(s, "bob@example.com", NULL, &bob));
    ck_assert_ptr_null(snapshot_denied(s, &alice, PERMISSION_INVOKE));
    ck_assert_ptr_eq(snapshot_denied(s, &bob, PERMISSION_INVOKE), snapshot_deny(s, 0));
    snapshot_unref(s);
}
END_TEST

START_TEST(deny_rules_may_stand_as_deny_policies_have_them)
{
    snapshot *s =
        load_good(DENY("description: nobody\n  denyRule:\n    " EVERYBODY "\n    " INVOKE));
    ck_assert_ptr_nonnull(snapshot_denied(s, NULL, PERMISSION_INVOKE));
    snapshot_unref(s);
}
END_TEST

START_TEST(images_stand_for_commands)
{
    snapshot *s = load_good(PROJECT "images:\n  gcr.io/p/hello: [build/samples/frontend, -v]\n");
    const char *const *command = snapshot_image(s, SPAN_LIT("gcr.io/p/hello"));
    ck_assert_ptr_nonnull(command);
    ck_assert_str_eq(command[0], "build/samples/frontend");
    ck_assert_str_eq(command[1], "-v");
    ck_assert_ptr_null(command[2]);
    ck_assert_ptr_null(snapshot_image(s, SPAN_LIT("gcr.io/p/hell")));
    snapshot_unref(s);
    s = load_good(PROJECT "images: { a/b: [any], 'a/b:1': [one], 'h:5/b': [port] }\n");
    static const char *const rows[][2] = {
        {"a/b", "any"},   {"a/b:2", "any"},           {"a/b@sha256:00", "any"},
        {"a/b:1", "one"}, {"a/b:1@sha256:00", "one"}, {"h:5/b:latest", "port"},
        {"h:5/b", "port"}};
    for (size_t i = 0; i < countof(rows); i++) {
        command = snapshot_image(s, span_of(rows[i][0]));
        ck_assert_msg(command && strcmp(command[0], rows[i][1]) == 0, "%s", rows[i][0]);
    }
    ck_assert_ptr_null(snapshot_image(s, SPAN_LIT("h")));
    ck_assert_ptr_null(snapshot_image(s, SPAN_LIT("b:1")));
    ck_assert_ptr_null(snapshot_image(s, SPAN_LIT("")));
    snapshot_unref(s);
}
END_TEST

/* Each part may come from a file of its own; what stands twice is refused. */
START_TEST(included_files_add_up)
{
    put_file("more.yaml", "roles: { caller: [run.routes.invoke] }\nimages: { a: [x] }\n"
                          "deny:\n- " EVERYBODY "\n  " INVOKE "\n");
    snapshot *s = load_good(PROJECT "include: [more.yaml]\nroles: { reader: [] }\n"
                                    "images: { b: [x] }\n");
    ck_assert_uint_eq(snapshot_role_count(s), 2);
    ck_assert_uint_eq(snapshot_image_count(s), 2);
    ck_assert_uint_eq(snapshot_deny_count(s), 1);
    snapshot_unref(s);
    check_problems(&(problem_row){PROJECT "include: [more.yaml]\nimages: { a: [y] }\n",
                                  "t.yaml:3:11: image 'a' is already given at more.yaml:2\n"});
}
END_TEST

int main(void)
{
    Suite *s = suite_create("topology iam");
    TCase *t = tcase_create("iam");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_add_loop_test(t, what_is_refused_says_where_and_why, 0, countof(REFUSED));
    tcase_add_test(t, an_empty_project_is_a_project);
    tcase_add_test(t, a_binding_keeps_its_condition);
    tcase_add_test(t, a_delay_is_a_duration_or_a_range);
    tcase_add_test(t, rules_give_certain_bindings_their_own_delay);
    tcase_add_test(t, custom_roles_grant_what_they_list);
    tcase_add_test(t, deny_rules_forbid);
    tcase_add_test(t, deny_rules_may_stand_as_deny_policies_have_them);
    tcase_add_test(t, images_stand_for_commands);
    tcase_add_test(t, included_files_add_up);
    suite_add_tcase(s, t);
    return check_main(s);
}
