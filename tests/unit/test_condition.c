/* IAM's frame around CEL: titles, limits, where a condition may stand, and what it looks at. */
#include "check_main.h"

#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "policy/condition.h"

/* 2026-11-29T13:45:06Z */
static const condition_facts facts = {
    .now_us = INT64_C(1795959906000000),
    .resource_name = "projects/my-project/locations/europe-west1/services/orders",
    .resource_service = "run.googleapis.com",
    .resource_type = "run.googleapis.com/Service",
};

static bool holds(const char *expression)
{
    cel_problem problem = {0};
    const condition_text text = {"t", NULL, expression};
    condition *c = condition_new(&text, &problem);
    ck_assert_msg(c != NULL, "refused: %s\n%s", expression, problem.text);
    const bool is = condition_holds(c, &facts);
    condition_free(c);
    return is;
}

static const struct {
    const char *expression;
    bool holds;
} cases[] = {
    {"request.time < timestamp(\"2027-01-01T00:00:00Z\")", true},
    {"request.time < timestamp(\"2026-01-01T00:00:00Z\")", false},
    {"resource.name.startsWith(\"projects/my-project/locations/europe-west1/\")", true},
    {"resource.name.endsWith(\"/services/orders\")", true},
    {"resource.name.endsWith(\"/services/payments\")", false},
    {"resource.service == \"run.googleapis.com\"", true},
    {"resource.type == \"run.googleapis.com/Service\"", true},
    {"resource.type == \"run.googleapis.com/Job\"", false},
    {"request.time.getDayOfWeek() == 0 && request.time.getHours() >= 9", true},
    {"1 / 0 == 1", false},
    {"!(1 / 0 == 1)", false}, /* an error never grants */
};

START_TEST(a_condition_holds_or_not)
{
    ck_assert_msg(holds(cases[_i].expression) == cases[_i].holds, "%s", cases[_i].expression);
}
END_TEST

START_TEST(its_texts_are_copied)
{
    char title[] = "expires", description[] = "soon", expression[] = "true";
    cel_problem problem = {0};
    const condition_text text = {title, description, expression};
    condition *c = condition_new(&text, &problem);
    ck_assert_ptr_nonnull(c);
    title[0] = description[0] = expression[0] = 'X';
    ck_assert_str_eq(condition_get(c)->title, "expires");
    ck_assert_str_eq(condition_get(c)->description, "soon");
    ck_assert_str_eq(condition_get(c)->expression, "true");
    condition_free(c);
    condition_free(NULL);
}
END_TEST

static void refused(const condition_text *text, uint32_t line, uint32_t column, const char *saying)
{
    cel_problem problem = {.line = 9, .column = 9};
    ck_assert_ptr_null(condition_new(text, &problem));
    ck_assert_msg(problem.line == line && problem.column == column, "%u:%u: %s", problem.line,
                  problem.column, problem.text);
    ck_assert_msg(strstr(problem.text, saying) != NULL, "%s", problem.text);
}

static const char *of_length(char *into, size_t n)
{
    memset(into, 'x', n);
    into[n] = '\0';
    return into;
}

START_TEST(texts_have_their_limits)
{
    char title[200], description[400];
    refused(&(condition_text){NULL, NULL, "true"}, 0, 0, "needs a title");
    refused(&(condition_text){"", NULL, "true"}, 0, 0, "needs a title");
    refused(&(condition_text){"t", NULL, NULL}, 0, 0, "needs an expression");
    refused(&(condition_text){of_length(title, 101), NULL, "true"}, 0, 0, "has 101 bytes");
    refused(&(condition_text){"t", of_length(description, 257), "true"}, 0, 0, "has 257 bytes");
    refused(&(condition_text){"t", NULL, " "}, 1, 1, "empty");
    cel_problem problem;
    const condition_text longest = {of_length(title, 100), of_length(description, 256), "true"};
    condition *c = condition_new(&longest, &problem);
    ck_assert_ptr_nonnull(c);
    condition_free(c);
}
END_TEST

START_TEST(twelve_logical_operators_are_allowed_and_the_thirteenth_is_pointed_at)
{
    const char *twelve = "!true||true&&true||!false&&true||true||true||true||true||true||true";
    ck_assert(holds(twelve));
    auto_buf buf b = buf_make(1000);
    buf_fmt(&b, "%s\n  || !true", twelve);
    refused(&(condition_text){"t", NULL, b.p}, 2, 3, "more than 12 logical operators");
    buf_clear(&b);
    buf_fmt(&b, "!%s", twelve); /* counted in the order of the text */
    refused(&(condition_text){"t", NULL, b.p}, 1, (uint32_t)strlen(twelve) - 4, "more than 12");
}
END_TEST

START_TEST(what_is_not_offered_is_refused_at_its_place)
{
    refused(&(condition_text){"t", NULL, "true &&\n  request.path == \"/a\""}, 2, 3,
            "request.path: Cloud Run offers no part of the URL");
    refused(&(condition_text){"t", NULL, "resource.nam == 'x'"}, 1, 1,
            "known here: request.time, resource.name, resource.service, resource.type");
}
END_TEST

START_TEST(basic_roles_take_no_condition)
{
    ck_assert_ptr_nonnull(condition_refused_role(SPAN_LIT("roles/owner")));
    ck_assert_ptr_nonnull(condition_refused_role(SPAN_LIT("roles/editor")));
    ck_assert_ptr_nonnull(condition_refused_role(SPAN_LIT("roles/viewer")));
    ck_assert_ptr_null(condition_refused_role(SPAN_LIT("roles/run.viewer")));
    ck_assert_ptr_null(condition_refused_role(SPAN_LIT("roles/run.invoker")));
}
END_TEST

START_TEST(everybody_takes_no_condition)
{
    const member all = {MEMBER_ALL_USERS, {0}}, known = {MEMBER_ALL_AUTHENTICATED, {0}};
    const member alice = {MEMBER_USER, SPAN_LIT("alice@example.com")};
    ck_assert_ptr_nonnull(condition_refused_member(&all));
    ck_assert_ptr_nonnull(condition_refused_member(&known));
    ck_assert_ptr_null(condition_refused_member(&alice));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("condition");
    TCase *t = tcase_create("condition");
    tcase_add_loop_test(t, a_condition_holds_or_not, 0, (int)countof(cases));
    tcase_add_test(t, its_texts_are_copied);
    tcase_add_test(t, texts_have_their_limits);
    tcase_add_test(t, twelve_logical_operators_are_allowed_and_the_thirteenth_is_pointed_at);
    tcase_add_test(t, what_is_not_offered_is_refused_at_its_place);
    tcase_add_test(t, basic_roles_take_no_condition);
    tcase_add_test(t, everybody_takes_no_condition);
    suite_add_tcase(s, t);
    return check_main(s);
}
