/* The overlay of addresses: its lines, and what is refused. */
#include "config/addresses.h"

#include "topology_fixture.h"

START_TEST(lines_are_found_by_name_and_kind)
{
    error e = {0};
    put_file("o",
             "# written by invoker up\n\n- ingress 127.0.0.1:1\n  api \t listen  127.0.0.1:2 \n"
             "api metadata [::1]:3\napi upstream backend-app:4");
    addresses *a = addresses_read("o", &e);
    ck_assert_msg(a != NULL, "%s", e.text);
    ck_assert_str_eq(addresses_get(a, "-", "ingress"), "127.0.0.1:1");
    ck_assert_str_eq(addresses_get(a, "api", "listen"), "127.0.0.1:2");
    ck_assert_str_eq(addresses_get(a, "api", "metadata"), "[::1]:3");
    ck_assert_str_eq(addresses_get(a, "api", "upstream"), "backend-app:4");
    ck_assert_ptr_null(addresses_get(a, "-", "control"));
    ck_assert_ptr_null(addresses_get(a, "web", "listen"));
    addresses_free(a);
}
END_TEST

START_TEST(without_an_overlay_nothing_is_found)
{
    ck_assert_ptr_null(addresses_get(NULL, "-", "ingress"));
    addresses_free(NULL);
    error e = {0};
    put_file("o", "");
    addresses *a = addresses_read("o", &e);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_null(addresses_get(a, "-", "ingress"));
    addresses_free(a);
}
END_TEST

typedef struct row {
    const char *text, *problem;
} row;

static const row REFUSED[] = {
    {"api listen\n", "o:1: expected NAME KIND ADDRESS"},
    {"\napi listen 127.0.0.1:1 x\n", "o:2: expected NAME KIND ADDRESS"},
    {"API listen 127.0.0.1:1\n", "o:1: 'API' is not a service name"},
    {"api ingress 127.0.0.1:1\n",
     "o:1: unknown kind 'ingress'; expected listen, metadata or upstream"},
    {"- listen 127.0.0.1:1\n", "o:1: unknown kind 'listen'; expected ingress, metadata or control"},
    {"api listen backend:1\n",
     "o:1: 'backend:1' has no numeric address; expected such as 127.0.0.1:8080"},
    {"api upstream backend\n", "o:1: 'backend' is not an address; expected HOST:PORT"},
    {"api upstream backend:0\n", "o:1: 'backend:0' is not an address; expected HOST:PORT"},
    {"api listen 127.0.0.1:1\napi listen 127.0.0.1:2\n", "o:2: api listen is there already"},
};

START_TEST(bad_lines_are_refused_with_their_number)
{
    error e = {0};
    put_file("o", REFUSED[_i].text);
    ck_assert_ptr_null(addresses_read("o", &e));
    ck_assert_str_eq(e.text, REFUSED[_i].problem);
}
END_TEST

START_TEST(a_missing_file_is_refused)
{
    error e = {0};
    ck_assert_ptr_null(addresses_read("none", &e));
    ck_assert_str_eq(e.text, "none: cannot open: No such file or directory");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("addresses");
    TCase *t = tcase_create("overlay");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_add_test(t, lines_are_found_by_name_and_kind);
    tcase_add_test(t, without_an_overlay_nothing_is_found);
    tcase_add_loop_test(t, bad_lines_are_refused_with_their_number, 0, countof(REFUSED));
    tcase_add_test(t, a_missing_file_is_refused);
    suite_add_tcase(s, t);
    return check_main(s);
}
