/* The small grammars: each refusal beside the nearest acceptance. */
#include "config/values.h"

#include "base/attr.h"
#include "check_main.h"

typedef struct duration_row {
    const char *text;
    int64_t us; /* -1: refused */
} duration_row;

static const duration_row DURATIONS[] = {
    {"300s", 300000000},
    {"5m", 300000000},
    {"1h", INT64_C(3600000000)},
    {"250ms", 250000},
    {"1h30m", INT64_C(5400000000)},
    {"1m1s1ms", 61001000},
    {"0s", 0},
    {"1000000000h", INT64_C(3600000000000000000)},
    {"1000000001h", -1},
    {"", -1},
    {"0", -1},
    {"300", -1},
    {"s", -1},
    {"-1s", -1},
    {"1.5s", -1},
    {"1 s", -1},
    {"1s ", -1},
    {"1S", -1},
    {"1d", -1},
    {"1us", -1},
    {"1s1m", -1},
    {"1s1s", -1},
    {"1ms1s", -1},
    {"1s1", -1},
    {"99999999999999999999s", -1},
};

START_TEST(durations)
{
    const duration_row *row = &DURATIONS[_i];
    int64_t us = -1;
    ck_assert_msg(value_duration_us(span_of(row->text), &us) == (row->us >= 0), "%s", row->text);
    ck_assert_int_eq(us, row->us);
}
END_TEST

typedef struct word_row {
    bool (*valid)(span);
    const char *text;
    bool good;
} word_row;

#define LETTERS_29 "abcdefghijklmnopqrstuvwxyzabc"

static const word_row WORDS[] = {
    {value_is_service_name, "a", true},
    {value_is_service_name, "backend-api-2", true},
    {value_is_service_name, LETTERS_29 "01234567890123456789", true},
    {value_is_service_name, LETTERS_29 "012345678901234567890", false},
    {value_is_service_name, "", false},
    {value_is_service_name, "2backend", false},
    {value_is_service_name, "-a", false},
    {value_is_service_name, "a-", false},
    {value_is_service_name, "Backend", false},
    {value_is_service_name, "back_end", false},
    {value_is_service_name, "back.end", false},
    {value_is_account_name, LETTERS_29 "z", true},
    {value_is_account_name, LETTERS_29 "zz", false},
    {value_is_account_name, "db-sa", true},
    {value_is_project_id, "my-project", true},
    {value_is_project_id, "abcde", false},
    {value_is_project_id, "abcdef", true},
    {value_is_project_id, LETTERS_29 "z", true},
    {value_is_project_id, LETTERS_29 "zz", false},
    {value_is_project_number, "1", true},
    {value_is_project_number, "9223372036854775807", true},
    {value_is_project_number, "12345678901234567890", false},
    {value_is_project_number, "012", false},
    {value_is_project_number, "0x12", false},
    {value_is_project_number, "", false},
    {value_is_region, "us-central1", true},
    {value_is_region, "europe-west12", true},
    {value_is_region, "us-central", false},
    {value_is_region, "central1", false},
    {value_is_region, "us-central123", false},
    {value_is_region, "us-1", false},
    {value_is_region, "US-central1", false},
    {value_is_region, "1", false},
    {value_is_email, "a@b.c", true},
    {value_is_email, "a.b+c@example.com", true},
    {value_is_email, "a@b", false},
    {value_is_email, "@example.com", false},
    {value_is_email, "a@", false},
    {value_is_email, "a@b@example.com", false},
    {value_is_email, "a b@example.com", false},
    {value_is_email, "a@exam ple.com", false},
    {value_is_service_account_email, "a@p.iam.gserviceaccount.com", true},
    {value_is_service_account_email, "1-compute@developer.gserviceaccount.com", true},
    {value_is_service_account_email, "a@example.com", false},
    {value_is_service_account_email, "gserviceaccount.com", false},
    {value_is_host_name, "localhost", true},
    {value_is_host_name, "API.example.test", true},
    {value_is_host_name, "127.0.0.1", true},
    {value_is_host_name, "backend_app", true},
    {value_is_host_name, "a..b", false},
    {value_is_host_name, ".a", false},
    {value_is_host_name, "a.", false},
    {value_is_host_name, "a:80", false},
    {value_is_host_name, "-a.test", false},
    {value_is_host_name, "", false},
    {value_is_env_name, "BACKEND_URL", true},
    {value_is_env_name, "", false},
    {value_is_env_name, "A=B", false},
};

START_TEST(words)
{
    const word_row *row = &WORDS[_i];
    ck_assert_msg(row->valid(span_of(row->text)) == row->good, "row %d: '%s'", _i, row->text);
}
END_TEST

typedef struct origin_row {
    const char *text;
    const char *host; /* NULL: refused */
    uint16_t port;
    bool has_port;
} origin_row;

static const origin_row ORIGINS[] = {
    {"http://127.0.0.1:9081", "127.0.0.1", 9081, true},
    {"http://backend", "backend", 80, false},
    {"https://api.example.test/", "api.example.test", 443, false},
    {"HTTP://[::1]:80/", "[::1]", 80, true},
    {"http://[::1]", "[::1]", 80, false},
    {"http://", NULL, 0, false},
    {"http:///", NULL, 0, false},
    {"http:backend", NULL, 0, false},
    {"ftp://backend", NULL, 0, false},
    {"backend:80", NULL, 0, false},
    {"http://backend:", NULL, 0, false},
    {"http://backend:0", NULL, 0, false},
    {"http://backend:65536", NULL, 0, false},
    {"http://backend:80x", NULL, 0, false},
    {"http://backend/path", NULL, 0, false},
    {"http://backend//", NULL, 0, false},
    {"http://backend?x", NULL, 0, false},
    {"http://backend#x", NULL, 0, false},
    {"http://user@backend", NULL, 0, false},
    {"http://[::1", NULL, 0, false},
    {"http://[::1]x", NULL, 0, false},
    {"http://[::1/64]", NULL, 0, false},
    {"http://[]", NULL, 0, false},
    {"http://[", NULL, 0, false},
    {"http://[x]", NULL, 0, false},
};

START_TEST(origins)
{
    const origin_row *row = &ORIGINS[_i];
    origin o = {0};
    bool good = value_origin(span_of(row->text), &o);
    ck_assert_msg(good == (row->host != NULL), "%s", row->text);
    if (!good)
        return;
    ck_assert(span_eq_str(o.host, row->host));
    ck_assert_uint_eq(o.port, row->port);
    ck_assert_int_eq(o.has_port, row->has_port);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("values");
    TCase *t = tcase_create("grammars");
    tcase_add_loop_test(t, durations, 0, countof(DURATIONS));
    tcase_add_loop_test(t, words, 0, countof(WORDS));
    tcase_add_loop_test(t, origins, 0, countof(ORIGINS));
    suite_add_tcase(s, t);
    return check_main(s);
}
