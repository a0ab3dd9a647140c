/* What is exported as YAML loads as the same topology; texts survive quoting. */
#include "cli/export.h"
#include "cli/yaml_out.h"
#include "config/yaml.h"
#include "state/merge.h"
#include "topology_fixture.h"

/* ---- scalars ---- */

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

typedef struct scalar_row {
    span text;
    const char *written; /* NULL: whatever; it is only read back */
} scalar_row;

static const scalar_row SCALARS[] = {
    {BYTES(""), "\"\""},
    {BYTES("frontend-sa"), "frontend-sa"},
    {BYTES("roles/run.invoker"), "roles/run.invoker"},
    {BYTES("user:alice@example.com"), "user:alice@example.com"},
    {BYTES("http://127.0.0.1:9081"), "http://127.0.0.1:9081"},
    {BYTES("127.0.0.1:8081"), "127.0.0.1:8081"},
    {BYTES("10.0.0.0/8"), "10.0.0.0/8"},
    {BYTES("8080"), "\"8080\""},
    {BYTES("1.5"), "\"1.5\""},
    {BYTES("1e3"), "\"1e3\""},
    {BYTES("0x1F"), "\"0x1F\""},
    {BYTES("0o17"), "\"0o17\""},
    {BYTES(".inf"), "\".inf\""},
    {BYTES("12:30:45"), "\"12:30:45\""},
    {BYTES("2026-01-01"), "\"2026-01-01\""},
    {BYTES("-1"), "\"-1\""},
    {BYTES("- a"), "\"- a\""},
    {BYTES("yes"), "\"yes\""},
    {BYTES("Off"), "\"Off\""},
    {BYTES("null"), "\"null\""},
    {BYTES("~"), "\"~\""},
    {BYTES("<<"), "\"<<\""},
    {BYTES("a:"), "\"a:\""},
    {BYTES("a: b"), "\"a: b\""},
    {BYTES("a #b"), "\"a #b\""},
    {BYTES("a,b"), "\"a,b\""},
    {BYTES("[a]"), "\"[a]\""},
    {BYTES("{a: b}"), "\"{a: b}\""},
    {BYTES("*a"), "\"*a\""},
    {BYTES("&a"), "\"&a\""},
    {BYTES("!a"), "\"!a\""},
    {BYTES("%TAG"), "\"%TAG\""},
    {BYTES("---"), "\"---\""},
    {BYTES("..."), "\"...\""},
    {BYTES("\"quoted\""), "\"\\\"quoted\\\"\""},
    {BYTES("it's"), "\"it's\""},
    {BYTES("back\\slash"), "\"back\\\\slash\""},
    {BYTES(" blank "), "\" blank \""},
    {BYTES("one\ntwo\n"), "\"one\\ntwo\\n\""},
    {BYTES("tab\there"), "\"tab\\there\""},
    {BYTES("cr\r"), "\"cr\\x0D\""},
    {BYTES("\x01\x1b\x7f"), "\"\\x01\\x1B\\x7F\""},
    {BYTES("gr\xC3\xBC\xC3\x9F"), "\"gr\xC3\xBC\xC3\x9F\""},
    {BYTES("\xC2\x85\xE2\x80\xA8\xE2\x80\xA9"), "\"\\x85\\u2028\\u2029\""},
    {BYTES("\xEF\xBB\xBF\xEF\xBF\xBE"), "\"\\uFEFF\\uFFFE\""},
    {BYTES("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\""},
};

/* As value, in a list, and as key. */
static void check_read_back(const char *text, span wanted)
{
    arena *a = arena_new();
    diag_sink *d = diag_new();
    yaml_budget budget = {100, 10};
    const node *root = yaml_parse(a, d, "t", span_of(text), &budget);
    ck_assert_msg(root && root->kind == NODE_MAP && root->count == 3, "%s", text);
    ck_assert_uint_eq(diag_count(d), 0);
    const node *value = node_get(root, "value"), *list = node_get(root, "list");
    ck_assert(span_eq(value->text, wanted));
    ck_assert(!node_is_null(value));
    ck_assert_uint_eq(list->count, 2);
    ck_assert(span_eq(list->items[0]->text, wanted));
    ck_assert(span_eq(list->items[1]->text, wanted));
    ck_assert(span_eq(root->pairs[2].key->text, wanted));
    arena_free(a);
    diag_free(d);
}

START_TEST(a_scalar_reads_back_as_the_same_text)
{
    const scalar_row *r = &SCALARS[_i];
    auto_free char *text = span_dup(r->text);
    auto_buf buf one = buf_make(4096), all = buf_make(4096);
    yaml_put_text(&one, r->text);
    ck_assert_str_eq(one.p, r->written);
    yaml_put_pair(&all, 0, "value", text);
    yaml_put_flow(&all, 0, "list", (const char *const[]){text, text, NULL});
    yaml_put_pair(&all, 0, text, "x");
    check_read_back(all.p, r->text);
}
END_TEST

START_TEST(a_key_longer_than_simple_keys_may_be_reads_back)
{
    char key[3000];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    auto_buf buf all = buf_make(65536);
    yaml_put_pair(&all, 0, "value", key);
    yaml_put_flow(&all, 0, "list", (const char *const[]){key, key, NULL});
    yaml_put_pair(&all, 0, key, "x");
    check_read_back(all.p, span_of(key));
}
END_TEST

START_TEST(bytes_that_are_no_text_become_a_replacement)
{
    auto_buf buf b = buf_make(64);
    yaml_put_text(&b, (span)BYTES("a\xFF\xC3"));
    ck_assert_str_eq(b.p, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
}
END_TEST

/* ---- whole topologies ---- */

static char *exported(const snapshot *s)
{
    buf b = buf_make(1 << 20);
    export_yaml(&b, &(export_source){.s = s, .title = "a title\nwith a line break"});
    return buf_take(&b);
}

static void check_same_policy(const snapshot *a, const snapshot *b, const char *whose)
{
    char x[FINGERPRINT_TEXT], y[FINGERPRINT_TEXT];
    fingerprint_policy(a, whose, x);
    fingerprint_policy(b, whose, y);
    ck_assert_msg(strcmp(x, y) == 0, "the policy of %s", whose);
}

static void check_same_services(const snapshot *a, const snapshot *b)
{
    char x[FINGERPRINT_TEXT], y[FINGERPRINT_TEXT], whose[128];
    ck_assert_uint_eq(snapshot_service_count(a), snapshot_service_count(b));
    for (size_t i = 0; i < snapshot_service_count(a); i++) {
        const service *v = snapshot_service(a, i), *w = snapshot_service(b, i);
        ck_assert_str_eq(v->name, w->name);
        fingerprint_service(a, v->name, x);
        fingerprint_service(b, v->name, y);
        ck_assert_msg(strcmp(x, y) == 0, "service %s", v->name);
        ck_assert_str_eq(v->listen, w->listen);
        ck_assert_pstr_eq(v->metadata, w->metadata);
        ck_assert_pstr_eq(v->upstream, w->upstream);
        ck_assert_str_eq(v->url, w->url);
        for (size_t k = 0; k < v->env_count; k++)
            ck_assert_str_eq(v->env[k].value, w->env[k].value);
        (void)snprintf(whose, sizeof whose, "services/%s", v->name);
        check_same_policy(a, b, whose);
    }
}

static void check_same_accounts(const snapshot *a, const snapshot *b)
{
    char x[FINGERPRINT_TEXT], y[FINGERPRINT_TEXT], whose[256];
    ck_assert_uint_eq(snapshot_account_count(a), snapshot_account_count(b));
    for (size_t i = 0; i < snapshot_account_count(a); i++) {
        const account *v = snapshot_account(a, i);
        fingerprint_account(a, v->email, x);
        fingerprint_account(b, v->email, y);
        ck_assert_msg(strcmp(x, y) == 0, "account %s", v->email);
        ck_assert_str_eq(v->unique_id, snapshot_account(b, i)->unique_id);
        (void)snprintf(whose, sizeof whose, "serviceAccounts/%s", v->email);
        check_same_policy(a, b, whose);
    }
}

/* The rest is compared as text: what both are exported as. */
static void check_same(const snapshot *a, const snapshot *b)
{
    check_same_services(a, b);
    check_same_accounts(a, b);
    check_same_policy(a, b, "project");
    ck_assert_uint_eq(snapshot_binding_count(a), snapshot_binding_count(b));
    ck_assert_uint_eq(snapshot_user_count(a), snapshot_user_count(b));
    ck_assert_uint_eq(snapshot_group_edge_count(a), snapshot_group_edge_count(b));
    ck_assert_uint_eq(snapshot_role_count(a), snapshot_role_count(b));
    ck_assert_uint_eq(snapshot_deny_count(a), snapshot_deny_count(b));
    ck_assert_uint_eq(snapshot_image_count(a), snapshot_image_count(b));
    ck_assert_str_eq(snapshot_project(a)->keys_dir ? snapshot_project(a)->keys_dir : "",
                     snapshot_project(b)->keys_dir ? snapshot_project(b)->keys_dir : "");
    auto_free char *x = exported(a), *y = exported(b);
    ck_assert_str_eq(x, y);
}

static void check_round_trip(const snapshot *s)
{
    auto_free char *text = exported(s);
    snapshot *again = load_good(text);
    check_same(s, again);
    snapshot_unref(again);
}

static const char EVERYTHING[] =
    "project:\n"
    "  id: my-project\n"
    "  number: 123456789012\n"
    "  policy: {bindings: [{role: roles/owner, members: ['user:owner@example.com']},\n"
    "    {role: roles/storage.admin, members: ['deleted:user:gone@example.com?uid=1']}]}\n"
    "region: europe-west1\n"
    "keys: k\n"
    "egress: allow\n"
    "emulation:\n"
    "  mode: audit\n"
    "  token_lifetime: 5m\n"
    "  clock_skew: 0s\n"
    "  decision_header: true\n"
    "  propagation_delay: {min: 2s, max: 7s, mode: flapping, seed: 18446744073709551615, rules: [\n"
    "    {service: a, role: roles/run.invoker, member: 'user:alice@example.com', delay: 9s},\n"
    "    {service_account: x-sa, min: 1s, max: 2s, mode: monotonic}]}\n"
    "service_accounts:\n"
    "  x-sa: {display_name: \"It's \\\"x\\\"\\n# no comment\", description: 'yes',\n"
    "         unique_id: '100000000000000000001',\n"
    "         policy: {bindings: [{role: roles/iam.serviceAccountTokenCreator,\n"
    "                              members: ['user:alice@example.com']}]}}\n"
    "  y-sa: {disabled: true}\n"
    "  z@other-project.iam.gserviceaccount.com: {}\n"
    "  123456789012-compute@developer.gserviceaccount.com: {display_name: Mine}\n"
    "services:\n"
    "  a:\n"
    "    service_account: x-sa\n"
    "    image: gcr.io/my-project/a\n"
    "    url: https://a.example.test\n"
    "    hosts: [a.example.test]\n"
    "    addresses: [10.0.0.0/8, '::1']\n"
    "    custom_audiences: ['https://a', 'a, b', '%{x}']\n"
    "    ingress: internal-and-cloud-load-balancing\n"
    "    invoker_iam_check: false\n"
    "    default_url: false\n"
    "    timeout: 1500ms\n"
    "    use_http2: true\n"
    "    max_instances: 3\n"
    "    concurrency: 1\n"
    "    limits: {request_body: off, response_body: off}\n"
    "    env: {B: '${b.url}/x,${c.url}', COST: '5$ $${b.url}', YES: 'yes', NUMBER: '8080',\n"
    "          LINES: \"a\\n b\\n\", NEAR: 'http://127.0.0.1:80820', NONE: ''}\n"
    "    policy:\n"
    "      bindings:\n"
    "      - {role: roles/run.invoker, members: [allUsers, 'domain:example.com']}\n"
    "      - {role: roles/run.viewer, members: ['group:team@example.com']}\n"
    "      - {role: projects/my-project/roles/caller, members: ['user:bob@example.com']}\n"
    "      - role: roles/run.invoker\n"
    "        members: ['user:alice@example.com', 'user:bob@example.com']\n"
    "        condition: {title: 'Until: 2030', description: 'say \"when\"',\n"
    "          expression: 'request.time < timestamp(\"2030-01-01T00:00:00Z\")'}\n"
    "      - role: roles/run.invoker\n"
    "        members: ['user:alice@example.com']\n"
    "        condition:\n"
    "          title: lines\n"
    "          expression: |\n"
    "            resource.name.endsWith(\"/a\") &&\n"
    "            resource.type == 'run.googleapis.com/Service'\n"
    "  b: {listen: '127.0.0.1:8082', metadata: off, upstream: 'http://127.0.0.1:9082'}\n"
    "  c: {listen: '[::1]:8083', command: [sh, -c, 'echo \"$X\" | cat']}\n"
    "matrix: {x-sa: [b, c], team@example.com: [c], allAuthenticatedUsers: [b]}\n"
    "users: [alice@example.com]\n"
    "groups: {team@example.com: [x-sa, alice@example.com, inner@example.com],\n"
    "         inner@example.com: ['user:dora@example.com'], empty@example.com: []}\n"
    "roles: {caller: [run.routes.invoke], nothing: []}\n"
    "deny:\n"
    "- {deniedPrincipals: ['principal://goog/subject/bob@example.com'],\n"
    "   exceptionPrincipals: ['principalSet://goog/group/team@example.com'],\n"
    "   deniedPermissions: [run.googleapis.com/routes.invoke]}\n"
    "images: {'gcr.io/my-project/a': [build/a, '--flag=x y'], 'gcr.io/my-project/a:v1': [b]}\n";

START_TEST(whatever_a_topology_can_say_survives_an_export)
{
    snapshot *s = load_good(EVERYTHING);
    ck_assert_uint_eq(snapshot_binding_count(s), 14);
    check_round_trip(s);
    auto_free char *text = exported(s);
    ck_assert_ptr_nonnull(strstr(text, "# a title?with a line break\n"));
    ck_assert_ptr_nonnull(strstr(text, "      B: \"${b.url}/x,${c.url}\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "      NEAR: http://127.0.0.1:80820\n"));
    ck_assert_ptr_nonnull(strstr(text, "      COST: \"5$$ "));
    snapshot_unref(s);
}
END_TEST

START_TEST(a_topology_without_services_survives_an_export)
{
    snapshot *s = load_good(PROJECT);
    check_round_trip(s);
    auto_free char *text = exported(s);
    ck_assert_ptr_null(strstr(text, "services:"));
    snapshot_unref(s);
}
END_TEST

/* ---- what APIs changed ---- */

static const char DOCUMENT[] =
    "{\"format\":1,\"serial\":3,"
    "\"accounts\":{\"new-sa@my-project.iam.gserviceaccount.com\":{\"uniqueId\":"
    "\"123450000000000000000\",\"displayName\":\"New\",\"disabled\":true}},"
    "\"roles\":{\"projects/my-project/roles/"
    "made\":{\"includedPermissions\":[\"run.routes.invoke\"]}},"
    "\"services\":{\"d\":{\"listen\":\"127.0.0.1:9991\",\"knative\":{\"metadata\":{\"name\":\"d\","
    "\"annotations\":{\"serving.knative.dev/"
    "creator\":\"alice@example.com\"}},\"spec\":{\"template\":"
    "{\"spec\":{\"serviceAccountName\":\"gone@my-project.iam.gserviceaccount.com\",\"containers\":"
    "[{\"image\":\"gcr.io/my-project/a\",\"env\":[{\"name\":\"X\",\"value\":\"$y\"}]}]}}}}}},"
    "\"deny\":{\"no-bob\":{\"rules\":[{\"denyRule\":{\"deniedPrincipals\":"
    "[\"principal://goog/subject/bob@example.com\"],\"deniedPermissions\":"
    "[\"run.googleapis.com/routes.invoke\"]}}]}},"
    "\"policies\":{\"services/d\":{\"etag\":\"BwXh\",\"version\":3,\"by\":\"alice@example.com\","
    "\"updated\":\"2030-01-01T00:00:00Z\",\"bindings\":[{\"role\":\"roles/run.invoker\","
    "\"members\":[\"allUsers\"]},{\"role\":\"projects/my-project/roles/made\",\"members\":"
    "[\"user:carol@example.com\"],\"condition\":{\"title\":\"t\",\"expression\":\"true\"}}]}}}";

START_TEST(what_apis_changed_is_exported_with_a_comment)
{
    static const char *const comments[] = {
        "# created by API\n  new-sa:",
        "# deleted by API; a service still runs as it\n  gone:",
        "# deployed by alice@example.com\n  d:",
        "# set by alice@example.com at 2030-01-01T00:00:00Z\n    policy:",
        "# set by API\n  projects/my-project/roles/made: [run.routes.invoke]",
        "# deny policy no-bob\n",
    };
    snapshot *base = load_good(EVERYTHING);
    json_t *document = json_loads(DOCUMENT, 0, NULL);
    ck_assert_ptr_nonnull(document);
    snapshot *s = state_merge(base, document, NULL, 0);
    ck_assert_uint_eq(snapshot_service_count(s), 4);
    auto_buf buf b = buf_make(1 << 20);
    export_yaml(&b, &(export_source){.s = s, .base = base, .document = document});
    for (size_t i = 0; i < countof(comments); i++)
        ck_assert_msg(strstr(b.p, comments[i]) != NULL, "%s\nis not in\n%s", comments[i], b.p);
    snapshot *again = load_good(b.p);
    check_same_services(s, again);
    ck_assert_uint_eq(snapshot_binding_count(s), snapshot_binding_count(again));
    ck_assert_uint_eq(snapshot_deny_count(again), 2);
    const account *a = snapshot_resolve_account(again, SPAN_LIT("new-sa"));
    ck_assert_str_eq(a->unique_id, "123450000000000000000");
    ck_assert(a->disabled);
    ck_assert(snapshot_find_service(again, SPAN_LIT("d"))->account->disabled);
    snapshot_unref(again);
    snapshot_unref(s);
    snapshot_unref(base);
    json_decref(document);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("export");
    TCase *t = tcase_create("scalars");
    tcase_add_loop_test(t, a_scalar_reads_back_as_the_same_text, 0, countof(SCALARS));
    tcase_add_test(t, a_key_longer_than_simple_keys_may_be_reads_back);
    tcase_add_test(t, bytes_that_are_no_text_become_a_replacement);
    suite_add_tcase(s, t);
    t = tcase_create("topologies");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_add_test(t, whatever_a_topology_can_say_survives_an_export);
    tcase_add_test(t, a_topology_without_services_survives_an_export);
    tcase_add_test(t, what_apis_changed_is_exported_with_a_comment);
    suite_add_tcase(s, t);
    return check_main(s);
}
