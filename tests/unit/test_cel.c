/* CEL as IAM conditions use it: what an expression yields. The expectations follow cel-spec's
 * language definition and IAM's attribute reference. */
#include "check_main.h"

#include "base/attr.h"
#include "cel/cel.h"

static const cel_attribute attributes[] = {
    {"request.time", CEL_TIMESTAMP},
    {"resource.name", CEL_STRING},
    {"resource.service", CEL_STRING},
    {"resource.type", CEL_STRING},
    {NULL, CEL_BOOL},
};

/* 2026-11-29T13:45:06.789012Z, a Sunday, day 333 (from 1) of its year. */
#define NOW_US INT64_C(1795959906789012)

static cel_result result_of(const char *text)
{
    cel_problem problem = {0};
    const cel_value values[] = {
        {CEL_TIMESTAMP, {.i = NOW_US}},
        {CEL_STRING, {.s = SPAN_LIT("projects/my-project/locations/europe-west1/services/orders")}},
        {CEL_STRING, {.s = SPAN_LIT("run.googleapis.com")}},
        {CEL_STRING, {.s = SPAN_LIT("run.googleapis.com/Service")}},
    };
    cel_program *p = cel_compile(span_of(text), attributes, &problem);
    ck_assert_msg(p != NULL, "refused: %s\n%u:%u: %s", text, problem.line, problem.column,
                  problem.text);
    const cel_result r = cel_eval(p, values);
    cel_free(p);
    return r;
}

static const char *const holding[] = {
    /* literals */
    "true",
    "!false",
    "1 == 0x1",
    "0xff == 255 && 0XFF == 255",
    "-1 == 0 - 1",
    "-9223372036854775808 < -9223372036854775807",
    "-0x8000000000000000 == -9223372036854775808",
    "- 1 == -1",
    "--1 == 1",
    "!!true",
    "1.5 == 15e-1 && .5 == 0.5 && 1e3 == 1000.0 && 2.5E+1 == 25.0",
    "-0.0 == 0.0",
    "1e-999 == 0.0",
    "'a' == \"a\"",
    "'''a''' == \"\"\"a\"\"\"",
    "'''it's''' == \"it's\" && \"\"\"say \"hi\" \"\"\" == 'say \"hi\" '",
    "'''a\nb''' == 'a\\nb'",
    "r'a\\nb' == 'a\\\\nb' && R\"\\d\" == '\\\\d'",
    "r'''\\''' == '\\\\'",
    "'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\'\\\"\\`' == "
    "\"\\x07\\x08\\x0c\\x0a\\x0d\\x09\\x0b\\x5c\\x3f\\x27"
    "\\x22\\x60\"",
    "'\\101' == 'A' && '\\x41' == 'A' && '\\X41' == 'A'",
    "'\\u00e9' == '\303\251' && '\\xe9' == '\303\251' && '\\351' == '\303\251'",
    "'\\u20ac' == '\342\202\254' && '\\U0001F600' == '\360\237\230\200'",
    "size('a\\x00b') == 3",
    "// a comment\ntrue // another",
    "\n\ttrue\r\n",
    /* precedence and association */
    "1 + 2 * 3 == 7",
    "(1 + 2) * 3 == 9",
    "10 - 3 - 2 == 5",
    "100 / 10 / 5 == 2",
    "2 * 7 % 4 == 2",
    "true || false && false",
    "!(true && false)",
    "!false == true",
    "1 < 2 == true",
    "false ? false : true ? true : false",
    "(true ? 1 : 2) == 1 && (false ? 1 : 2) == 2",
    "1 in [1] == true",
    "-2 + 3 == 1",
    /* ints */
    "7 / 2 == 3 && -7 / 2 == -3",
    "7 % 3 == 1 && -7 % 3 == -1 && 7 % -3 == 1",
    "9223372036854775806 + 1 == 9223372036854775807",
    /* doubles */
    "7.0 / 2.0 == 3.5 && 1.5 * 2.0 == 3.0 && 1.5 - 0.5 == 1.0 && 0.5 + 0.25 == 0.75",
    "1.0 / 0.0 > 1e308",
    "0.0 / 0.0 != 0.0 / 0.0",
    "!(0.0 / 0.0 < 1.0) && !(0.0 / 0.0 >= 1.0)",
    "-(1.5) == -1.5",
    /* comparison */
    "1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3 && 1 != 2",
    "'a' < 'b' && 'a' < 'aa' && '' < 'a' && 'Z' < 'a'",
    "'\\uFFFD' < '\\U0001F600'",
    "false < true && !(true < false) && true >= true",
    "duration('1m') == duration('60s') && duration('1s') < duration('1m')",
    "timestamp('2026-01-01T01:00:00+01:00') == timestamp('2026-01-01T00:00:00Z')",
    /* lists */
    "1 in [1, 2, 3]",
    "!(4 in [1, 2, 3])",
    "!(1 in [])",
    "'b' in ['a', 'b',]",
    "resource.name in ['x', resource.name]",
    "1.5 in [1.5]",
    "timestamp(0) in [timestamp('1970-01-01T00:00:00Z')]",
    /* errors that the other side absorbs */
    "true || 1 / 0 == 1",
    "1 / 0 == 1 || true",
    "!(false && 1 / 0 == 1)",
    "!(1 / 0 == 1 && false)",
    "(1 / 0 == 1 || false) || true",
    "true ? true : 1 / 0 == 1",
    /* attributes */
    "resource.service == 'run.googleapis.com'",
    "resource.type == 'run.googleapis.com/Service'",
    "resource . name == .resource.name",
    "request.time < timestamp('2030-01-01T00:00:00Z')",
    "request.time == timestamp('2026-11-29T13:45:06.789012Z')",
    "request.time == timestamp('2026-11-29T13:45:06.789012000Z')",
    /* strings */
    "'ab' + 'cd' == 'abcd' && '' + '' == ''",
    "resource.name.startsWith('projects/my-project/')",
    "!resource.name.startsWith('projects/my-projects/')",
    "resource.name.endsWith('/services/orders') && !'a'.endsWith('aa')",
    "resource.name.contains('/locations/') && !resource.name.contains('/zones/')",
    "'a'.startsWith('') && 'a'.endsWith('') && 'a'.contains('') && ''.contains('')",
    "size('') == 0 && size('a\303\251\342\202\254\360\237\230\200') == 4 && 'ab'.size() == 2",
    "resource.name.extract('/locations/{location}/') == 'europe-west1'",
    "resource.name.extract('projects/{p}/') == 'my-project'",
    "resource.name.extract('/services/{s}') == 'orders'",
    "resource.name.extract('{first}/') == 'projects'",
    "resource.name.extract('{all}') == resource.name",
    "resource.name.extract('/zones/{zone}/') == ''",
    "resource.name.extract('/services/{s}/') == ''",
    "'a/b/a/c'.extract('a/{x}') == 'b/a/c'",
    "'xx'.extract('x{n}x') == ''",
    /* conversions */
    "int('42') == 42 && int('-42') == -42 && int('+42') == 42",
    "int('-9223372036854775808') == -9223372036854775808",
    "int(2.9) == 2 && int(-2.9) == -2 && int(3) == 3",
    "int(timestamp('1970-01-01T00:01:40Z')) == 100",
    "int(timestamp('1969-12-31T23:59:59.5Z')) == -1",
    "double(3) == 3.0 && double(3.5) == 3.5",
    "string(12) == '12' && string(-9223372036854775808) == '-9223372036854775808'",
    "string(true) == 'true' && string(false) == 'false' && string('x') == 'x'",
    "string(timestamp('2026-01-02T03:04:05.50Z')) == '2026-01-02T03:04:05.5Z'",
    "string(timestamp('2026-01-02T03:04:05+02:00')) == '2026-01-02T01:04:05Z'",
    "string(timestamp('0001-01-01T00:00:00Z')) == '0001-01-01T00:00:00Z'",
    "string(duration('1h0.25s')) == '3600.25s' && string(duration('-1.5s')) == '-1.5s'",
    "string(duration('0')) == '0s' && string(duration('-1us')) == '-0.000001s'",
    "timestamp(1700000000) == timestamp('2023-11-14T22:13:20Z')",
    "timestamp(string(request.time)) == request.time",
    "duration(string(duration('90m'))) == duration('1h30m')",
    "timestamp(request.time) == request.time && duration(duration('1s')) == duration('1s')",
    /* durations */
    "duration('1h1m1s1ms1us') == duration('3661001001us')",
    "duration('1.5h') == duration('90m') && duration('.5s') == duration('500ms')",
    "duration('1.s') == duration('1s') && duration('+1s') == duration('1s')",
    "duration('-1h') + duration('1h') == duration('0s')",
    "duration('1000ns') == duration('1us') && duration('0.001ms') == duration('1us')",
    "duration('2\302\265s') == duration('2us') && duration('2\316\274s') == duration('2us')",
    "duration('87600000h') - duration('1s') < duration('87600000h')",
    /* arithmetic on times */
    "timestamp('2026-01-01T00:00:00Z') + duration('24h') == timestamp('2026-01-02T00:00:00Z')",
    "duration('24h') + timestamp('2026-01-01T00:00:00Z') == timestamp('2026-01-02T00:00:00Z')",
    "timestamp('2026-01-01T00:00:00Z') - duration('1s') == timestamp('2025-12-31T23:59:59Z')",
    "timestamp('2026-03-01T00:00:00Z') - timestamp('2026-02-01T00:00:00Z') == duration('672h')",
    "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z') > duration('1h')",
    "duration('3s') - duration('5s') == duration('-2s')",
    /* parts of a time */
    "request.time.getFullYear() == 2026",
    "request.time.getMonth() == 10",
    "request.time.getDate() == 29 && request.time.getDayOfMonth() == 28",
    "request.time.getDayOfWeek() == 0",
    "request.time.getDayOfYear() == 332",
    "request.time.getHours() == 13 && request.time.getMinutes() == 45",
    "request.time.getSeconds() == 6 && request.time.getMilliseconds() == 789",
    "request.time.getHours('UTC') == 13 && request.time.getHours('+00:00') == 13",
    "request.time.getHours('+11:00') == 0 && request.time.getDate('+11:00') == 30",
    "request.time.getDayOfWeek('+11:00') == 1",
    "request.time.getMinutes('-02:30') == 15 && request.time.getHours('-02:30') == 11",
    "request.time.getMinutes('05:45') == 30 && request.time.getHours('05:45') == 19",
    "timestamp('1969-12-31T23:59:59.999Z').getSeconds() == 59",
    "timestamp('1969-12-31T23:59:59.999Z').getMilliseconds() == 999",
    "timestamp('1969-12-31T23:59:59Z').getDayOfWeek() == 3",
    "timestamp('2000-02-29T00:00:00Z').getDayOfYear() == 59",
    "timestamp('2024-12-31T00:00:00Z').getDayOfYear() == 365",
    "timestamp('1900-03-01T00:00:00Z').getDayOfYear() == 59",
    "timestamp('9999-12-31T23:59:59Z').getFullYear('+01:00') == 10000",
    "timestamp('0001-01-01T00:00:00Z').getFullYear('-01:00') == 0",
    "duration('3723.5s').getHours() == 1 && duration('3723.5s').getMinutes() == 62",
    "duration('3723.5s').getSeconds() == 3723 && duration('3723.5s').getMilliseconds() == 500",
    "duration('-90s').getMinutes() == -1 && duration('-1.5s').getMilliseconds() == -500",
};

START_TEST(it_holds)
{
    ck_assert_msg(result_of(holding[_i]) == CEL_TRUE, "%d: %s", (int)result_of(holding[_i]),
                  holding[_i]);
}
END_TEST

static const char *const not_holding[] = {
    "false",
    "1 == 2",
    "request.time > timestamp('2030-01-01T00:00:00Z')",
    "request.time.getDayOfWeek() in [1, 2, 3, 4, 5]",
    "resource.name.endsWith('/services/payments')",
    "1 / 0 == 1 && false",
    "'a' == 'A'",
    "resource.type != 'run.googleapis.com/Service'",
};

START_TEST(it_does_not_hold)
{
    ck_assert_msg(result_of(not_holding[_i]) == CEL_FALSE, "%s", not_holding[_i]);
}
END_TEST

static const char *const failing[] = {
    "1 / 0 == 1",
    "1 % 0 == 1",
    "9223372036854775807 + 1 == 0",
    "-9223372036854775807 - 2 == 0",
    "9223372036854775807 * 2 == 0",
    "-9223372036854775808 / -1 == 0",
    "-9223372036854775808 % -1 == 0",
    "--9223372036854775808 == 0",
    "-(0 - 9223372036854775807 - 1) == 0",
    "int(9223372036854775808.0) == 0",
    "int(-9223372036854775808.0) == 0",
    "int(0.0 / 0.0) == 0",
    "int('') == 0",
    "int('-') == 0",
    "int(' 1') == 0",
    "int('1.5') == 0",
    "int('0x1') == 0",
    "int('9223372036854775808') == 0",
    "timestamp(253402300800) == request.time",
    "timestamp(-62135596801) == request.time",
    "timestamp(9223372036854775807) == request.time",
    "timestamp(resource.name) == request.time",
    "timestamp('2026-01-01T00:00:00' + '') == request.time",
    "duration(resource.name) == duration('1s')",
    "request.time + duration('87600000h') == request.time",
    "timestamp('0001-01-01T00:00:00Z') - duration('1us') == request.time",
    "duration('87600000h') + duration('87600000h') == duration('1s')",
    "1 / 0 == 1 || false",
    "1 / 0 == 1 && true",
    "1 / 0 == 1 || 1 % 0 == 1",
    "1 / 0 == 1 ? true : true",
    "!(1 / 0 == 1)",
    "1 in [1, 1 / 0]",
    "1 / 0 in [1]",
    "size(string(1 / 0)) > 0",
};

START_TEST(it_is_an_error)
{
    ck_assert_msg(result_of(failing[_i]) == CEL_FAILED, "%s", failing[_i]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cel");
    TCase *t = tcase_create("eval");
    tcase_add_loop_test(t, it_holds, 0, (int)countof(holding));
    tcase_add_loop_test(t, it_does_not_hold, 0, (int)countof(not_holding));
    tcase_add_loop_test(t, it_is_an_error, 0, (int)countof(failing));
    suite_add_tcase(s, t);
    return check_main(s);
}
