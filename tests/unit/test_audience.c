/* Which audiences a service accepts, and what a refused one nearly was. */
#include "check_main.h"
#include "policy_fixture.h"

static snapshot *s;

static void setup(void)
{
    s = fixture_tutorial();
}
static void teardown(void)
{
    snapshot_unref(s);
}

#define HASH "HASH" /* stands for the hash URL's host */

static const struct {
    const char *aud;
    audience_verdict verdict;
    const char *other;
} rows[] = {
    {DET_URL, AUDIENCE_OK, NULL},
    {DET_URL "/", AUDIENCE_OK, NULL},
    {DET_URL "/api/items", AUDIENCE_OK, NULL},
    {DET_URL "?a=1", AUDIENCE_HAS_QUERY, NULL},
    {DET_URL "/tasks?a=1", AUDIENCE_HAS_QUERY, NULL},
    {DET_URL "/#top", AUDIENCE_HAS_QUERY, NULL},
    {"https://" HASH, AUDIENCE_OK, NULL},
    {"https://" HASH "/", AUDIENCE_OK, NULL},
    {"https://" HASH "/x/y", AUDIENCE_OK, NULL},
    {"https://" HASH "?x", AUDIENCE_HAS_QUERY, NULL},
    {"http://" HASH, AUDIENCE_WRONG_SCHEME, NULL},
    {"https://canary---" HASH, AUDIENCE_TAG_URL, NULL},
    {HASH, AUDIENCE_BARE_HOST, NULL},
    {"http://127.0.0.1:8082", AUDIENCE_OK, NULL},
    {"http://127.0.0.1:8082/", AUDIENCE_OK, NULL},
    {"http://localhost:8082", AUDIENCE_OK, NULL},
    {"http://localhost:8082/api/items", AUDIENCE_OK, NULL},
    {"http://[::1]:8082", AUDIENCE_OK, NULL},
    {"http://localhost:8082/?x=1", AUDIENCE_HAS_QUERY, NULL},
    {"https://localhost:8082", AUDIENCE_WRONG_SCHEME, NULL},
    {"localhost:8082", AUDIENCE_BARE_HOST, NULL},
    {"http://backend-api.localhost:8080", AUDIENCE_OK, NULL},
    {"http://backend-api.localhost:8080/a", AUDIENCE_OK, NULL},
    {"http://backend-api.localhost", AUDIENCE_WRONG_PORT, NULL},
    {"backend-api.localhost", AUDIENCE_BARE_HOST, NULL},
    {"http://backend-api-123456789012.us-central1.run.app", AUDIENCE_WRONG_SCHEME, NULL},
    {"https://canary---backend-api-123456789012.us-central1.run.app", AUDIENCE_TAG_URL, NULL},
    {"https://x---db-service-123456789012.us-central1.run.app", AUDIENCE_OTHER_SERVICE,
     "db-service"},
    {"backend-api-123456789012.us-central1.run.app", AUDIENCE_BARE_HOST, NULL},
    {"https://db-service-123456789012.us-central1.run.app", AUDIENCE_OTHER_SERVICE, "db-service"},
    {"http://127.0.0.1:8083", AUDIENCE_OTHER_SERVICE, "db-service"},
    {"http://localhost:8083/items", AUDIENCE_OTHER_SERVICE, "db-service"},
    {"http://worker:8080", AUDIENCE_OTHER_SERVICE, "worker"},
    {"backend-api.internal", AUDIENCE_OK, NULL},
    {"backend-api.internal/", AUDIENCE_NEARLY_CUSTOM, NULL},
    {"Backend-api.internal", AUDIENCE_NEARLY_CUSTOM, NULL},
    {"https://backend-api.internal", AUDIENCE_NEARLY_CUSTOM, NULL},
    {"https://backend-api.internal/x", AUDIENCE_NEARLY_CUSTOM, NULL},
    {"backend-api.internal.evil.test", AUDIENCE_FOREIGN, NULL},
    {"backend-api", AUDIENCE_FOREIGN, NULL},
    {"https://api.example.net", AUDIENCE_OK, NULL},
    {"https://api.example.net/", AUDIENCE_NEARLY_CUSTOM, NULL},
    {"https://api.example.test", AUDIENCE_CUSTOM_DOMAIN, NULL},
    {"https://api.example.test/x", AUDIENCE_CUSTOM_DOMAIN, NULL},
    {"api.example.test", AUDIENCE_CUSTOM_DOMAIN, NULL},
    {CLIENT_ID, AUDIENCE_OK, NULL},
    {"764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com", AUDIENCE_OK, NULL},
    {"1-x.apps.googleusercontent.com", AUDIENCE_FOREIGN, NULL},
    {"https://us-central1-my-project.cloudfunctions.net/backend-api", AUDIENCE_FOREIGN, NULL},
    {"https://backend-api-123456789012.us-central1.run.app.evil.test", AUDIENCE_FOREIGN, NULL},
    {"https://backend-api-123456789012.us-central1.run.app@evil.test", AUDIENCE_FOREIGN, NULL},
    {"https://backend-api-123456789012.us-central1.run.app:443", AUDIENCE_WRONG_PORT, NULL},
    {"https://BACKEND-API-123456789012.us-central1.run.app", AUDIENCE_WRONG_CASE, NULL},
    {"HTTPS://BACKEND-API-123456789012.us-central1.run.app/", AUDIENCE_WRONG_CASE, NULL},
    {"http://127.0.0.1:8082\\x", AUDIENCE_WRONG_PORT, NULL},
    {"http://127.0.0.1:80820", AUDIENCE_WRONG_PORT, NULL},
    {"http://127.0.0.1", AUDIENCE_WRONG_PORT, NULL},
    {"my-project", AUDIENCE_FOREIGN, NULL},
    {"demo", AUDIENCE_FOREIGN, NULL},
    {"https://", AUDIENCE_FOREIGN, NULL},
    {"://", AUDIENCE_FOREIGN, NULL},
    {" " DET_URL, AUDIENCE_FOREIGN, NULL},
    {"", AUDIENCE_FOREIGN, NULL},
};

/* The row's audience with the placeholder replaced. */
static const char *spelled(const char *aud, const char *hash_url, char out[512])
{
    const char *at = strstr(aud, HASH);
    if (!at)
        return aud;
    snprintf(out, 512, "%.*s%s%s", (int)(at - aud), aud, hash_url + strlen("https://"),
             at + strlen(HASH));
    return out;
}

START_TEST(an_audience_is_judged_as_documented)
{
    const service *svc = fixture_find(s, "backend-api");
    char text[512];
    const char *aud = spelled(rows[_i].aud, svc->hash_url, text);
    const service *other = svc;
    const audience_verdict v = snapshot_audience(s, svc, span_of(aud), &other);
    ck_assert_msg(v == rows[_i].verdict, "%s: %d, not %d", aud, (int)v, (int)rows[_i].verdict);
    if (rows[_i].other)
        ck_assert_str_eq(other->name, rows[_i].other);
    else
        ck_assert_ptr_null(other);
}
END_TEST

START_TEST(a_stated_url_takes_the_place_of_the_listener)
{
    const service *svc = fixture_find(s, "worker");
    ck_assert_int_eq(snapshot_audience(s, svc, SPAN_LIT("http://worker:8080"), NULL), AUDIENCE_OK);
    ck_assert_int_eq(snapshot_audience(s, svc, SPAN_LIT("http://worker:8080/x"), NULL),
                     AUDIENCE_OK);
    ck_assert_int_eq(snapshot_audience(s, svc, SPAN_LIT("http://worker"), NULL),
                     AUDIENCE_WRONG_PORT);
}
END_TEST

START_TEST(a_name_too_long_for_a_label_has_the_hash_url_only)
{
    snapshot_builder *b = fixture_builder();
    static const char name[] = "a-service-whose-name-is-as-long-as-names-may-be-49";
    fixture_service(b, (service){.name = name + 1, .listen = "127.0.0.1:8090"}, NULL);
    fixture_service(b,
                    (service){.name = "abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcdefg",
                              .listen = "127.0.0.1:8091"},
                    NULL);
    snapshot *longer = fixture_build(b);
    ck_assert_ptr_nonnull(fixture_find(longer, name + 1)->deterministic_url);
    const service *svc =
        fixture_find(longer, "abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcdefg");
    ck_assert_ptr_null(svc->deterministic_url);
    ck_assert_int_eq(snapshot_audience(longer, svc, span_of(svc->hash_url), NULL), AUDIENCE_OK);
    snapshot_unref(longer);
}
END_TEST

START_TEST(the_hash_url_has_its_shape_and_the_projects_hash)
{
    const char *a = fixture_find(s, "frontend")->hash_url + strlen("https://frontend-");
    const char *b = fixture_find(s, "worker")->hash_url + strlen("https://worker-");
    ck_assert_str_eq(a, b);
    ck_assert_str_eq(a + 10, "-uc.a.run.app");
    for (size_t i = 0; i < 9; i++)
        ck_assert(strchr("abcdefghijklmnopqrstuvwxyz234567", a[i]) != NULL);
    ck_assert(a[9] == 'a' || a[9] == 'q');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audience");
    TCase *t = tcase_create("audience");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, an_audience_is_judged_as_documented, 0, (int)countof(rows));
    tcase_add_test(t, a_stated_url_takes_the_place_of_the_listener);
    tcase_add_test(t, a_name_too_long_for_a_label_has_the_hash_url_only);
    tcase_add_test(t, the_hash_url_has_its_shape_and_the_projects_hash);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
