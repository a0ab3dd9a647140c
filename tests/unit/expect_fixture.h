/* A suite about a small topology, for tests of what is read, judged and measured. */
#ifndef EXPECT_FIXTURE_H
#define EXPECT_FIXTURE_H

#include "expect/suite.h"
#include "topology_fixture.h"

#define TOPOLOGY                                                                                   \
    PROJECT "service_accounts: { a-sa: {}, b-sa: {} }\n"                                           \
            "users: [alice@example.com]\n"                                                         \
            "services:\n"                                                                          \
            "  a: { service_account: a-sa }\n"                                                     \
            "  b: { service_account: b-sa, ingress: internal }\n"                                  \
            "matrix: { allUsers: [a], a-sa: [b] }\n"

enum { NOW_S = 1800000000 };
static const int64_t NOW_US = INT64_C(1000000) * NOW_S;

static suite *s;

static inline void setup(void)
{
    fixture_open();
    char *problems = NULL;
    snapshot *topology = load_with(TOPOLOGY, NULL, &problems);
    ck_assert_str_eq(problems, "");
    free(problems);
    s = suite_new("t.yaml", topology);
}
static inline void teardown(void)
{
    suite_free(s);
    fixture_close();
}

/* "" or the problems, one a line; the caller frees. */
static inline char *read_tests(const char *text)
{
    diagnostics d = {0};
    put_file("t.test.yaml", text);
    const bool good = suite_read(s, "t.test.yaml", &d);
    ck_assert_int_eq(good, d.count == 0);
    buf b = buf_make(PROBLEMS_MAX);
    diagnostics_print(&d, &b);
    diagnostics_free(&d);
    return b.n ? buf_take(&b) : span_dup((span){0});
}

static inline void take_tests(const char *text)
{
    char *problems = read_tests(text);
    ck_assert_str_eq(problems, "");
    free(problems);
}

/* One test with everything but what is given in it. */
static inline void take(const char *lines)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "tests:\n- %s\n", lines);
    take_tests(text);
}

#endif
