/* Calls to servers that answer well, late, badly or not at all; and what a client library makes of
 * an answer. */
#include "check_main.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/client_libraries.h"

static const int64_t PATIENCE_US = 5 * 1000 * 1000;

typedef struct row {
    const char *reply;
    bool closes; /* behind it; else the connection stays open */
    http_outcome outcome;
    const char *body;
} row;

static const row rows[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, HTTP_ANSWERED, "ab"},
    {"HTTP/1.0 200 OK\r\ncontent-length:  2 \r\n\r\nab", false, HTTP_ANSWERED, "ab"},
    {"HTTP/1.1 204 No Content\r\n\r\n", false, HTTP_ANSWERED, ""},
    {"HTTP/1.1 200 OK\r\n\r\nab", true, HTTP_ANSWERED, "ab"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", false,
     HTTP_ANSWERED, "1\r\na\r\n0\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true, HTTP_BROKEN, NULL},
    {"HTTP/1.1 200 OK\r\n", true, HTTP_NOT_HTTP, NULL},
    {"HTTP/1.1 999 What\r\n\r\n", true, HTTP_NOT_HTTP, NULL},
    {"SSH-2.0-OpenSSH_9.2\r\n", false, HTTP_NOT_HTTP, NULL},
    {"", true, HTTP_BROKEN, NULL},
};

/* A process that gives the reply to every connection. */
static pid_t serve(const row *r, net_addr *out)
{
    error e = {0};
    net_addr a;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, &e));
    const int fd = net_listen(&a, false, &e);
    ck_assert(fd >= 0 && net_local(fd, out));
    const pid_t pid = fork();
    if (pid != 0) {
        (void)close(fd);
        return pid;
    }
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        (void)poll(&p, 1, -1);
        const int c = accept(fd, NULL, NULL);
        char request[4096];
        if (c < 0 || read(c, request, sizeof request) <= 0)
            continue;
        if (write(c, r->reply, strlen(r->reply)) < 0)
            _exit(1);
        if (r->closes)
            (void)close(c);
    }
}

static void stop(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static http_call call_of(const net_addr *to, int64_t idle_us)
{
    return (http_call){.to = *to,
                       .request = SPAN_LIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                       .reply_max = 4096,
                       .connect_us = PATIENCE_US,
                       .idle_us = idle_us};
}

START_TEST(an_answer_is_over_when_it_says_so)
{
    const row *r = &rows[_i];
    net_addr to;
    const pid_t pid = serve(r, &to);
    http_call c = call_of(&to, PATIENCE_US);
    http_calls_run(&c, 1);
    ck_assert_int_eq(c.outcome, r->outcome);
    if (r->body)
        ck_assert(span_eq_str(c.body, r->body));
    auto_buf buf why = buf_make(256);
    http_call_trouble(&c, &why);
    ck_assert_int_eq(why.n == 0, r->outcome == HTTP_ANSWERED);
    http_call_free(&c);
    stop(pid);
}
END_TEST

START_TEST(who_is_silent_is_given_up_and_does_not_hold_up_others)
{
    static const row silent = {"", false, HTTP_SILENT, NULL};
    net_addr to[2];
    const pid_t one = serve(&silent, &to[0]), other = serve(&rows[0], &to[1]);
    http_call calls[] = {call_of(&to[0], 50 * 1000), call_of(&to[1], PATIENCE_US)};
    http_calls_run(calls, 2);
    ck_assert_int_eq(calls[0].outcome, HTTP_SILENT);
    ck_assert_int_eq(calls[1].outcome, HTTP_ANSWERED);
    http_call_free(&calls[0]);
    calls[0] = call_of(&to[0], PATIENCE_US);
    calls[0].until_us = clock_mono_us() + 50 * 1000;
    http_calls_run(calls, 1);
    ck_assert_int_eq(calls[0].outcome, HTTP_SILENT);
    http_call_free(&calls[0]);
    http_call_free(&calls[1]);
    stop(one);
    stop(other);
}
END_TEST

START_TEST(nobody_there_and_an_answer_that_is_too_long)
{
    net_addr to;
    const pid_t pid = serve(&rows[0], &to);
    http_call c = call_of(&to, PATIENCE_US);
    c.reply_max = 10;
    http_calls_run(&c, 1);
    ck_assert_int_eq(c.outcome, HTTP_TOO_LONG);
    http_call_free(&c);
    c = call_of(&to, PATIENCE_US);
    c.request = (span){0}; /* is anybody there? */
    http_calls_run(&c, 1);
    ck_assert_int_eq(c.outcome, HTTP_ANSWERED);
    http_call_free(&c);
    stop(pid);
    c = call_of(&to, PATIENCE_US);
    http_calls_run(&c, 1);
    ck_assert_int_eq(c.outcome, HTTP_NO_CONNECTION);
    ck_assert_int_eq(c.failure, ECONNREFUSED);
    http_call_free(&c);
}
END_TEST

/* ---- client libraries ---- */

#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: text/html"
#define FLAVOUR      "\r\nMetadata-Flavor: Google"
#define SIZE         "\r\nContent-Length: 1"

typedef struct answer_row {
    const char *head;
    unsigned status;
    const char *takers; /* first letters: P(ython) N(ode) G(o) g(Rpc) x (Gax) # (gcloud) */
} answer_row;

static const answer_row answers[] = {
    {HEAD("200 OK") FLAVOUR SIZE "\r\n", 200, "PNGgx#"},
    {HEAD("200 OK") FLAVOUR "\r\n", 200, "PNGg#"},
    {HEAD("200 OK") "\r\nmetadata-flavor: Google" SIZE "\r\n", 200, "PNGx#"},
    {HEAD("204 None") FLAVOUR SIZE "\r\n", 204, "NG"},
    {HEAD("403 No") FLAVOUR SIZE "\r\n", 403, "G"},
    {HEAD("200 OK") SIZE "\r\n", 200, "#"},
    {HEAD("200 OK") "\r\nMetadata-Flavor: other" SIZE "\r\n", 200, "#"},
};

static const client_library *find(const char *name)
{
    for (size_t i = 0; i < CLIENT_LIBRARY_COUNT; i++)
        if (strcmp(CLIENT_LIBRARIES[i].name, name) == 0)
            return &CLIENT_LIBRARIES[i];
    ck_abort_msg("no library %s", name);
    return NULL;
}

START_TEST(libraries_differ_in_what_they_take_for_a_metadata_server)
{
    static const struct {
        char letter;
        const char *name;
    } libraries[] = {{'P', "Python google-auth"},    {'N', "Node google-auth-library"},
                     {'G', ".NET Google.Apis.Auth"}, {'g', "gRPC C core"},
                     {'x', ".NET Google.Api.Gax"},   {'#', "gcloud"}};
    const answer_row *a = &answers[_i];
    const http_call c = {.outcome = HTTP_ANSWERED,
                         .status = a->status,
                         .head = span_of(a->head),
                         .body = SPAN_LIT("1")};
    for (size_t i = 0; i < countof(libraries); i++) {
        const char *fault = client_library_fault(find(libraries[i].name), &c);
        ck_assert_msg((fault == NULL) == (strchr(a->takers, libraries[i].letter) != NULL),
                      "%s: %s: %s", a->head, libraries[i].name, fault ? fault : "taken");
    }
}
END_TEST

START_TEST(a_products_name_counts_for_some)
{
    ck_assert(client_library_dmi(find("Python google-auth"), "Google Compute Engine"));
    ck_assert(client_library_dmi(find("Python google-auth"), "Googleplex"));
    ck_assert(!client_library_dmi(find("Go api/idtoken"), "Googleplex"));
    ck_assert(client_library_dmi(find("Ruby googleauth"), "A Google machine"));
    ck_assert(!client_library_dmi(find("gcloud"), "Google Compute Engine"));
    ck_assert(!client_library_dmi(find("Python google-auth"), ""));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_call");
    TCase *t = tcase_create("calls");
    tcase_add_loop_test(t, an_answer_is_over_when_it_says_so, 0, (int)countof(rows));
    tcase_add_test(t, who_is_silent_is_given_up_and_does_not_hold_up_others);
    tcase_add_test(t, nobody_there_and_an_answer_that_is_too_long);
    suite_add_tcase(s, t);
    TCase *libraries = tcase_create("libraries");
    tcase_add_loop_test(libraries, libraries_differ_in_what_they_take_for_a_metadata_server, 0,
                        (int)countof(answers));
    tcase_add_test(libraries, a_products_name_counts_for_some);
    suite_add_tcase(s, libraries);
    return check_main(s);
}
