/* Recordings: lines, rotated files, what is cut off, and what is refused at its line. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "check_main.h"
#include "cli/recording.h"

#define AT    "\"timestamp\":\"2027-01-15T08:00:00.5Z\""
#define FACTS "\"facts\":{\"by_run_app_host\":true,\"internal\":true,\"reserved_path\":false,"
#define GOOD  "{" AT ",\"id\":\"a1\",\"reason\":\"granted\",\"service\":\"api\"}"
#define WHOLE                                                                                      \
    "{" AT ",\"id\":\"b2\",\"status\":200,\"allowed\":false,\"enforced\":false,"                   \
    "\"reason\":\"no_grant\",\"service\":\"api\",\"method\":\"GET\",\"path\":\"/x\","              \
    "\"host\":\"h:1\",\"caller\":\"a@b.example\",\"explanation\":\"e\",\"fix\":\"f\"," FACTS       \
    "\"header\":\"serverless\",\"token\":\"verified\",\"claims\":{\"iss\":\"i\",\"aud\":[\"u\"],"  \
    "\"email\":\"a@b.example\",\"email_verified\":true,\"exp\":7,\"kid\":\"k\"}}}"

static char dir[64], path[128];
static char ids[4096];

static void setup(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/invoker-recording-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/r.jsonl", dir);
    ids[0] = '\0';
}

static void teardown(void)
{
    for (int i = 0; i < 20; i++) {
        char name[160];
        (void)snprintf(name, sizeof name, i ? "%s.%d" : "%s", path, i);
        (void)unlink(name);
    }
    (void)rmdir(dir);
}

static void put(const char *suffix, const void *text, size_t n)
{
    char name[160];
    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    ck_assert(file_replace_lazily(name, text, n, 0600, NULL));
}

static void put_text(const char *suffix, const char *text)
{
    put(suffix, text, strlen(text));
}

static bool take(void *ctx, const recorded *r, error *e)
{
    (void)ctx;
    (void)e;
    const size_t n = strlen(ids);
    (void)snprintf(ids + n, sizeof ids - n, "%s ", r->id);
    return true;
}

static bool read_all(recording *r, error *e)
{
    *r = (recording){.take = take};
    return recording_read(r, path, e);
}

static recorded last; /* claims kept */
static claims kept;

static bool keep(void *ctx, const recorded *r, error *e)
{
    (void)ctx;
    (void)e;
    last = *r;
    ck_assert_str_eq(r->service, "api");
    ck_assert_str_eq(r->caller, "a@b.example");
    ck_assert_str_eq(r->host, "h:1");
    ck_assert_str_eq(r->fix, "f");
    if (r->facts.claims)
        kept = *r->facts.claims;
    ck_assert_str_eq(r->facts.claims->aud[0], "u");
    return true;
}

START_TEST(a_line_is_a_decision)
{
    error e = {0};
    put_text("", WHOLE "\n");
    recording r = {.take = keep};
    ck_assert_msg(recording_read(&r, path, &e), "%s", e.text);
    ck_assert_uint_eq(r.decisions, 1);
    ck_assert_int_eq(last.time_us, INT64_C(1800000000500000));
    ck_assert_uint_eq(last.status, 200);
    ck_assert(last.decided && !last.allowed && !last.enforced && last.has_facts);
    ck_assert_int_eq(last.reason, REASON_NO_GRANT);
    ck_assert(last.facts.by_run_app_host && last.facts.internal && !last.facts.reserved_path);
    ck_assert_int_eq(last.facts.header, HEADER_SERVERLESS);
    ck_assert_int_eq(last.facts.token, TOKEN_VERIFIED);
    ck_assert(kept.has_exp && kept.exp_s == 7 && !kept.has_iat);
}
END_TEST

START_TEST(blank_lines_and_the_gateways_own_answer_are_read)
{
    error e = {0};
    recording r;
    /* The answer has the newest first. */
    put_text("", "\n" GOOD "\r\n \t\n{\"decisions\":[" WHOLE "," GOOD "]}\n" WHOLE);
    ck_assert_msg(read_all(&r, &e), "%s", e.text);
    ck_assert_str_eq(ids, "a1 a1 b2 b2 ");
    ck_assert_uint_eq(r.decisions, 4);
    ck_assert_uint_eq(r.cut, 0);
    put_text("", "");
    ck_assert(read_all(&r, &e));
    ck_assert_uint_eq(r.decisions, 0);
}
END_TEST

START_TEST(what_was_rotated_away_comes_first_and_nothing_twice)
{
    error e = {0};
    put_text(".2", "{" AT ",\"id\":\"old\"}\n");
    put_text(".1", "{" AT ",\"id\":\"former\"}\n");
    put_text("", "{" AT ",\"id\":\"now\"}\n");
    put_text(".4", "{" AT ",\"id\":\"of-something-else\"}\n");
    char first[160];
    (void)snprintf(first, sizeof first, "%s.1", path);
    char *const list[] = {first, path, path, NULL};
    recording r = {.take = take};
    ck_assert_msg(recording_read_files(&r, list, &e), "%s", e.text);
    ck_assert_str_eq(ids, "former old now ");
}
END_TEST

START_TEST(a_last_line_that_is_cut_off_is_left_out)
{
    error e = {0};
    recording r;
    put_text("", GOOD "\n{" AT ",\"id\":\"cu");
    ck_assert_msg(read_all(&r, &e), "%s", e.text);
    ck_assert_uint_eq(r.decisions, 1);
    ck_assert_uint_eq(r.cut, 1);
    char want[160];
    (void)snprintf(want, sizeof want, "%s:2", path);
    ck_assert_str_eq(r.cut_at, want);
}
END_TEST

static const struct {
    const char *text, *error;
} BAD[] = {
    {GOOD "\n{\"timestamp\n" GOOD "\n", ":2: no JSON: "},
    {GOOD "\n\n[]\n", ":3: no decision: not a JSON object"},
    {"{}\n", ":1: no decision: \"timestamp\" is missing"},
    {"{\"timestamp\":1}", ":1: no decision: \"timestamp\" is missing"},
    {"{\"timestamp\":\"today\"}\n", ":1: \"timestamp\" is no time: today"},
    {"{" AT "," AT "}\n", ":1: no JSON: duplicate object key"},
    {"{" AT ",\"service\":7}\n", ":1: \"service\" is not a string"},
    {"{" AT ",\"status\":\"200\"}\n", ":1: \"status\" is no status"},
    {"{" AT ",\"status\":-1}\n", ":1: \"status\" is no status"},
    {"{" AT ",\"reason\":\"mood\"}\n", ":1: no reason of a decision is called \"mood\""},
    {"{" AT ",\"enforced\":1}\n", ":1: \"enforced\" is neither true nor false"},
    {"{" AT "," FACTS "\"header\":\"hat\",\"token\":\"absent\"}}\n",
     ":1: facts: \"header\" is none of its words: hat"},
    {"{" AT "," FACTS "\"header\":\"none\"}}\n", ":1: facts: \"token\" is none of its words: "
                                                 "missing"},
    {"{" AT "," FACTS "\"header\":\"none\",\"token\":\"verified\"}}\n",
     ":1: facts: a verified token without claims"},
    {"{" AT "," FACTS "\"header\":\"none\",\"token\":\"absent\",\"claims\":{\"aud\":7}}}\n",
     ":1: facts: claims: claim \"aud\" is neither"},
    {"{\"decisions\":[" GOOD ",{}]}\n", ":1: no decision: \"timestamp\" is missing"},
};

START_TEST(what_is_no_decision_is_refused_at_its_line)
{
    error e = {0};
    recording r;
    put_text("", BAD[_i].text);
    ck_assert(!read_all(&r, &e));
    ck_assert_msg(strstr(e.text, BAD[_i].error), "%s", e.text);
    ck_assert(strncmp(e.text, path, strlen(path)) == 0);
}
END_TEST

START_TEST(a_line_may_be_long_but_not_endless)
{
    error e = {0};
    recording r;
    const size_t n = RECORDING_LINE_MAX + 100;
    char *text = malloc(n);
    ck_assert_ptr_nonnull(text);
    memset(text, ' ', n);
    memcpy(text, GOOD, strlen(GOOD));
    text[RECORDING_LINE_MAX] = '\n';
    put("", text, RECORDING_LINE_MAX + 1);
    ck_assert_msg(read_all(&r, &e), "%s", e.text);
    ck_assert_uint_eq(r.decisions, 1);
    text[RECORDING_LINE_MAX] = ' ';
    put("", text, n);
    ck_assert(!read_all(&r, &e));
    ck_assert_int_eq(e.kind, ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(e.text, "r.jsonl:1: the line has more than"));
    free(text);
}
END_TEST

static bool refuse(void *ctx, const recorded *r, error *e)
{
    (void)ctx;
    (void)r;
    return error_set(e, ERR_LIMIT, "enough");
}

START_TEST(reading_ends_when_the_taker_says_so_and_a_missing_file_is_named)
{
    error e = {0};
    put_text("", GOOD "\n" GOOD "\n");
    recording r = {.take = refuse};
    ck_assert(!recording_read(&r, path, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "r.jsonl:1: enough"));
    ck_assert(!recording_read(&r, "/tmp/there/is/none", &e));
    ck_assert_ptr_nonnull(strstr(e.text, "cannot open /tmp/there/is/none"));
}
END_TEST

static bool look(void *ctx, const recorded *r, error *e)
{
    ck_assert_str_eq(ids, ""); /* before any is taken */
    (void)r;
    (void)e;
    (*(size_t *)ctx)++;
    return true;
}

START_TEST(all_can_be_looked_at_before_the_first_is_taken)
{
    error e = {0};
    size_t looked = 0;
    put_text(".1", GOOD "\n");
    put_text("", GOOD "\n{");
    recording r = {.look = look, .take = take, .ctx = &looked};
    ck_assert_msg(recording_read(&r, path, &e), "%s", e.text);
    ck_assert_uint_eq(looked, 2);
    ck_assert_uint_eq(r.decisions, 2);
    ck_assert_uint_eq(r.cut, 1);
}
END_TEST

/* Whatever standard input is: it comes once. */
START_TEST(a_pipe_is_read_twice_where_that_is_needed)
{
    error e = {0};
    size_t looked = 0;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_gt((int)write(ends[1], GOOD "\n" GOOD "\n", 2 * (sizeof GOOD)), 0);
    ck_assert_int_eq(close(ends[1]), 0);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    recording r = {.look = look, .take = take, .ctx = &looked};
    ck_assert_msg(recording_read(&r, "-", &e), "%s", e.text);
    ck_assert_uint_eq(looked, 2);
    ck_assert_str_eq(ids, "a1 a1 ");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recording");
    TCase *t = tcase_create("recording");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_line_is_a_decision);
    tcase_add_test(t, blank_lines_and_the_gateways_own_answer_are_read);
    tcase_add_test(t, what_was_rotated_away_comes_first_and_nothing_twice);
    tcase_add_test(t, a_last_line_that_is_cut_off_is_left_out);
    tcase_add_loop_test(t, what_is_no_decision_is_refused_at_its_line, 0, (int)countof(BAD));
    tcase_add_test(t, a_line_may_be_long_but_not_endless);
    tcase_add_test(t, reading_ends_when_the_taker_says_so_and_a_missing_file_is_named);
    tcase_add_test(t, all_can_be_looked_at_before_the_first_is_taken);
    tcase_add_test(t, a_pipe_is_read_twice_where_that_is_needed);
    suite_add_tcase(s, t);
    return check_main(s);
}
