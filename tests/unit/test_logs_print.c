/* A decision as a line for people. */
#include "check_main.h"
#include <jansson.h>
#include <stdlib.h>

#include "cli/logs_print.h"

#define TIME "\"timestamp\":\"2026-11-29T12:01:23.707714Z\","

static const struct {
    const char *json, *text;
} cases[] = {
    {"{\"id\":\"0123456789abcdef01234567\"," TIME "\"status\":200,\"allowed\":true,"
     "\"reason\":\"granted\",\"service\":\"backend-api\",\"method\":\"GET\",\"path\":\"/x\","
     "\"caller\":\"frontend-sa@my-project.iam.gserviceaccount.com\",\"latency_us\":1789}",
     "12:01:23.707 200 granted  frontend-sa@my-project -> backend-api  GET /x  1.7 ms  01234567\n"},
    {"{\"id\":\"0123456789abcdef01234567\"," TIME "\"status\":403,\"allowed\":false,"
     "\"enforced\":true,\"reason\":\"no_credential\",\"service\":\"a\",\"method\":\"GET\","
     "\"path\":\"/\",\"explanation\":\"Because.\",\"fix\":\"gcloud x\",\"local_fix\":\"matrix: y\","
     "\"latency_us\":0}",
     "12:01:23.707 403 no_credential  anonymous -> a  GET /  0.0 ms  01234567\n"
     "    cause       Because.\n"
     "    production  gcloud x\n"
     "    here        matrix: y\n"},
    {"{" TIME "\"status\":200,\"allowed\":false,\"enforced\":false,\"reason\":\"no_grant\","
     "\"service\":\"a\",\"method\":\"GET\",\"path\":\"/\",\"caller\":\"u@example.com\","
     "\"latency_us\":12345}",
     "12:01:23.707 200 no_grant (audit: let through)  u@example.com -> a  GET /  12 ms\n"},
    {"{" TIME
     "\"status\":503,\"allowed\":true,\"reason\":\"public\",\"failure\":\"connect_failed\","
     "\"service\":\"a\",\"method\":\"GET\",\"path\":\"/\",\"explanation\":\"Nobody listens.\","
     "\"latency_us\":12345678}",
     "12:01:23.707 503 public, connect_failed  anonymous -> a  GET /  12.3 s\n"
     "    cause       Nobody listens.\n"},
    {"{" TIME "\"status\":401,\"allowed\":false,\"reason\":\"expired\",\"service\":\"a\","
     "\"method\":\"GET\",\"path\":\"/\",\"header\":\"Authorization\",\"facts\":{\"claims\":{"
     "\"email\":\"a-sa@my-project.iam.gserviceaccount.com\"}},\"latency_us\":0}",
     "12:01:23.707 401 expired  a-sa@my-project (not proved) -> a  GET /  0.0 ms\n"},
    {"{" TIME "\"status\":401,\"allowed\":false,\"reason\":\"not_a_jwt\",\"service\":\"a\","
     "\"method\":\"GET\",\"path\":\"/\",\"header\":\"Authorization\",\"latency_us\":0}",
     "12:01:23.707 401 not_a_jwt  somebody (not proved) -> a  GET /  0.0 ms\n"},
    {"{" TIME "\"status\":404,\"allowed\":false,\"reason\":\"unknown_host\",\"host\":\"h.example\","
     "\"method\":\"GET\",\"path\":\"/\",\"latency_us\":0}",
     "12:01:23.707 404 unknown_host  anonymous -> h.example  GET /  0.0 ms\n"},
    /* What others send does not reach the terminal's ears. */
    {"{" TIME "\"status\":403,\"allowed\":false,\"reason\":\"no_grant\",\"service\":\"a\","
     "\"method\":\"GET\",\"path\":\"/\\u001b[2J\\n\",\"latency_us\":0}",
     "12:01:23.707 403 no_grant  anonymous -> a  GET /?[2J?  0.0 ms\n"},
    {"{}", " " /* nothing is missed so badly that it ends */},
};

static char *print(const char *json, logs_style style)
{
    auto_buf buf b = buf_make(64 * 1024);
    json_auto_t *entry = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(entry);
    logs_put(&b, entry, &style);
    return buf_take(&b);
}

START_TEST(a_decision_is_a_line_and_a_refusal_says_more)
{
    auto_free char *text = print(cases[_i].json, (logs_style){.id_shown = LOGS_ID_SHOWN});
    if (cases[_i].text[0] == ' ')
        ck_assert_ptr_nonnull(strchr(text, '\n'));
    else
        ck_assert_str_eq(text, cases[_i].text);
}
END_TEST

START_TEST(brief_is_one_line)
{
    auto_free char *text = print(cases[1].json, (logs_style){.brief = true, .id_shown = 10});
    ck_assert_str_eq(text,
                     "12:01:23.707 403 no_credential  anonymous -> a  GET /  0.0 ms  0123456789\n");
}
END_TEST

START_TEST(colours_end_where_the_line_does)
{
    auto_free char *text = print(cases[1].json, (logs_style){.colour = true, .id_shown = 8});
    ck_assert_ptr_nonnull(strstr(text, "\033[31m403 no_credential\033[0m"));
    ck_assert_ptr_nonnull(strstr(text, "01234567\033[0m\n"));
}
END_TEST

START_TEST(ids_are_shown_as_far_as_they_differ)
{
    json_auto_t *few = json_loads("[{\"id\":\"0123456789aa\"},{\"id\":\"0123ffff\"},{}]", 0, NULL);
    json_auto_t *alike =
        json_loads("[{\"id\":\"0123456789aa\"},{\"id\":\"x\"},{\"id\":\"0123456789ba\"}]", 0, NULL);
    ck_assert_uint_eq(logs_id_shown(few), LOGS_ID_SHOWN);
    ck_assert_uint_eq(logs_id_shown(alike), 11);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("logs_print");
    TCase *t = tcase_create("print");
    tcase_add_loop_test(t, a_decision_is_a_line_and_a_refusal_says_more, 0, (int)countof(cases));
    tcase_add_test(t, brief_is_one_line);
    tcase_add_test(t, colours_end_where_the_line_does);
    tcase_add_test(t, ids_are_shown_as_far_as_they_differ);
    suite_add_tcase(s, t);
    return check_main(s);
}
