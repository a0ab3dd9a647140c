/* The file and the state put together: what an entry changes, what it leaves, when it counts. */
#include "state/merge.h"

#include "check_main.h"
#include "policy_fixture.h"
#include "state/state.h"

#define NEW_SA "new-sa@my-project.iam.gserviceaccount.com"

static snapshot *base;
static json_t *document;

static void set_up(void)
{
    error e = {0};
    state *s = state_open(&(state_options){0}, &e);
    base = fixture_tutorial();
    document = state_draft(s);
    state_close(s);
}

static void tear_down(void)
{
    json_decref(document);
    snapshot_unref(base);
}

static json_t *parse(const char *text)
{
    json_error_t at;
    json_t *j = json_loads(text, 0, &at);
    ck_assert_msg(j != NULL, "%s: %s", text, at.text);
    return j;
}

static void put(const char *collection, const char *key, const char *entry)
{
    state_set(document, collection, key, parse(entry));
}

/* With the "over" that a change made now would have. */
static void put_over(const char *collection, const char *key, const char *over, const char *entry)
{
    json_t *e = parse(entry);
    ck_assert_int_eq(json_object_set_new(e, "over", json_string(over)), 0);
    state_set(document, collection, key, e);
}

static void put_policy(const char *whose, const char *entry)
{
    char over[FINGERPRINT_TEXT];
    fingerprint_policy(base, whose, over);
    put_over("policies", whose, over, entry);
}

static void put_service(const char *name, const char *entry)
{
    char over[FINGERPRINT_TEXT];
    fingerprint_service(base, name, over);
    put_over("services", name, over, entry);
}

static void put_account(const char *email, const char *entry)
{
    char over[FINGERPRINT_TEXT];
    fingerprint_account(base, email, over);
    put_over("accounts", email, over, entry);
}

static snapshot *merged(void)
{
    return state_merge(base, document, NULL, NOW_US);
}

static bool may(const snapshot *s, const char *email, const char *to, int64_t now_us)
{
    principal p;
    ck_assert(snapshot_principal(s, email, NULL, &p));
    const service *svc = snapshot_find_service(s, span_of(to));
    ck_assert_ptr_nonnull(svc);
    return snapshot_grant(s, svc, &p, now_us) != NULL;
}

START_TEST(with_nothing_in_the_state_the_file_is_all)
{
    snapshot *s = merged();
    ck_assert_ptr_eq(s, base);
    snapshot_unref(s);
}
END_TEST

static void check_same_service(const snapshot *a, const snapshot *b, size_t i)
{
    char was[FINGERPRINT_TEXT], is[FINGERPRINT_TEXT];
    const service *x = snapshot_service(a, i), *y = snapshot_service(b, i);
    ck_assert_str_eq(x->name, y->name);
    fingerprint_service(a, x->name, was);
    fingerprint_service(b, x->name, is);
    ck_assert_str_eq(was, is);
    ck_assert_str_eq(x->url, y->url);
    ck_assert_str_eq(x->hash_url, y->hash_url);
    ck_assert_str_eq(x->revision, y->revision);
    ck_assert_str_eq(x->account->email, y->account->email);
    ck_assert_int_eq(x->account_is_default, y->account_is_default);
    ck_assert_int_eq(x->open, y->open);
    ck_assert_ptr_ne(x, y);
}

static void check_same_policy(const snapshot *a, const snapshot *b, const char *whose)
{
    char was[FINGERPRINT_TEXT], is[FINGERPRINT_TEXT];
    fingerprint_policy(a, whose, was);
    fingerprint_policy(b, whose, is);
    ck_assert_str_eq(was, is);
}

START_TEST(what_no_entry_names_stays_as_the_file_says)
{
    put("roles", "projects/my-project/roles/unused", "{\"includedPermissions\":[\"x.y.z\"]}");
    snapshot *s = merged();
    ck_assert_uint_eq(snapshot_service_count(s), snapshot_service_count(base));
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        check_same_service(base, s, i);
    ck_assert_uint_eq(snapshot_account_count(s), snapshot_account_count(base));
    ck_assert_uint_eq(snapshot_user_count(s), snapshot_user_count(base));
    ck_assert_uint_eq(snapshot_group_edge_count(s), snapshot_group_edge_count(base));
    ck_assert_uint_eq(snapshot_binding_count(s), snapshot_binding_count(base));
    check_same_policy(base, s, "project");
    check_same_policy(base, s, "services/backend-api");
    ck_assert_str_eq(snapshot_project(s)->region, snapshot_project(base)->region);
    snapshot_unref(s);
}
END_TEST

START_TEST(accounts_are_made_changed_and_deleted)
{
    put("accounts", NEW_SA, "{\"uniqueId\":\"123456789012345678901\",\"displayName\":\"New\"}");
    put_account(BACKEND, "{\"displayName\":\"Back\",\"description\":\"d\",\"disabled\":true}");
    put_account(DB, "{\"deleted\":true}");
    snapshot *s = merged();
    const account *a = snapshot_find_account(s, span_of("123456789012345678901"));
    ck_assert_str_eq(a->email, NEW_SA);
    ck_assert_str_eq(a->display_name, "New");
    a = snapshot_find_account(s, span_of(BACKEND));
    ck_assert(a->disabled);
    ck_assert_str_eq(a->display_name, "Back");
    ck_assert_str_eq(a->description, "d");
    ck_assert_ptr_null(snapshot_find_account(s, span_of(DB)));
    ck_assert_str_eq(snapshot_find_service(s, span_of("db-service"))->account->email, DB);
    ck_assert(snapshot_find_service(s, span_of("db-service"))->account->disabled);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_policy_replaces_all_of_the_files_for_that_resource_alone)
{
    put_policy("services/backend-api",
               "{\"by\":\"alice@example.com\",\"updated\":\"2026-01-02T03:04:05Z\",\"bindings\":["
               "{\"role\":\"" INVOKER "\",\"members\":[\"serviceAccount:" DB "\"]}]}");
    snapshot *s = merged();
    ck_assert(may(s, DB, "backend-api", NOW_US) && !may(base, DB, "backend-api", NOW_US));
    ck_assert(!may(s, FRONTEND, "backend-api", NOW_US));
    ck_assert(may(base, FRONTEND, "backend-api", NOW_US));
    ck_assert_int_eq(snapshot_find_service(s, span_of("frontend"))->open, OPEN_ALWAYS);
    principal p;
    ck_assert(snapshot_principal(s, DB, NULL, &p));
    const binding *g =
        snapshot_grant(s, snapshot_find_service(s, span_of("backend-api")), &p, NOW_US);
    ck_assert_str_eq(g->place.file, "set by alice@example.com at 2026-01-02T03:04:05Z");
    snapshot_unref(s);
}
END_TEST

START_TEST(an_entry_no_longer_counts_when_that_part_of_the_file_changes)
{
    put_policy("services/backend-api", "{\"bindings\":[]}");
    put_service("worker", "{\"deleted\":true}");
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" DB);
    fixture_service(b, (service){.name = "another", .listen = "127.0.0.1:8089"}, NULL);
    snapshot *edited = fixture_build(b);
    snapshot *s = state_merge(edited, document, NULL, NOW_US);
    ck_assert(may(s, DB, "backend-api", NOW_US)); /* the policy was edited */
    ck_assert_ptr_null(snapshot_find_service(s, span_of("worker")));
    ck_assert_ptr_nonnull(snapshot_find_service(s, span_of("another")));
    snapshot_unref(s);
    snapshot_unref(edited);
}
END_TEST

START_TEST(other_addresses_are_no_other_definition)
{
    char was[FINGERPRINT_TEXT], is[FINGERPRINT_TEXT];
    static const char *const ports[] = {"127.0.0.1:1", "127.0.0.1:65000"};
    static const char *const urls[] = {"x=http://127.0.0.1:1/p", "x=http://127.0.0.1:65000/p"};
    for (size_t i = 0; i < 2; i++) {
        snapshot_builder *b = fixture_builder();
        const env_var env[] = {{"TARGET", urls[i]}};
        fixture_service(
            b, (service){.name = "moving", .listen = ports[i], .env = env, .env_count = 1}, NULL);
        snapshot *s = fixture_build(b);
        fingerprint_service(s, "moving", i ? is : was);
        snapshot_unref(s);
    }
    ck_assert_str_eq(was, is);
    ck_assert_int_eq((int)strlen(is), FINGERPRINT_TEXT - 1);
    fingerprint_service(base, "nowhere", is);
    ck_assert_str_eq(is, "");
}
END_TEST

START_TEST(a_new_grant_and_a_revocation_propagate)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &(emulation){.propagation = {.min_s = 60, .max_s = 60}});
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    snapshot *file = fixture_build(b);
    snapshot *before = state_merge(file, document, NULL, NOW_US);
    ck_assert(may(before, FRONTEND, "backend-api", NOW_US));
    char over[FINGERPRINT_TEXT];
    fingerprint_policy(file, "services/backend-api", over);
    put_over("policies", "services/backend-api", over,
             "{\"bindings\":[{\"role\":\"" INVOKER "\",\"members\":[\"serviceAccount:" DB "\"]}]}");
    snapshot *s = state_merge(file, document, before, NOW_US);
    ck_assert(!may(s, DB, "backend-api", NOW_US + 59 * SECOND));
    ck_assert(may(s, DB, "backend-api", NOW_US + 60 * SECOND));
    ck_assert(may(s, FRONTEND, "backend-api", NOW_US + 59 * SECOND));
    ck_assert(!may(s, FRONTEND, "backend-api", NOW_US + 60 * SECOND));
    /* what follows does not start the waiting anew */
    put("roles", "projects/my-project/roles/r", "{\"includedPermissions\":[]}");
    snapshot *later = state_merge(file, document, s, NOW_US + 30 * SECOND);
    ck_assert(may(later, DB, "backend-api", NOW_US + 60 * SECOND));
    ck_assert(!may(later, FRONTEND, "backend-api", NOW_US + 60 * SECOND));
    snapshot_unref(later);
    snapshot_unref(s);
    snapshot_unref(before);
    snapshot_unref(file);
}
END_TEST

START_TEST(a_condition_of_a_policy_is_in_force)
{
    put_policy("services/backend-api",
               "{\"version\":3,\"bindings\":[{\"role\":\"" INVOKER
               "\",\"members\":[\"serviceAccount:" DB "\"],\"condition\":{\"title\":\"until\","
               "\"expression\":\"request.time < timestamp('2027-01-15T08:00:01Z')\"}}]}");
    snapshot *s = merged();
    ck_assert(may(s, DB, "backend-api", NOW_US));
    ck_assert(!may(s, DB, "backend-api", NOW_US + SECOND));
    snapshot_unref(s);
}
END_TEST

START_TEST(custom_roles_and_deny_rules_count)
{
    put("roles", "projects/my-project/roles/caller",
        "{\"includedPermissions\":[\"run.routes.invoke\"]}");
    put("roles", "projects/my-project/roles/gone",
        "{\"deleted\":true,\"includedPermissions\":[\"run.routes.invoke\"]}");
    put("roles", "projects/my-project/roles/off",
        "{\"stage\":\"DISABLED\",\"includedPermissions\":[\"run.routes.invoke\"]}");
    put_policy("services/backend-api",
               "{\"bindings\":[{\"role\":\"projects/my-project/roles/caller\",\"members\":["
               "\"serviceAccount:" DB "\"]},{\"role\":\"projects/my-project/roles/gone\","
               "\"members\":[\"serviceAccount:" FRONTEND "\"]},{\"role\":"
               "\"projects/my-project/roles/off\",\"members\":[\"serviceAccount:" FRONTEND
               "\"]}]}");
    snapshot *s = merged();
    ck_assert(may(s, DB, "backend-api", NOW_US));
    ck_assert(!may(s, FRONTEND, "backend-api", NOW_US));
    principal p;
    ck_assert(snapshot_principal(s, DB, NULL, &p));
    ck_assert_ptr_null(snapshot_denied(s, &p, "run.routes.invoke"));
    snapshot_unref(s);
    put("deny", "d",
        "{\"rules\":[{\"denyRule\":{\"deniedPrincipals\":[\"principal://"
        "iam.googleapis.com/projects/-/serviceAccounts/" DB "\"],"
        "\"deniedPermissions\":[\"run.googleapis.com/routes.invoke\"]}}]}");
    s = merged();
    ck_assert(snapshot_principal(s, DB, NULL, &p));
    const deny_rule *r = snapshot_denied(s, &p, "run.routes.invoke");
    ck_assert_ptr_nonnull(r);
    ck_assert_str_eq(r->place.file, "deny policy d");
    snapshot_unref(s);
}
END_TEST

#define KNATIVE                                                                                    \
    "{\"knative\":{\"metadata\":{\"name\":\"shop\",\"annotations\":{"                              \
    "\"run.googleapis.com/ingress\":\"internal\","                                                 \
    "\"run.googleapis.com/custom-audiences\":\"[\\\"https://shop.example\\\"]\","                  \
    "\"run.googleapis.com/invoker-iam-disabled\":\"true\"}},\"spec\":{\"template\":{\"spec\":{"    \
    "\"serviceAccountName\":\"" DB "\",\"timeoutSeconds\":7,\"containerConcurrency\":3,"           \
    "\"containers\":[{\"image\":\"gcr.io/p/shop\",\"ports\":[{\"name\":\"h2c\"}],"                 \
    "\"env\":[{\"name\":\"A\",\"value\":\"b\"}]}]}}}},"                                            \
    "\"listen\":\"127.0.0.1:9001\",\"metadata\":\"127.0.0.1:9002\",\"upstream\":\"127.0.0.1:"      \
    "9003\"}"

START_TEST(a_new_service_runs_what_its_knative_object_says)
{
    put("services", "shop", KNATIVE);
    snapshot *s = merged();
    const service *v = snapshot_find_service(s, span_of("shop"));
    ck_assert_ptr_nonnull(v);
    ck_assert_int_eq(v->ingress, INGRESS_INTERNAL);
    ck_assert(!v->iam_check);
    ck_assert(v->use_http2);
    ck_assert_int_eq(v->timeout_us, 7 * SECOND);
    ck_assert_uint_eq(v->concurrency, 3);
    ck_assert_uint_eq(v->body_limit, SERVICE_BODY_LIMIT);
    ck_assert_str_eq(v->image, "gcr.io/p/shop");
    ck_assert_str_eq(v->account->email, DB);
    ck_assert_str_eq(v->listen, "127.0.0.1:9001");
    ck_assert_str_eq(v->metadata, "127.0.0.1:9002");
    ck_assert_str_eq(v->upstream, "127.0.0.1:9003");
    ck_assert_str_eq(v->custom_audiences[0], "https://shop.example");
    ck_assert_uint_eq(v->env_count, 1);
    ck_assert_str_eq(v->env[0].value, "b");
    ck_assert_ptr_null(v->command);
    ck_assert_int_eq(snapshot_audience(s, v, SPAN_LIT("https://shop.example"), NULL), AUDIENCE_OK);
    snapshot_unref(s);
}
END_TEST

START_TEST(an_image_of_the_file_says_what_runs)
{
    static const char *const command[] = {"shop-server", "-v", NULL};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_image(b, "gcr.io/p/shop", command);
    snapshot *file = fixture_build(b);
    put("services", "shop", KNATIVE);
    snapshot *s = state_merge(file, document, NULL, NOW_US);
    const service *v = snapshot_find_service(s, span_of("shop"));
    ck_assert_str_eq(v->command[0], "shop-server");
    ck_assert_str_eq(v->command[1], "-v");
    ck_assert_ptr_null(v->command[2]);
    snapshot_unref(s);
    snapshot_unref(file);
}
END_TEST

START_TEST(a_service_of_the_file_keeps_what_only_the_file_can_say)
{
    put_service("backend-api", KNATIVE);
    snapshot *s = merged();
    const service *v = snapshot_find_service(s, span_of("backend-api"));
    const service *was = snapshot_find_service(base, span_of("backend-api"));
    ck_assert_str_eq(v->listen, was->listen);
    ck_assert_str_eq(v->hosts[0], was->hosts[0]);
    ck_assert_str_eq(v->url, was->url);
    ck_assert_int_eq(v->ingress, INGRESS_INTERNAL);
    ck_assert_str_eq(v->account->email, DB);
    snapshot_unref(s);
}
END_TEST

START_TEST(the_mode_is_the_files_whatever_the_state_says)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &(emulation){.audit = true});
    snapshot *file = fixture_build(b);
    put("accounts", "new-sa@my-project.iam.gserviceaccount.com", "{}");
    snapshot *s = state_merge(file, document, NULL, NOW_US);
    ck_assert_ptr_ne(s, file);
    ck_assert(snapshot_emulation(s)->audit);
    snapshot_unref(s);
    snapshot_unref(file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("merge");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, with_nothing_in_the_state_the_file_is_all);
    tcase_add_test(c, what_no_entry_names_stays_as_the_file_says);
    tcase_add_test(c, accounts_are_made_changed_and_deleted);
    tcase_add_test(c, a_policy_replaces_all_of_the_files_for_that_resource_alone);
    tcase_add_test(c, an_entry_no_longer_counts_when_that_part_of_the_file_changes);
    tcase_add_test(c, other_addresses_are_no_other_definition);
    tcase_add_test(c, a_new_grant_and_a_revocation_propagate);
    tcase_add_test(c, a_condition_of_a_policy_is_in_force);
    tcase_add_test(c, custom_roles_and_deny_rules_count);
    tcase_add_test(c, a_new_service_runs_what_its_knative_object_says);
    tcase_add_test(c, an_image_of_the_file_says_what_runs);
    tcase_add_test(c, a_service_of_the_file_keeps_what_only_the_file_can_say);
    tcase_add_test(c, the_mode_is_the_files_whatever_the_state_says);
    suite_add_tcase(s, c);
    return check_main(s);
}
