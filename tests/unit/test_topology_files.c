/* Files: includes, what cannot be read, folders of keys, the topologies that ship, and speed. */
#include <sys/stat.h>

#include "base/clock.h"
#include "topology_fixture.h"

static char start_folder[4096];

/* ---- includes ---- */

START_TEST(includes_add_up_in_order)
{
    ck_assert_int_eq(mkdir("parts", 0700), 0);
    put_file("parts/web.yaml", "services: { web: {} }\ninclude: [../accounts.yaml]\n"
                               "matrix: { web-sa: [api] }\nkeys: my-keys\negress: allow\n");
    put_file("accounts.yaml", "service_accounts: { web-sa: {} }\n");
    put_file("t.yaml", PROJECT "include: [parts/web.yaml, accounts.yaml]\nservices: { api: {} }\n"
                               "matrix: { allUsers: [web] }\n");
    diagnostics d = {0};
    topology_files files = {0};
    snapshot *s = topology_load_files("t.yaml", NULL, NULL, 0, &d, &files);
    ck_assert_msg(s != NULL, "%s", d.count ? d.items[0].text : "");
    ck_assert_uint_eq(snapshot_service_count(s), 2);
    ck_assert_uint_eq(snapshot_binding_count(s), 2);
    ck_assert_uint_eq(files.count, 3);
    ck_assert_str_eq(files.paths[0], "t.yaml");
    ck_assert_str_eq(files.paths[1], "parts/web.yaml");
    ck_assert_str_eq(files.paths[2], "parts/../accounts.yaml");
    auto_free char *here = realpath(".", NULL);
    auto_free char *keys = file_join(here, "parts/my-keys");
    ck_assert_str_eq(snapshot_project(s)->keys_dir, keys);
    ck_assert(snapshot_project(s)->egress_allow);
    topology_files_free(&files);
    snapshot_unref(s);
}
END_TEST

typedef struct include_row {
    const char *a, *b; /* contents of a.yaml and b.yaml, NULL: not there */
    const char *text, *problems;
} include_row;

static const include_row REFUSED[] = {
    {NULL, NULL, PROJECT "include: [a.yaml]\n",
     "t.yaml:2:11: a.yaml: cannot open: No such file or directory\n"},
    {NULL, NULL, PROJECT "include: a.yaml\n",
     "t.yaml:2:10: include: expected a list such as [common.yaml], found 'a.yaml'\n"},
    {NULL, NULL, PROJECT "include: [[x]]\n",
     "t.yaml:2:11: include: expected a file name, found a list\n"},
    {NULL, NULL, PROJECT "include: [.]\n", "t.yaml:2:11: .: is a folder, not a file\n"},
    {NULL, NULL, PROJECT "include: [t.yaml]\n", "t.yaml:2:11: include: t.yaml includes itself\n"},
    {"include: [b.yaml]\n", "include: [a.yaml]\n", PROJECT "include: [a.yaml]\n",
     "b.yaml:1:11: include: a.yaml includes itself\n"},
    {"services: { x: {} }\n", "services: { x: {} }\n", PROJECT "include: [a.yaml, b.yaml]\n",
     "b.yaml:1:13: service 'x' is already defined at a.yaml:1\n"},
    {"service_accounts: { x-sa: {} }\n", NULL,
     PROJECT "include: [a.yaml]\nservice_accounts: { x-sa: {} }\n",
     "t.yaml:3:21: service account 'x-sa' is already defined at a.yaml:1\n"},
    {"groups: { g@example.com: [] }\n", NULL,
     PROJECT "include: [a.yaml]\ngroups: { g@example.com: [] }\n",
     "t.yaml:3:11: group 'g@example.com' is already defined at a.yaml:1\n"},
    {"region: us-central1\n", "region: us-east1\n", PROJECT "include: [a.yaml, b.yaml]\n",
     "b.yaml:1:1: 'region' is already given at a.yaml:1\n"},
    {PROJECT, NULL, PROJECT "include: [a.yaml]\n",
     "a.yaml:1:1: 'project' is already given at t.yaml:1\n"},
    {"emulation: {}\n", "limits: {}\n",
     PROJECT "emulation: {}\nlimits: {}\ninclude: [a.yaml, b.yaml]\n",
     "a.yaml:1:1: 'emulation' is already given at t.yaml:2\n"
     "b.yaml:1:1: 'limits' is already given at t.yaml:3\n"},
    {"listen: {}\n", "keys: x\n", PROJECT "listen: {}\nkeys: y\ninclude: [a.yaml, b.yaml]\n",
     "a.yaml:1:1: 'listen' is already given at t.yaml:2\n"
     "b.yaml:1:1: 'keys' is already given at t.yaml:3\n"},
    {"egress: allow\n", "egress: allow\n", PROJECT "include: [a.yaml, b.yaml]\n",
     "b.yaml:1:1: 'egress' is already given at a.yaml:1\n"},
    /* What a broken part may define is not reported as missing. */
    {"service_accounts: [\n", NULL,
     PROJECT "include: [a.yaml]\nservices: { x: { service_account: x-sa } }\n",
     "a.yaml:2:1: not valid YAML: did not find expected node content while parsing a flow node\n"},
};

START_TEST(bad_includes_are_refused)
{
    const include_row *row = &REFUSED[_i];
    if (row->a)
        put_file("a.yaml", row->a);
    if (row->b)
        put_file("b.yaml", row->b);
    auto_free char *problems = NULL;
    ck_assert_ptr_null(load_with(row->text, NULL, &problems));
    ck_assert_msg(strcmp(problems, row->problems) == 0, "expected:\n%s\ngot:\n%s", row->problems,
                  problems);
}
END_TEST

START_TEST(problems_of_all_files_come_in_the_order_of_the_files)
{
    auto_free char *problems = NULL;
    put_file("a.yaml", "users: [a]\n");
    put_file("b.yaml", "users: [b]\n");
    ck_assert_ptr_null(
        load_with(PROJECT "users: [c]\ninclude: [b.yaml, a.yaml]\nregion: x\n", NULL, &problems));
    static const char *const order[] = {"t.yaml:2:9:", "t.yaml:4:9:", "b.yaml:1:9:", "a.yaml:1:9:"};
    const char *at = problems;
    for (size_t i = 0; i < countof(order); i++) {
        ck_assert_msg(strncmp(at, order[i], strlen(order[i])) == 0, "%s", problems);
        at = strchr(at, '\n') + 1;
    }
}
END_TEST

START_TEST(more_than_64_includes_are_refused)
{
    auto_buf buf text = buf_make(65536);
    buf_str(&text, PROJECT "include:\n");
    for (int i = 1; i <= 65; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "i%d.yaml", i);
        put_file(name, "{}\n");
        buf_fmt(&text, "- %s\n", name);
    }
    auto_free char *problems = NULL;
    ck_assert_ptr_null(load_with(text.p, NULL, &problems));
    ck_assert_str_eq(problems, "t.yaml:67:3: include: more than 64 files\n");
}
END_TEST

/* ---- files that cannot be read ---- */

static void check_unreadable(const char *path, const char *problem)
{
    diagnostics d = {0};
    ck_assert_ptr_null(topology_load(path, NULL, &d));
    auto_buf buf b = buf_make(4096);
    diagnostics_print(&d, &b);
    ck_assert_str_eq(b.p, problem);
    diagnostics_free(&d);
}

START_TEST(what_cannot_be_read_says_why)
{
    check_unreadable("none.yaml", "none.yaml:1:1: cannot open: No such file or directory\n");
    check_unreadable(".", ".:1:1: is a folder, not a file\n");
    check_unreadable("", ":1:1: cannot open: No such file or directory\n");
    put_file("empty.yaml", "");
    check_unreadable("empty.yaml", "empty.yaml:1:1: the file is empty\n");
}
END_TEST

START_TEST(a_file_of_100_mb_is_refused_unread)
{
    put_file("big.yaml", "a: 1\n");
    ck_assert_int_eq(truncate("big.yaml", 100 * 1024 * 1024), 0);
    check_unreadable("big.yaml", "big.yaml:1:1: 104857600 bytes, more than the 16777216 that are "
                                 "read\n");
}
END_TEST

START_TEST(an_alias_bomb_is_refused)
{
    auto_buf buf text = buf_make(65536);
    buf_str(&text, "users: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        buf_fmt(&text, "k%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buf_fmt(&text, "*a%d, ", i - 1);
        buf_str(&text, "]\n");
    }
    put_file("bomb.yaml", text.p);
    check_unreadable("bomb.yaml", "bomb.yaml:7:20: too many values, aliases counted in full\n");
}
END_TEST

/* ---- keys ---- */

START_TEST(the_folder_of_keys_is_relative_to_its_file)
{
    ck_assert_int_eq(mkdir("policies", 0700), 0);
    ck_assert_int_eq(symlink("policies", "link"), 0);
    put_file("policies/t.yaml", PROJECT "keys: ../keys/./deep\n");
    auto_free char *here = realpath(".", NULL);
    auto_free char *wanted = file_join(here, "keys/deep");
    static const char *const ways[] = {"policies/t.yaml", "./policies/../link/t.yaml"};
    for (size_t i = 0; i < countof(ways); i++) {
        diagnostics d = {0};
        snapshot *s = topology_load(ways[i], NULL, &d);
        ck_assert_ptr_nonnull(s);
        ck_assert_str_eq(snapshot_project(s)->keys_dir, wanted);
        snapshot_unref(s);
    }
}
END_TEST

/* ---- what ships ---- */

static bool may_call(const snapshot *s, const char *account_name, const char *service_name)
{
    principal who = {MEMBER_SERVICE_ACCOUNT,
                     span_of(snapshot_resolve_account(s, span_of(account_name))->email)};
    return snapshot_grant(s, snapshot_find_service(s, span_of(service_name)), &who, 0) != NULL;
}

START_TEST(the_tutorials_topology_grants_what_the_tutorial_grants)
{
    static const char *const files[] = {"policies/tutorial.yaml", "policies/compose.yaml"};
    auto_free char *path = file_join(start_folder, files[_i]);
    diagnostics d = {0};
    snapshot *s = topology_load(path, NULL, &d);
    ck_assert_msg(s != NULL, "%s", d.count ? d.items[0].text : "");
    static const char *const services[] = {"frontend", "backend-api", "auth-service", "db-service"};
    static const char *const accounts[] = {"frontend-sa", "backend-sa", "auth-sa", "db-sa"};
    static const bool allowed[4][4] = {{true, true, true, false},
                                       {true, false, false, true},
                                       {true, false, false, false},
                                       {true, false, false, false}};
    ck_assert_uint_eq(snapshot_service_count(s), 4);
    for (size_t a = 0; a < 4; a++) {
        const service *svc = snapshot_find_service(s, span_of(services[a]));
        ck_assert_ptr_eq(svc->account, snapshot_resolve_account(s, span_of(accounts[a])));
        ck_assert_int_eq(svc->open, a == 0 ? OPEN_ALWAYS : OPEN_NEVER);
        for (size_t t = 0; t < 4; t++)
            ck_assert_msg(may_call(s, accounts[a], services[t]) == allowed[a][t], "%s -> %s",
                          accounts[a], services[t]);
    }
    ck_assert_str_eq(snapshot_resolve_account(s, SPAN_LIT("frontend-sa"))->display_name,
                     "Frontend Cloud Run Service");
    snapshot_unref(s);
}
END_TEST

START_TEST(the_minimal_topology_is_good)
{
    auto_free char *path = file_join(start_folder, "policies/minimal.yaml");
    diagnostics d = {0};
    snapshot *s = topology_load(path, NULL, &d);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(snapshot_service_count(s), 2);
    ck_assert(may_call(s, "frontend-sa", "backend-api"));
    ck_assert(!may_call(s, "backend-sa", "backend-api"));
    snapshot_unref(s);
}
END_TEST

START_TEST(a_thousand_services_with_100000_bindings_load)
{
    auto_buf buf text = buf_make(16 * 1024 * 1024);
    buf_str(&text, PROJECT "services:\n");
    for (int i = 0; i < 1000; i++) {
        buf_fmt(&text, "  s%d:\n    policy:\n      bindings:\n      - role: roles/run.invoker\n",
                i);
        buf_str(&text, "        members:\n");
        for (int j = 0; j < 100; j++)
            buf_fmt(&text, "        - serviceAccount:a%d@my-project.iam.gserviceaccount.com\n", j);
    }
    int64_t began = clock_mono_us();
    snapshot *s = load_good(text.p);
    printf("1,000 services x 100,000 bindings: %lld ms\n",
           (long long)(clock_mono_us() - began) / 1000);
    ck_assert_uint_eq(snapshot_binding_count(s), 100000);
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    if (!getcwd(start_folder, sizeof start_folder))
        return 1;
    Suite *s = suite_create("topology files");
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, includes_add_up_in_order);
    tcase_add_loop_test(t, bad_includes_are_refused, 0, countof(REFUSED));
    tcase_add_test(t, problems_of_all_files_come_in_the_order_of_the_files);
    tcase_add_test(t, more_than_64_includes_are_refused);
    tcase_add_test(t, what_cannot_be_read_says_why);
    tcase_add_test(t, a_file_of_100_mb_is_refused_unread);
    tcase_add_test(t, an_alias_bomb_is_refused);
    tcase_add_test(t, the_folder_of_keys_is_relative_to_its_file);
    tcase_add_loop_test(t, the_tutorials_topology_grants_what_the_tutorial_grants, 0, 2);
    tcase_add_test(t, the_minimal_topology_is_good);
    tcase_add_test(t, a_thousand_services_with_100000_bindings_load);
    suite_add_tcase(s, t);
    return check_main(s);
}
