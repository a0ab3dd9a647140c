/* From a Host header to a service at the shared ingress. */
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

static const struct {
    const char *host, *service; /* NULL: unknown */
    host_kind kind;
} rows[] = {
    {"backend-api.localhost:8080", "backend-api", HOST_OWN},
    {"backend-api.localhost", "backend-api", HOST_OWN},
    {"Backend-API.LocalHost:1", "backend-api", HOST_OWN},
    {"backend-api.localhost.:8080", "backend-api", HOST_OWN},
    {"frontend.localhost", "frontend", HOST_OWN},
    {"backend-api-123456789012.us-central1.run.app", "backend-api", HOST_RUN_APP},
    {"backend-api-123456789012.us-central1.run.app:443", "backend-api", HOST_RUN_APP},
    {"BACKEND-API-123456789012.US-CENTRAL1.RUN.APP.", "backend-api", HOST_RUN_APP},
    {"api.example.test", "backend-api", HOST_CUSTOM},
    {"api.example.test:8080", "backend-api", HOST_CUSTOM},
    {"worker:8080", "worker", HOST_OWN},
    {"worker", "worker", HOST_OWN},
    {"backend-api", NULL, HOST_OWN},
    {"www.backend-api-123456789012.us-central1.run.app", NULL, HOST_OWN},
    {"tag---backend-api-123456789012.us-central1.run.app", NULL, HOST_OWN},
    {"backend-api-123456789012.us-east1.run.app", NULL, HOST_OWN},
    {"localhost:8080", NULL, HOST_OWN},
    {"127.0.0.1:8082", NULL, HOST_OWN},
    {"[::1]:8080", NULL, HOST_OWN},
    {"[::1", NULL, HOST_OWN},
    {"", NULL, HOST_OWN},
    {":8080", NULL, HOST_OWN},
    {".", NULL, HOST_OWN},
};

START_TEST(a_host_leads_to_its_service)
{
    host_kind kind = HOST_OWN;
    const service *svc = snapshot_route_host(s, span_of(rows[_i].host), &kind);
    if (!rows[_i].service) {
        ck_assert_msg(!svc, "%s led to %s", rows[_i].host, svc ? svc->name : "");
        return;
    }
    ck_assert_msg(svc != NULL, "%s is unknown", rows[_i].host);
    ck_assert_str_eq(svc->name, rows[_i].service);
    ck_assert_int_eq(kind, rows[_i].kind);
}
END_TEST

START_TEST(a_hash_url_leads_to_its_service)
{
    const service *svc = fixture_find(s, "backend-api");
    host_kind kind = HOST_OWN;
    ck_assert_ptr_eq(snapshot_route_host(s, span_of(svc->hash_url + strlen("https://")), &kind),
                     svc);
    ck_assert_int_eq(kind, HOST_RUN_APP);
}
END_TEST

START_TEST(a_host_longer_than_any_name_is_unknown)
{
    char host[5000];
    memset(host, 'a', sizeof host);
    ck_assert_ptr_null(snapshot_route_host(s, (span){host, sizeof host}, NULL));
}
END_TEST

START_TEST(urls_that_differ_in_port_only_route_nowhere)
{
    snapshot_builder *b = fixture_builder();
    fixture_service(b, (service){.name = "one", .url = "http://gateway:8091"}, NULL);
    fixture_service(b, (service){.name = "two", .url = "http://gateway:8092"}, NULL);
    snapshot *t = fixture_build(b);
    ck_assert_ptr_null(snapshot_route_host(t, SPAN_LIT("gateway:8091"), NULL));
    ck_assert_ptr_nonnull(snapshot_route_host(t, SPAN_LIT("one.localhost"), NULL));
    snapshot_unref(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *t = tcase_create("route");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_host_leads_to_its_service, 0, (int)countof(rows));
    tcase_add_test(t, a_hash_url_leads_to_its_service);
    tcase_add_test(t, a_host_longer_than_any_name_is_unknown);
    tcase_add_test(t, urls_that_differ_in_port_only_route_nowhere);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
