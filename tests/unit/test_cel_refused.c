/* What CEL has, or IAM elsewhere, and conditions here have not: each is named, at its line and
 * column. And what hostile text can do: nothing but be refused. */
#include "check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "cel/cel.h"

static const cel_attribute attributes[] = {
    {"request.time", CEL_TIMESTAMP},
    {"resource.name", CEL_STRING},
    {"resource.service", CEL_STRING},
    {"resource.type", CEL_STRING},
    {NULL, CEL_BOOL},
};

#define TYPE "resource.type"

static const struct {
    const char *text;
    uint32_t line, column;
    const char *says;
} refused[] = {
    /* macros, functions and attributes of other services */
    {"has(resource.name)", 1, 1, "has(): macros are not supported"},
    {"true && ['a'].exists(x, x == 'a')", 1, 15, "exists(): macros over lists are not supported"},
    {"['a'].all(x, true)", 1, 7, "all(): macros over lists"},
    {"['a'].map(x, x) == ['a']", 1, 7, "map(): macros over lists"},
    {"['a'].filter(x, true) == []", 1, 7, "filter(): macros over lists"},
    {TYPE ".matches('a.*')", 1, 15, "matches(): regular expressions are not supported; use "},
    {"resource.matchTag('a/b', 'c')", 1, 1, "resource.matchTag: tags are not supported"},
    {"true\n&& resource.hasTagKey('a/b')", 2, 4, "resource.hasTagKey: tags are not supported"},
    {"api.getAttribute('x', []).hasOnly(['y'])", 1, 27, "hasOnly(): it works on api.getAttribute"},
    {"api.getAttribute('x', '') == ''", 1, 1, "api.getAttribute: attributes of single APIs"},
    {"inIpRange(origin.ip, '10.0.0.0/8')", 1, 1, "inIpRange(): addresses are not supported"},
    {TYPE ".lowerAscii() == 'x'", 1, 15, "lowerAscii(): it belongs to CEL's string extensions"},
    {TYPE ".split('/') == []", 1, 15, "split(): it belongs to CEL's string extensions"},
    {"uint(1) == 1", 1, 1, "uint(): this conversion is not supported"},
    {"bytes('a') == 'a'", 1, 1, "bytes(): this conversion is not supported"},
    {"dyn(1) == 1", 1, 1, "dyn(): this conversion is not supported"},
    {"type(1) == 1", 1, 1, "type(): this conversion is not supported"},
    {"request.path == '/'", 1, 1, "request.path: Cloud Run offers no part of the URL"},
    {"request.host == 'x'", 1, 1, "request.host: Cloud Run offers no part of the URL"},
    {"'x' in request.auth.access_levels", 1, 8, "request.auth.access_levels: access levels and"},
    {"destination.port == 80", 1, 1, "destination.port: it is Identity-Aware Proxy's"},
    {"origin.ip == 'x'", 1, 1, "origin.ip: it is Identity-Aware Proxy's"},
    {"principal.type == 'x'", 1, 1, "principal.type: it belongs to principal access boundaries"},
    {"now > request.time", 1, 1, "now: write request.time"},
    {"resource == 'x'", 1, 1, "resource: write resource.name, resource.service or resource.type"},
    {"resource.nam == 'x'", 1, 1, "unknown attribute 'resource.nam'; known here: request.time, "},
    {"request.time.seconds > 1", 1, 1, "request.time is a timestamp, which has no fields; ask "},
    {TYPE ".x == 'y'", 1, 1, "resource.type is a string, which has no fields"},
    {"sqrt(2.0) > 1.0", 1, 1, "unknown function 'sqrt'; supported are"},
    {"\n\n  sqrt(2.0) > 1.0", 3, 3, "unknown function 'sqrt'"},
    /* types and literals */
    {"1u == 1", 1, 1, "unsigned numbers are not supported; write the number without the u"},
    {"b'a' == 'a'", 1, 1, "bytes are not supported; write a string, without the b"},
    {"null == null", 1, 1, "null is not supported"},
    {"{'a': 1} == {'a': 1}", 1, 1, "maps are not supported"},
    {"Msg{a: 1} == 1", 1, 4, "messages and maps are not supported"},
    {"['a'][0] == 'a'", 1, 6, "indexing with [ ] is not supported"},
    {TYPE ".?x == 'a'", 1, 15, "optional fields (.?) are not supported"},
    {"`a` == 'x'", 1, 1, "names in backticks are not supported"},
    {"['a'] == ['a']", 1, 1, "lists are supported to the right of `in` only"},
    {"'a' in [['a']]", 1, 9, "lists of lists are not supported"},
    {"(true ? ['a'] : ['b']) == 'x'", 1, 7, "lists are supported directly behind `in` only"},
    {"1 in 'abc'", 1, 6, "`in` needs a list such as [\"a\", \"b\"] on its right side"},
    {"1 in ['a']", 1, 7, "`in` looks for an int, and this is a string"},
    {"1 == 1.0", 1, 3, "'==' compares an int with a double; write 1.0 instead of 1"},
    {"request.time < '2030-01-01T00:00:00Z'", 1, 14, "write timestamp(\"2030-01-01T00:00:00Z\")"},
    {"request.time + 60 > request.time", 1, 14, "'+' is not defined for a timestamp and an int"},
    {"1.5 % 2.0 == 1.0", 1, 5, "'%' is not defined for a double and a double"},
    {"-'a' == 'a'", 1, 1, "'-' needs a number, and here is a string"},
    {"!1 == 1", 1, 2, "'!' needs true or false, and here is an int"},
    {"true && 1", 1, 9, "'&&' needs true or false on each side, and here is an int"},
    {"'a' || true", 1, 1, "'||' needs true or false on each side, and here is a string"},
    {"1 ? true : false", 1, 1, "what stands before '?' has to be true or false"},
    {"true ? 1 : 'a'", 1, 6, "'?:' chooses between an int and a string"},
    {"9223372036854775808 == 1", 1, 1, "this number does not fit into an int of 64 bits"},
    {"0x10000000000000000 == 1", 1, 1, "this number does not fit into an int of 64 bits"},
    {"1e999 == 1.0", 1, 1, "this number does not fit into a double"},
    {"0x == 1", 1, 1, "expected hexadecimal digits behind 0x"},
    {"1a == 1", 1, 2, "expected an operator between the number and what follows it"},
    /* arguments */
    {TYPE ".startsWith(1)", 1, 15, "startsWith takes a string, a string (in front of the dot "},
    {"startsWith(" TYPE ", 'a')", 1, 1, "write x.startsWith(…)"},
    {"'2030'.timestamp() > request.time", 1, 8, "write timestamp(…) around the value"},
    {"timestamp('yesterday') > request.time", 1, 11, "not a timestamp; write one as RFC 3339"},
    {"timestamp('2030-02-30T00:00:00Z') > request.time", 1, 11, "not a timestamp"},
    {"timestamp('2030-01-01') > request.time", 1, 11, "not a timestamp"},
    {"duration('1d') > duration('1s')", 1, 10, "not a duration; write numbers with units"},
    {"request.time.getHours('Europe/Berlin') > 1", 1, 23, "names of time zones are not supported"},
    {"request.time.getHours(" TYPE ") > 1", 1, 23, "the time zone has to be a literal"},
    {TYPE ".extract('x') == ''", 1, 23, "the template of extract() needs one name in braces"},
    {TYPE ".extract('{a}{b}') == ''", 1, 23, "the template of extract() needs one name"},
    {TYPE ".extract(" TYPE ") == ''", 1, 23, "extract() needs its template as a literal"},
    /* syntax */
    {"", 1, 1, "the expression is empty; write what has to hold"},
    {"  // nothing", 1, 1, "the expression is empty"},
    {"true &&", 1, 8, "the expression ends here; expected a value"},
    {"true && \n", 2, 1, "the expression ends here; expected a value"},
    {"true true", 1, 6, "found 'true'; expected an operator, or the end"},
    {"(true", 1, 6, "the expression ends here; expected an operator or ')'"},
    {"true)", 1, 5, "found ')'; expected an operator, or the end"},
    {"true = true", 1, 6, "found '=': write == to compare"},
    {"true & true", 1, 6, "found a single '&': write &&"},
    {"true | true", 1, 6, "found a single '|': write ||"},
    {"true and true", 1, 6, "found 'and'; expected an operator"},
    {"true ? true", 1, 12, "the expression ends here; expected an operator or ':'"},
    {"'a' == 'b", 1, 8, "this string does not end; close it with '"},
    {"'a\n' == 'a'", 1, 1, "this string does not end; close it with '"},
    {"'''a' == 'a'", 1, 1, "this string does not end; close it with '''"},
    {"'\\d' == 'd'", 1, 2, "CEL does not know this escape"},
    {"'\\x4' == 'd'", 1, 2, "this escape needs 2 hexadecimal digits"},
    {"'\\ud800' == 'd'", 1, 2, "this escape is not a character"},
    {"'\\U00110000' == 'd'", 1, 2, "this escape is not a character"},
    {"for == 1", 1, 1, "'for' is a reserved word"},
    {"true && @x", 1, 9, "found '@', which CEL does not know"},
    {"true && é", 1, 9, "found a character that CEL does not know"},
    {"'é' == 'é' && x", 1, 15, "unknown attribute 'x'"}, /* columns are characters */
    {"size('a', ) == 1", 1, 11, "expected another argument behind the comma"},
    /* what it yields */
    {"1", 1, 1, "the expression yields an int; a condition has to yield true or false"},
    {"request.time", 1, 1, "the expression yields a timestamp"},
    {"'true'", 1, 1, "the expression yields a string"},
    {"['a']", 1, 1, "the expression yields a list"},
};

static void refuse_at(span text, uint32_t line, uint32_t column, const char *says)
{
    cel_problem problem = {0};
    cel_program *p = cel_compile(text, attributes, &problem);
    const int shown = text.n > 80 ? 80 : (int)text.n;
    ck_assert_msg(p == NULL, "accepted: %.*s", shown, text.p);
    ck_assert_msg(problem.line == line && problem.column == column && strstr(problem.text, says),
                  "%.*s\n%u:%u: %s", shown, text.p, problem.line, problem.column, problem.text);
}

START_TEST(it_is_refused_by_its_name_where_it_stands)
{
    refuse_at(span_of(refused[_i].text), refused[_i].line, refused[_i].column, refused[_i].says);
}
END_TEST

/* ---- hostile text ---- */

static const struct {
    span text;
    uint32_t line, column;
    const char *says;
} bytes[] = {
    {{"tr\0ue", 5}, 1, 3, "contains a NUL character"},
    {{"'a\0' == 'a'", 11}, 1, 3, "contains a NUL character"},
    {{"\0", 1}, 1, 1, "contains a NUL character"},
    {{"'\xff' == 'a'", 10}, 1, 2, "not UTF-8 text"},
    {{"'\xc3", 2}, 1, 2, "not UTF-8 text"},
    {{"'\xc0\x80' == ''", 10}, 1, 2, "not UTF-8 text"},     /* overlong */
    {{"'\xed\xa0\x80' == ''", 11}, 1, 2, "not UTF-8 text"}, /* a surrogate */
    {{"'\xf4\x90\x80\x80' == ''", 12}, 1, 2, "not UTF-8 text"},
    {{NULL, 0}, 1, 1, "the expression is empty"},
};

START_TEST(bytes_that_are_no_text_are_refused)
{
    refuse_at(bytes[_i].text, bytes[_i].line, bytes[_i].column, bytes[_i].says);
}
END_TEST

/* A text of one piece again and again, between two others. */
static char *repeated(const char *before, const char *piece, size_t times, const char *behind)
{
    buf b = buf_make(64 * CEL_TEXT_MAX);
    buf_str(&b, before);
    for (size_t i = 0; i < times; i++)
        buf_str(&b, piece);
    buf_str(&b, behind);
    return buf_take(&b);
}

static const struct {
    const char *before, *piece, *behind;
} nests[] = {
    {"", "(", "true"},
    {"", "!", "true"},
    {"", "-", "1 == 1"},
    {"", "[", ""},
    {"", "true?true:", "true"},
    {"", "true || ", "true"},
    {"", "1+", "1 == 1"},
    {"1 == ", "-(", "1"},
    {"a", ".a", ""},
    {"a()", ".a()", ""},
    {"", "size(", ""},
    {"'a' in ", "['a'] in ", "['a']"},
    {"true ? ", "true ? ", ""},
    {"", "!(", "true"},
    {"'a'", ".extract('{a}')", " == ''"},
};

/* As deep as the text may be long: refused, and at once. */
START_TEST(depth_is_refused)
{
    for (size_t times = 65; times < CEL_TEXT_MAX / 20; times *= 3) {
        auto_free char *text = repeated(nests[_i].before, nests[_i].piece, times, nests[_i].behind);
        cel_problem problem = {0};
        ck_assert_ptr_null(cel_compile(span_of(text), attributes, &problem));
        ck_assert(problem.line == 1 && problem.column >= 1 && problem.text[0]);
    }
}
END_TEST

START_TEST(length_has_its_limit)
{
    auto_free char *longest = repeated("'", "x", CEL_TEXT_MAX - 8, "' != ''");
    ck_assert_uint_eq(strlen(longest), CEL_TEXT_MAX);
    cel_problem problem = {0};
    cel_program *p = cel_compile(span_of(longest), attributes, &problem);
    ck_assert_msg(p != NULL, "%s", problem.text);
    cel_free(p);
    auto_free char *longer = repeated("", " ", CEL_TEXT_MAX, "true");
    refuse_at(span_of(longer), 1, 1, "the expression is longer than 12288 bytes");
    auto_free char *huge = repeated("'", "x", 50 * CEL_TEXT_MAX, "'");
    refuse_at(span_of(huge), 1, 1, "the expression is longer than");
}
END_TEST

static cel_result run_of(const char *text)
{
    const cel_value values[] = {
        {CEL_TIMESTAMP, {.i = 0}},
        {CEL_STRING, {.s = SPAN_LIT("projects/p/locations/l/services/s")}},
        {CEL_STRING, {.s = SPAN_LIT("run.googleapis.com")}},
        {CEL_STRING, {.s = SPAN_LIT("run.googleapis.com/Service")}},
    };
    cel_problem problem = {0};
    cel_program *p = cel_compile(span_of(text), attributes, &problem);
    ck_assert_msg(p != NULL, "%s", problem.text);
    const cel_result r = cel_eval(p, values);
    cel_free(p);
    return r;
}

/* Strings that grow end as an error, which grants nothing, rather than to take memory. */
START_TEST(what_grows_while_it_runs_fails)
{
    auto_free char *half = repeated("'", "x", 5000, "'");
    auto_buf buf b = buf_make(CEL_TEXT_MAX);
    buf_fmt(&b, "%s + %s != ''", half, half);
    ck_assert_int_eq(run_of(b.p), CEL_FAILED);
    auto_free char *names = repeated("", "resource.name + ", 60, "'' != ''");
    ck_assert_int_eq(run_of(names), CEL_FAILED);
}
END_TEST

START_TEST(a_long_list_is_searched)
{
    auto_free char *list = repeated("resource.name in [", "'x',", 3000, "resource.name]");
    ck_assert_int_eq(run_of(list), CEL_TRUE);
    auto_free char *none = repeated("resource.name in [", "'x',", 3000, "'y']");
    ck_assert_int_eq(run_of(none), CEL_FALSE);
}
END_TEST

/* Every beginning of a good expression, and each with one byte of it changed: an answer or a
 * refusal with its place, whatever it is. */
START_TEST(any_text_is_answered)
{
    static const char good[] = "request.time < timestamp(\"2030-01-01T00:00:00Z\") && "
                               "resource.name.extract('/services/{s}') in ['a', \"b\", r'c\\d'] || "
                               "duration('1h30m') > -1.5e3 ? 0x1F : -(2 % 3)";
    static const char pieces[] = "'\"\\(){}[]?:,.!-+*/%<>=&|0x9e\n\t\xc3\x80 \x7fu`@";
    char text[sizeof good];
    for (size_t n = 0; n < sizeof good; n++) {
        for (size_t i = 0; i < sizeof pieces; i++) {
            cel_problem problem = {0};
            memcpy(text, good, sizeof good);
            text[n] = i ? pieces[i - 1] : text[n];
            const span as_is = {text, i ? sizeof good - 1 : n};
            cel_program *p = cel_compile(as_is, attributes, &problem);
            ck_assert(p || (problem.line && problem.column && problem.text[0]));
            cel_free(p);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cel refused");
    TCase *t = tcase_create("refused");
    tcase_add_loop_test(t, it_is_refused_by_its_name_where_it_stands, 0, (int)countof(refused));
    suite_add_tcase(s, t);
    t = tcase_create("hostile");
    tcase_add_loop_test(t, bytes_that_are_no_text_are_refused, 0, (int)countof(bytes));
    tcase_add_loop_test(t, depth_is_refused, 0, (int)countof(nests));
    tcase_add_test(t, length_has_its_limit);
    tcase_add_test(t, what_grows_while_it_runs_fails);
    tcase_add_test(t, a_long_list_is_searched);
    tcase_add_test(t, any_text_is_answered);
    suite_add_tcase(s, t);
    return check_main(s);
}
