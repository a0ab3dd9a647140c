/* Calls to a control listener that answers well, badly or not at all. */
#include "check_main.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/net.h"
#include "cli/control_client.h"

typedef struct row {
    const char *reply;
    bool call_ok, attach_ok;
    unsigned status;
    const char *body;
} row;

static const row rows[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", true, true, 200, "{}"},
    {"HTTP/1.1 204 No Content\r\n\r\n", true, true, 204, ""},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", true, false, 404, "nope"},
    {"HTTP/1.1 999 What\r\n\r\n", false, false, 0, NULL},
    {"HTTP/1.1 2\r\n\r\n", false, false, 0, NULL},
    {"HTTP/1.0 200 OK\r\n\r\n", false, false, 0, NULL},
    {"HTTP/1.1 200 OK\r\n", false, false, 0, NULL},
    {"SSH-2.0-OpenSSH_9.2\r\n", false, false, 0, NULL},
    {"", false, false, 0, NULL},
};

/* A process that gives the same reply to every connection; its address as "HOST:PORT". */
static pid_t serve(const char *reply, char address[NET_ADDR_TEXT_MAX])
{
    error e = {0};
    net_addr a;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, &e));
    int fd = net_listen(&a, false, &e);
    ck_assert(fd >= 0 && net_local(fd, &a));
    (void)net_addr_text(&a, address);
    pid_t pid = fork();
    if (pid != 0) {
        (void)close(fd);
        return pid;
    }
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        (void)poll(&p, 1, -1);
        int c = accept(fd, NULL, NULL);
        char request[4096];
        if (c < 0 || read(c, request, sizeof request) <= 0)
            continue;
        if (write(c, reply, strlen(reply)) < 0)
            _exit(1);
        (void)close(c);
    }
}

static void stop(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(an_answer_is_taken_apart_and_garbage_is_an_error)
{
    const row *r = &rows[_i];
    char address[NET_ADDR_TEXT_MAX];
    pid_t pid = serve(r->reply, address);
    error e = {0};
    control_reply reply = {0};
    bool ok = control_call(address, "GET", "/invoker/v1/status", NULL, &reply, &e);
    ck_assert_msg(ok == r->call_ok, "%s", e.text);
    if (ok) {
        ck_assert_uint_eq(reply.status, r->status);
        ck_assert_str_eq(reply.body, r->body);
        free(reply.body);
    } else {
        ck_assert_ptr_nonnull(strstr(e.text, address));
    }
    ck_assert_int_eq(control_attach(address, "a", "127.0.0.1:1", &e), r->attach_ok);
    stop(pid);
}
END_TEST

START_TEST(an_attachment_is_recognised_by_its_address)
{
    char address[NET_ADDR_TEXT_MAX];
    pid_t pid = serve("HTTP/1.1 200 OK\r\n\r\n{\"services\":{"
                      "\"a\":{\"upstream\":\"127.0.0.1:1\",\"attached\":true},"
                      "\"b\":{\"upstream\":\"127.0.0.1:1\",\"attached\":false},"
                      "\"c\":{\"upstream\":null,\"attached\":false}}}",
                      address);
    ck_assert(control_is_attached(address, "a", "127.0.0.1:1"));
    ck_assert(!control_is_attached(address, "a", "127.0.0.1:2"));
    ck_assert(!control_is_attached(address, "b", "127.0.0.1:1"));
    ck_assert(!control_is_attached(address, "c", "127.0.0.1:1"));
    ck_assert(!control_is_attached(address, "d", "127.0.0.1:1"));
    stop(pid);
}
END_TEST

START_TEST(another_programs_json_is_no_gateway)
{
    static const char *const bodies[] = {"[]", "{}", "{\"services\":[]}", "{\"services\":1}", "x"};
    for (size_t i = 0; i < countof(bodies); i++) {
        char address[NET_ADDR_TEXT_MAX], reply[256];
        (void)snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\n\r\n%s", bodies[i]);
        pid_t pid = serve(reply, address);
        error e = {0};
        ck_assert_ptr_null(control_load(address, "no/such.yaml", &e));
        ck_assert_msg(strstr(e.text, "not as a gateway's control listener") != NULL, "%s", e.text);
        stop(pid);
    }
}
END_TEST

START_TEST(nobody_there_is_told_with_what_to_do)
{
    error e = {0};
    net_addr a;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, &e));
    int fd = net_reserve(&a, &e); /* bound, but nobody listens */
    ck_assert(fd >= 0 && net_local(fd, &a));
    char address[NET_ADDR_TEXT_MAX];
    control_reply reply;
    ck_assert(!control_call(net_addr_text(&a, address), "GET", "/", NULL, &reply, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "no gateway answers at 127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(e.text, "start one with 'invoker up'"));
    (void)close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control_client");
    TCase *t = tcase_create("calls");
    tcase_add_loop_test(t, an_answer_is_taken_apart_and_garbage_is_an_error, 0, (int)countof(rows));
    tcase_add_test(t, an_attachment_is_recognised_by_its_address);
    tcase_add_test(t, another_programs_json_is_no_gateway);
    tcase_add_test(t, nobody_there_is_told_with_what_to_do);
    suite_add_tcase(s, t);
    return check_main(s);
}
