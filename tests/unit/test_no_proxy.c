/* Who heeds which proxy variable, and what NO_PROXY excepts, by program. */
#include "check_main.h"

#include "base/attr.h"
#include "cli/no_proxy.h"

typedef struct row {
    const char *list, *host;
    uint16_t port;
    const char *excepts; /* letters of c(url), p(ython), n(ode), g(o) */
} row;

static const row rows[] = {
    {"127.0.0.1", "127.0.0.1", 8181, "cpng"},
    {"localhost,127.0.0.1", "127.0.0.1", 8181, "cpng"},
    {" localhost , 127.0.0.1 ", "127.0.0.1", 8181, "cpng"},
    {"127.0.0.2", "127.0.0.1", 8181, ""},
    {"127.0.0.0/8", "127.0.0.1", 8181, "cpg"},
    {"10.0.0.0/8", "127.0.0.1", 8181, ""},
    {"0.0.1", "127.0.0.1", 8181, "p"},
    {"*", "metadata.google.internal", 80, "cpg"},
    {"*,x", "metadata.google.internal", 80, "g"},
    {"google.internal", "metadata.google.internal", 80, "cpg"},
    {".google.internal", "metadata.google.internal", 80, "cpng"},
    {"*.google.internal", "metadata.google.internal", 80, "ng"},
    {".google.internal", "google.internal", 80, "cp"},
    {"internal", "metadata.google.internal", 80, "cpg"},
    {"ternal", "metadata.google.internal", 80, "p"},
    {"METADATA.google.internal", "metadata.google.internal", 80, "cpg"},
    {"localhost", "frontend.localhost", 8080, "cpg"},
    {"frontend.localhost:8080", "frontend.localhost", 8080, "pg"},
    {"frontend.localhost:8081", "frontend.localhost", 8080, ""},
    {"http://frontend.localhost:8080", "frontend.localhost", 8080, "n"},
    {"::1", "::1", 8080, "cpng"},
    {"", "localhost", 80, ""},
};

START_TEST(each_program_reads_the_list_in_its_own_way)
{
    static const struct {
        proxy_family family;
        char letter;
    } families[] = {{PROXY_CURL, 'c'}, {PROXY_PYTHON, 'p'}, {PROXY_NODE, 'n'}, {PROXY_GO, 'g'}};
    const row *r = &rows[_i];
    for (size_t i = 0; i < countof(families); i++) {
        const bool wanted = strchr(r->excepts, families[i].letter) != NULL;
        ck_assert_msg(no_proxy_has(families[i].family, r->list, false, r->host, r->port) == wanted,
                      "NO_PROXY=%s, %s:%u, %s", r->list, r->host, r->port,
                      proxy_family_name(families[i].family));
    }
}
END_TEST

typedef struct use_row {
    const char *env[4];
    proxy_family family;
    bool https;
    const char *host, *variable; /* variable NULL: straight there */
} use_row;

static const use_row use_rows[] = {
    {{"HTTP_PROXY=http://p:1"}, PROXY_CURL, false, "h", NULL},
    {{"http_proxy=http://p:1"}, PROXY_CURL, false, "h", "http_proxy"},
    {{"HTTP_PROXY=http://p:1"}, PROXY_PYTHON, false, "h", "HTTP_PROXY"},
    {{"HTTP_PROXY=http://p:1"}, PROXY_GO, false, "h", "HTTP_PROXY"},
    {{"HTTP_PROXY=http://p:1"}, PROXY_GO, false, "127.0.0.1", NULL},
    {{"HTTP_PROXY=http://p:1"}, PROXY_GO, false, "localhost", NULL},
    {{"HTTP_PROXY=http://p:1"}, PROXY_NEVER, false, "h", NULL},
    {{"HTTPS_PROXY=http://p:1"}, PROXY_NODE, false, "h", "HTTPS_PROXY"},
    {{"HTTPS_PROXY=http://p:1"}, PROXY_PYTHON, false, "h", NULL},
    {{"HTTPS_PROXY=http://p:1"}, PROXY_CURL, true, "h", "HTTPS_PROXY"},
    {{"ALL_PROXY=http://p:1"}, PROXY_CURL, false, "h", "ALL_PROXY"},
    {{"ALL_PROXY=http://p:1"}, PROXY_GO, false, "h", NULL},
    {{"http_proxy=http://p:1", "NO_PROXY=h"}, PROXY_CURL, false, "h", NULL},
    {{"http_proxy=http://p:1", "NO_PROXY=h", "no_proxy=x"}, PROXY_CURL, false, "h", "http_proxy"},
    {{"http_proxy=http://p:1", "NO_PROXY=h", "no_proxy=x"}, PROXY_GO, false, "h", NULL},
    {{"http_proxy=http://p:1", "NO_PROXY=", "no_proxy=h"}, PROXY_GO, false, "h", NULL},
    {{"http_proxy=http://p:1", "NO_PROXY=", "no_proxy=h"}, PROXY_NODE, false, "h", "http_proxy"},
    {{"http_proxy="}, PROXY_CURL, false, "h", NULL},
};

START_TEST(which_variable_counts_depends_on_the_program)
{
    const use_row *r = &use_rows[_i];
    envlist env = {0};
    char *items[countof(r->env) + 1] = {0};
    for (size_t i = 0; i < countof(r->env) && r->env[i]; i++)
        items[i] = span_dup(span_of(r->env[i]));
    envlist_inherit(&env, items);
    const proxy_use use = proxy_for(r->family, &env, r->https, r->host, 80);
    if (r->variable)
        ck_assert_str_eq(use.variable, r->variable);
    else
        ck_assert_ptr_null(use.proxy);
    for (size_t i = 0; i < countof(items); i++)
        free(items[i]);
    envlist_free(&env);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("no_proxy");
    TCase *t = tcase_create("rules");
    tcase_add_loop_test(t, each_program_reads_the_list_in_its_own_way, 0, (int)countof(rows));
    tcase_add_loop_test(t, which_variable_counts_depends_on_the_program, 0, (int)countof(use_rows));
    suite_add_tcase(s, t);
    return check_main(s);
}
