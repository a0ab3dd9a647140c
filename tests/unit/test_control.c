/* Whose Host the control listener answers to. */
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
    {"a.b.LOCALHOST", true},
    {"gateway", true},
    {"gateway:8079", true},
    {"", false},
    {":80", false},
    {"evil.example", false},
    {"evil.example:8079", false},
    {"127.0.0.1.nip.example", false},
    {"localhost.evil.example", false},
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

int main(void)
{
    Suite *s = suite_create("control");
    TCase *t = tcase_create("control");
    tcase_add_loop_test(t, only_addresses_and_names_that_no_foreign_dns_can_own_are_ours, 0,
                        countof(rows));
    suite_add_tcase(s, t);
    return check_main(s);
}
