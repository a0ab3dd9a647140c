/* The course's table: whole, consistent, and with scenes that load; how requests are written for a
 * shell; how the scene is changed; and grading. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check_main.h"
#include "cli/lesson_outcome.h"
#include "cli/lesson_scene.h"
#include "cli/why.h"
#include "config/topology.h"

enum { COLUMNS = 80, CHOICE_COLUMNS = 70, TEXT_MAX = 256 * 1024, PATH_TEXT = 64 };

static const int64_t NOW_US = 1800000000000000; /* 2027-01-15T08:00:00Z */

/* ---- helpers ---- */

static snapshot *load_text(const char *text)
{
    char path[PATH_TEXT] = "/tmp/lesson-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
    diagnostics problems = {0};
    snapshot *s = topology_load(path, NULL, &problems);
    buf said = buf_make(TEXT_MAX);
    diagnostics_print(&problems, &said);
    ck_assert_msg(s != NULL, "%s in\n%s", said.p, text);
    buf_free(&said);
    diagnostics_free(&problems);
    ck_assert_int_eq(unlink(path), 0);
    return s;
}

static char *scene_text(size_t index)
{
    const embedded *file = lesson_topology(index);
    ck_assert_msg(file != NULL, "lesson %zu has no topology", index + 1);
    return span_dup(embedded_bytes(file));
}

static void fits(const char *text, size_t columns)
{
    span rest = span_of(text), line;
    while (rest.n) {
        (void)span_cut(&rest, '\n', &line);
        ck_assert_msg(line.n <= columns, "%zu columns: %.*s", line.n, SPAN_ARG(line));
        ck_assert_msg(span_find(line, '\t') == line.n, "a tab in %.*s", SPAN_ARG(line));
    }
}

/* Only lines that begin with a blank are printed as they are. */
static void verbatim_fits(const char *text)
{
    span rest = span_of(text), line;
    while (rest.n) {
        (void)span_cut(&rest, '\n', &line);
        if (line.n && line.p[0] == ' ')
            ck_assert_msg(line.n <= COLUMNS, "%zu columns: %.*s", line.n, SPAN_ARG(line));
    }
}

static bool allows(const lesson_step *step)
{
    return reason_info(step->expected)->allows;
}

/* ---- each lesson ---- */

START_TEST(a_lesson_has_a_name_a_story_and_a_public_page_to_read_on)
{
    const lesson *l = lesson_get((size_t)_i);
    ck_assert_uint_gt(strlen(l->name), 2);
    ck_assert_uint_gt(strlen(l->title), 5);
    ck_assert_uint_gt(strlen(l->story), 40);
    ck_assert_int_eq(strncmp(l->doc, "https://cloud.google.com/", 25), 0);
    size_t index = 1000;
    ck_assert_ptr_eq(lesson_find(l->name, &index), l);
    ck_assert_uint_eq(index, (size_t)_i);
    char number[PATH_TEXT];
    snprintf(number, sizeof number, "%d", _i + 1);
    ck_assert_ptr_eq(lesson_find(number, &index), l);
}
END_TEST

START_TEST(a_lesson_shows_a_request_that_is_refused_and_one_that_passes)
{
    const lesson *l = lesson_get((size_t)_i);
    size_t passing = 0, asked = 0, learned = 0;
    for (size_t i = 0; i < l->count; i++) {
        passing += allows(&l->steps[i]);
        asked += l->steps[i].choices[0].text != NULL;
        learned += l->steps[i].learned != NULL;
    }
    ck_assert_uint_gt(passing, 0);
    ck_assert_uint_lt(passing, l->count);
    ck_assert_uint_gt(asked, 0);
    ck_assert_uint_gt(learned, 0);
}
END_TEST

START_TEST(a_question_has_one_right_answer_and_no_two_alike)
{
    const lesson *l = lesson_get((size_t)_i);
    for (size_t i = 0; i < l->count; i++) {
        const lesson_choice *c = l->steps[i].choices;
        size_t right = 0, count = 0;
        for (; count < LESSON_CHOICES_MAX && c[count].text; count++) {
            right += c[count].status == why_status(l->steps[i].expected) &&
                     c[count].cause == l->steps[i].expected;
            ck_assert_uint_le(strlen(c[count].text), CHOICE_COLUMNS);
            for (size_t j = 0; j < count; j++)
                ck_assert(c[j].status != c[count].status || strcmp(c[j].text, c[count].text) != 0);
        }
        ck_assert_msg(count == 0 || (count >= 3 && right == 1), "%s, step %zu: %zu of %zu right",
                      l->name, i + 1, right, count);
        ck_assert((lesson_right_choice(&l->steps[i]) != NULL) == (count > 0));
    }
}
END_TEST

START_TEST(its_scene_loads_before_and_after_each_edit)
{
    const lesson *l = lesson_get((size_t)_i);
    char *text = scene_text((size_t)_i);
    error e = {0};
    if (l->unhurried.from) {
        char *slow = lesson_edited(span_of(text), &l->unhurried, NOW_US, &e);
        ck_assert_msg(slow != NULL, "%s", e.text);
        snapshot_unref(load_text(slow));
        free(slow);
    }
    snapshot_unref(load_text(text));
    for (size_t i = 0; i < l->count; i++) {
        if (!l->steps[i].edit.from)
            continue;
        char *next = lesson_edited(span_of(text), &l->steps[i].edit, NOW_US, &e);
        ck_assert_msg(next != NULL, "%s", e.text);
        snapshot_unref(load_text(next));
        free(text);
        text = next;
    }
    free(text);
}
END_TEST

static void credential_is_of_the_scene(const snapshot *s, const carried *c)
{
    if (c->kind == CARRIED_MINTED)
        ck_assert_msg(snapshot_resolve_account(s, span_of(c->from)) != NULL, "%s", c->from);
    else if (c->kind != CARRIED_NOTHING && c->kind != CARRIED_TEXT)
        ck_assert_msg(snapshot_find_service(s, span_of(c->from)) != NULL, "%s", c->from);
    if (c->kind == CARRIED_RECEIVED)
        ck_assert_msg(snapshot_find_service(s, span_of(c->by)) != NULL, "%s", c->by);
}

START_TEST(its_requests_are_among_services_of_the_scene_and_fit_a_terminal)
{
    const lesson *l = lesson_get((size_t)_i);
    char *text = scene_text((size_t)_i);
    snapshot *s = load_text(text);
    for (size_t i = 0; i < l->count; i++) {
        const lesson_step *step = &l->steps[i];
        ck_assert_msg(snapshot_find_service(s, span_of(step->request.to)) != NULL, "%s",
                      step->request.to);
        credential_is_of_the_scene(s, &step->request.authorization);
        credential_is_of_the_scene(s, &step->request.serverless);
        buf lines = buf_make(TEXT_MAX);
        lesson_shell(&lines, &step->request);
        ck_assert(buf_ok(&lines));
        fits(lines.p, COLUMNS);
        buf_free(&lines);
        verbatim_fits(step->gcloud);
        verbatim_fits(step->terraform);
    }
    snapshot_unref(s);
    free(text);
}
END_TEST

START_TEST(its_scene_is_the_file_in_policies)
{
    char path[PATH_TEXT * 2];
    const embedded *file = lesson_topology((size_t)_i);
    ck_assert_ptr_nonnull(file);
    snprintf(path, sizeof path, "policies/lessons/%s", file->name);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    char text[16384];
    const size_t n = fread(text, 1, sizeof text, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert(span_eq(embedded_bytes(file), (span){text, n}));
}
END_TEST

/* ---- the course ---- */

START_TEST(there_are_as_many_scenes_as_lessons)
{
    size_t n = 0;
    for (const embedded *file = embedded_lessons; file->name; file++)
        n++;
    ck_assert_uint_eq(n, lesson_count());
    ck_assert_uint_ge(n, 14);
}
END_TEST

START_TEST(what_is_no_lesson_is_not_found)
{
    static const char *const words[] = {"", "0", "99", "-1", "no token", "NO-TOKEN", "1x"};
    for (size_t i = 0; i < countof(words); i++) {
        size_t index = 1000;
        ck_assert_ptr_null(lesson_find(words[i], &index));
        ck_assert_uint_eq(index, 1000);
    }
    ck_assert_ptr_null(lesson_get(lesson_count()));
    ck_assert_ptr_null(lesson_topology(lesson_count()));
}
END_TEST

/* ---- edits ---- */

START_TEST(an_edit_wants_its_place_exactly_once)
{
    static const lesson_edit edit = {"b", "x"};
    error e = {0};
    char *text = lesson_edited(SPAN_LIT("abc"), &edit, NOW_US, &e);
    ck_assert_str_eq(text, "axc");
    free(text);
    ck_assert_ptr_null(lesson_edited(SPAN_LIT("ac"), &edit, NOW_US, &e));
    ck_assert_ptr_null(lesson_edited(SPAN_LIT("abcb"), &edit, NOW_US, &e));
    ck_assert_ptr_null(lesson_edited((span){0}, &edit, NOW_US, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "does not have this once: b"));
}
END_TEST

START_TEST(tomorrow_is_a_day_from_now)
{
    static const lesson_edit edit = {"T", "<{tomorrow}>"};
    error e = {0};
    char *text = lesson_edited(SPAN_LIT("at T."), &edit, NOW_US, &e);
    ck_assert_str_eq(text, "at <2027-01-16T08:00:00Z>.");
    free(text);
}
END_TEST

/* ---- requests for a shell ---- */

static void shell_is(const lesson_request *r, const char *lines)
{
    buf b = buf_make(TEXT_MAX);
    lesson_shell(&b, r);
    ck_assert_str_eq(b.p, lines);
    buf_free(&b);
}

START_TEST(a_request_is_written_for_a_shell)
{
    shell_is(&(lesson_request){.to = "backend-api"}, "  curl -i \"$BACKEND_API_URL/\"\n");
    shell_is(&(lesson_request){.to = "a",
                               .method = "OPTIONS",
                               .path = "/x?y=1",
                               .authorization = {.kind = CARRIED_TEXT, .from = "Basic eA=="},
                               .fields = {"Origin: https://o.example"}},
             "  curl -i -X OPTIONS \"$A_URL/x?y=1\" -H 'Authorization: Basic eA==' \\\n"
             "    -H 'Origin: https://o.example'\n");
    shell_is(&(lesson_request){.to = "a", .host = "h.example", .path = "/healthz"},
             "  curl -i \"http://$INVOKER_INGRESS/healthz\" -H 'Host: h.example'\n");
    shell_is(&(lesson_request){.to = "a", .authorization = {.kind = CARRIED_ACCESS, .from = "b"}},
             "  TOKEN=$(curl -sH 'Metadata-Flavor: Google' \"$B_METADATA/token\" | \\\n"
             "    sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n"
             "  curl -i \"$A_URL/\" -H \"Authorization: Bearer $TOKEN\"\n");
}
END_TEST

START_TEST(two_tokens_have_two_variables)
{
    shell_is(&(lesson_request){.to = "a",
                               .authorization = {.kind = CARRIED_MINTED,
                                                 .from = "u",
                                                 .audience = "{b}/x",
                                                 .options = {"--expired"}},
                               .serverless = {.kind = CARRIED_IDENTITY, .from = "b"}},
             "  AUTHORIZATION=$(invoker token --as u --expired --audience \"$B_URL/x\")\n"
             "  SERVERLESS=$(curl -sH 'Metadata-Flavor: Google' \\\n"
             "    \"$B_METADATA/identity?audience=$A_URL\")\n"
             "  curl -i \"$A_URL/\" -H \"Authorization: Bearer $AUTHORIZATION\" \\\n"
             "    -H \"X-Serverless-Authorization: Bearer $SERVERLESS\"\n");
}
END_TEST

/* ---- grading ---- */

static bool grade(const char *text, reason expected, char why[OUTCOME_MISMATCH_MAX])
{
    const lesson_step step = {.expected = expected};
    json_t *d = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(d);
    const bool ok = outcome_grade(d, NULL, &step, why);
    json_decref(d);
    return ok;
}

START_TEST(status_and_cause_both_count)
{
    char why[OUTCOME_MISMATCH_MAX];
    ck_assert(grade("{\"status\":401,\"reason\":\"expired\"}", REASON_EXPIRED, why));
    ck_assert(!grade("{\"status\":401,\"reason\":\"wrong_audience\"}", REASON_EXPIRED, why));
    ck_assert_str_eq(why, "401 (wrong_audience), not 401 (expired)");
    ck_assert(!grade("{\"status\":403,\"reason\":\"expired\"}", REASON_EXPIRED, why));
    ck_assert(grade("{\"status\":204,\"reason\":\"public\"}", REASON_PUBLIC, why));
    ck_assert(!grade("{\"status\":503,\"reason\":\"granted\"}", REASON_GRANTED, why));
    ck_assert(!grade("{}", REASON_GRANTED, why));
}
END_TEST

static bool grade_answer(const lesson_step *step, unsigned status, const char *head,
                         const char *body)
{
    char why[OUTCOME_MISMATCH_MAX];
    const http_call a = {.status = status, .head = span_of(head), .body = span_of(body)};
    json_t *d = json_pack("{s:i,s:s}", "status", (int)why_status(step->expected), "reason",
                          reason_info(step->expected)->name);
    const bool ok = outcome_grade(d, &a, step, why);
    json_decref(d);
    return ok;
}

START_TEST(the_answer_itself_is_looked_at_too)
{
    const lesson_step bad = {.expected = REASON_EXPIRED};
    const lesson_step good = {
        .expected = REASON_GRANTED, .answer_has = "wanted", .answer_lacks = "Access-Control"};
    ck_assert(grade_answer(&bad, 401, "HTTP/1.1 401 X\r\nwww-authenticate: Bearer\r\n\r\n", ""));
    ck_assert(!grade_answer(&bad, 401, "HTTP/1.1 401 X\r\n\r\n", ""));
    ck_assert(!grade_answer(&bad, 403, "HTTP/1.1 403 X\r\nWWW-Authenticate: Bearer\r\n\r\n", ""));
    ck_assert(grade_answer(&good, 200, "HTTP/1.1 200 OK\r\n\r\n", "it is wanted"));
    ck_assert(!grade_answer(&good, 200, "HTTP/1.1 200 OK\r\n\r\n", "nothing"));
    ck_assert(
        !grade_answer(&good, 200, "HTTP/1.1 200 OK\r\naccess-control-x: 1\r\n\r\n", "wanted"));
    ck_assert(
        !grade_answer(&good, 200, "HTTP/1.1 200 OK\r\nWWW-Authenticate: x\r\n\r\n", "wanted"));
}
END_TEST

START_TEST(a_decision_is_about_a_request_of_its_method_and_path)
{
    json_t *d = json_loads("{\"method\":\"GET\",\"path\":\"/a\"}", 0, NULL);
    ck_assert(outcome_is_about(d, &(lesson_request){.path = "/a?b=c"}));
    ck_assert(!outcome_is_about(d, &(lesson_request){.path = "/a", .method = "OPTIONS"}));
    ck_assert(!outcome_is_about(d, &(lesson_request){.to = "x"}));
    json_decref(d);
}
END_TEST

int main(void)
{
    const int n = (int)lesson_count();
    Suite *s = suite_create("lessons");
    TCase *t = tcase_create("lessons");
    tcase_add_loop_test(t, a_lesson_has_a_name_a_story_and_a_public_page_to_read_on, 0, n);
    tcase_add_loop_test(t, a_lesson_shows_a_request_that_is_refused_and_one_that_passes, 0, n);
    tcase_add_loop_test(t, a_question_has_one_right_answer_and_no_two_alike, 0, n);
    tcase_add_loop_test(t, its_scene_loads_before_and_after_each_edit, 0, n);
    tcase_add_loop_test(t, its_requests_are_among_services_of_the_scene_and_fit_a_terminal, 0, n);
    tcase_add_loop_test(t, its_scene_is_the_file_in_policies, 0, n);
    tcase_add_test(t, there_are_as_many_scenes_as_lessons);
    tcase_add_test(t, what_is_no_lesson_is_not_found);
    tcase_add_test(t, an_edit_wants_its_place_exactly_once);
    tcase_add_test(t, tomorrow_is_a_day_from_now);
    tcase_add_test(t, a_request_is_written_for_a_shell);
    tcase_add_test(t, two_tokens_have_two_variables);
    tcase_add_test(t, status_and_cause_both_count);
    tcase_add_test(t, the_answer_itself_is_looked_at_too);
    tcase_add_test(t, a_decision_is_about_a_request_of_its_method_and_path);
    suite_add_tcase(s, t);
    return check_main(s);
}
