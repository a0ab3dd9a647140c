/* Whose Host the control listener answers to, and which origins. */
#include "base/attr.h"
#include "check_main.h"
#include "control/reply.h"

static const struct {
    const char *host;
    bool ours;
} rows[] = {
    {"127.0.0.1", true},
    {"127.0.0.1:8079", true},
    {"10.0.0.1:80", true},
    {"[::1]", true},
    {"[::1]:8079", true},
    {"[fe80::1]:1", true},
    {"localhost", true},
    {"LOCALHOST:8079", true},
    {"backend-api.localhost:8080", true},
    {"us-central1-run.localhost:8079", true},
    {"a.b.LOCALHOST", true},
    {"gateway", true},
    {"gateway:8079", true},
    {"metadata.google.internal", true},
    {"metadata.google.internal:80", true},
    {"", false},
    {":80", false},
    {"evil.example", false},
    {"evil.example:8079", false},
    {"127.0.0.1.nip.example", false},
    {"localhost.evil.example", false},
    {"metadata.google.internal.evil.example", false},
    {".localhost", false},
    {"localhost:x", false},
    {"localhost:99999", false},
    {"[::1", false},
    {"[evil.example]", false},
    {"[::1]x", false},
    {"10.0.0.0/8", false},
    {"localhost.", false},
};

START_TEST(only_addresses_and_names_that_no_foreign_dns_can_own_are_ours)
{
    ck_assert_msg(host_is_ours(span_of(rows[_i].host)) == rows[_i].ours, "%s", rows[_i].host);
}
END_TEST

static const struct {
    const char *origin, *host;
    bool foreign;
} origins[] = {
    {"http://127.0.0.1:8079", "127.0.0.1:8079", false},
    {"http://LOCALHOST:8079", "localhost:8079", false},
    {"http://127.0.0.1:8080", "127.0.0.1:8079", true},
    {"http://127.0.0.1", "127.0.0.1:8079", true},
    {"https://127.0.0.1:8079", "127.0.0.1:8079", true},
    {"http://evil.example", "127.0.0.1:8079", true},
    {"null", "127.0.0.1:8079", true},
    {"", "127.0.0.1:8079", true},
};

START_TEST(an_origin_is_ours_when_it_is_the_host_that_was_asked)
{
    ck_assert_msg(origin_is_foreign(span_of(origins[_i].origin), span_of(origins[_i].host)) ==
                      origins[_i].foreign,
                  "%s at %s", origins[_i].origin, origins[_i].host);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control");
    TCase *t = tcase_create("control");
    tcase_add_loop_test(t, only_addresses_and_names_that_no_foreign_dns_can_own_are_ours, 0,
                        countof(rows));
    tcase_add_loop_test(t, an_origin_is_ours_when_it_is_the_host_that_was_asked, 0,
                        countof(origins));
    suite_add_tcase(s, t);
    return check_main(s);
}
