/* libmicrohttpd on our loop: adopted sockets, their tags, suspend and resume, strictness. */
#include "check_main.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/gate.h"
#include "http/mhd_loop.h"

/* One daemon, one connected socket pair end, driven turn by turn on the test's own thread. */
typedef struct rig {
    loop *loop;
    mhd_loop *http;
    int client;
    void *tag_seen;
    char target_seen[64];
    const char *fault;
    gate_facts facts;
    unsigned calls; /* of the handler for this request */
    bool host_is_a, target_is_raw;
    bool suspend;
    struct MHD_Connection *suspended;
    loop_timer resume;
    unsigned completed;
} rig;

static void answer(struct MHD_Connection *c, unsigned status)
{
    static char text[] = "hello";
    struct MHD_Response *r =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
}

static void *on_target(void *ctx, const char *uri, struct MHD_Connection *c)
{
    (void)c;
    rig *t = ctx;
    ck_assert_uint_lt(strlen(uri), sizeof t->target_seen);
    memcpy(t->target_seen, uri, strlen(uri) + 1); /* it is torn apart afterwards */
    return ctx;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    (void)url;
    (void)upload;
    (void)upload_n;
    rig *t = ctx;
    if (!t->calls++)
        t->fault = gate_check(c, method, t->target_seen, version, &t->facts);
    if (t->fault) {
        answer(c, 400);
        return MHD_YES;
    }
    if (t->calls == 1) { /* an answer in the first call would end the connection */
        t->host_is_a = span_eq_str(t->facts.host, "a");
        t->target_is_raw = strcmp(t->target_seen, "/a%2Fb?x=%41") == 0;
        return MHD_YES;
    }
    *state = NULL;
    if (t->suspend) {
        t->suspend = false;
        t->suspended = c;
        MHD_suspend_connection(c);
        loop_timer_set(t->loop, &t->resume, loop_now_us(t->loop) + 1000);
        return MHD_YES;
    }
    t->calls = 0;
    answer(c, 200);
    return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode why)
{
    (void)c;
    (void)state;
    (void)why;
    ((rig *)ctx)->completed++;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket_ctx,
                          enum MHD_ConnectionNotificationCode what)
{
    (void)c;
    (void)socket_ctx;
    rig *t = ctx;
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        t->tag_seen = mhd_loop_adopting_tag(t->http);
}

static void on_resume(loop_timer *timer)
{
    rig *t = container_of(timer, rig, resume);
    MHD_resume_connection(t->suspended);
    mhd_loop_kick(t->http);
}

static rig *rig_new(void)
{
    rig *t = calloc(1, sizeof *t);
    t->resume.fire = on_resume;
    t->loop = loop_new(NULL);
    const mhd_loop_options o = {.handle = on_request,
                                .completed = on_completed,
                                .raw_target = on_target,
                                .connection = on_connection,
                                .ctx = t,
                                .connection_memory = 16384,
                                .connections_max = 8};
    t->http = mhd_loop_open(t->loop, &o, NULL);
    ck_assert_ptr_nonnull(t->http);
    net_addr any;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, NULL));
    int listener = net_listen(&any, false, NULL);
    ck_assert(net_local(listener, &any));
    t->client = net_connect(&any, NULL);
    net_addr peer = {.len = sizeof peer.ss};
    int fd = -1;
    while ((fd = accept4(listener, (struct sockaddr *)&peer.ss, &peer.len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
        ck_assert_int_eq(errno, EAGAIN);
    (void)close(listener);
    mhd_loop_adopt(t->http, fd, &peer, t);
    return t;
}

static void rig_free(rig *t)
{
    (void)close(t->client);
    mhd_loop_close(t->http);
    loop_free(t->loop);
    free(t);
}

/* Sends the request and returns the status of the answer. */
static int ask(rig *t, const char *request, size_t n)
{
    ck_assert_int_eq(send(t->client, request, n, 0), (ssize_t)n);
    char answer_text[4096];
    for (int turns = 0; turns < 10000; turns++) {
        ssize_t got = recv(t->client, answer_text, sizeof answer_text - 1, 0);
        if (got > 12) {
            answer_text[got] = '\0';
            return (int)strtol(answer_text + 9, NULL, 10);
        }
        loop_turn(t->loop, 5000);
    }
    ck_abort_msg("no answer");
    return 0;
}

START_TEST(an_adopted_socket_is_served_with_its_tag_and_raw_target)
{
    rig *t = rig_new();
    static const char request[] = "GET /a%2Fb?x=%41 HTTP/1.1\r\nHost: a\r\n\r\n";
    ck_assert_int_eq(ask(t, request, sizeof request - 1), 200);
    ck_assert_ptr_eq(t->tag_seen, t);
    ck_assert(t->host_is_a);
    ck_assert(t->target_is_raw);
    rig_free(t);
}
END_TEST

START_TEST(a_suspended_request_is_answered_after_it_was_resumed)
{
    rig *t = rig_new();
    t->suspend = true;
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    ck_assert_int_eq(ask(t, request, sizeof request - 1), 200);
    ck_assert_int_eq(ask(t, request, sizeof request - 1), 200);
    ck_assert_uint_ge(t->completed, 1);
    rig_free(t);
}
END_TEST

#define ROW(text, status)                                                                          \
    {                                                                                              \
        (text), sizeof(text) - 1, (status)                                                         \
    }
static const struct {
    const char *request;
    size_t n;
    int status;
} rows[] = {
    ROW("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ROW("GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ROW("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ROW("GET / HTTP/1.0\r\n\r\n", 200),
    ROW("GET / HTTP/1.1\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ROW("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ROW("GET b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ROW("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ROW("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\nHost: a\r\nX: a\x01"
        "b\r\n\r\n",
        400),
    ROW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400),
    ROW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
        400),
    ROW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
    ROW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
};

START_TEST(the_gate_refuses_what_is_ambiguous)
{
    rig *t = rig_new();
    int status = ask(t, rows[_i].request, rows[_i].n);
    ck_assert_msg(status == rows[_i].status, "%s: %d (%s)", rows[_i].request, status,
                  t->fault ? t->fault : "sound");
    rig_free(t);
}
END_TEST

START_TEST(bytes_that_the_daemon_neither_takes_nor_hands_on_keep_nobody_busy)
{
    rig *t = rig_new();
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;";
    static char extension[64 * 1024];
    memset(extension, 'x', sizeof extension);
    ck_assert_int_gt(send(t->client, head, sizeof head - 1, 0), 0);
    ck_assert_int_gt(send(t->client, extension, sizeof extension, MSG_DONTWAIT), 32 * 1024);
    unsigned turns = 0;
    for (int64_t end = loop_now_us(t->loop) + 200 * 1000; loop_now_us(t->loop) < end; turns++)
        loop_turn(t->loop, 50 * 1000);
    ck_assert_uint_lt(turns, 200);
    rig_free(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mhd_loop");
    TCase *c = tcase_create("all");
    tcase_add_test(c, an_adopted_socket_is_served_with_its_tag_and_raw_target);
    tcase_add_test(c, a_suspended_request_is_answered_after_it_was_resumed);
    tcase_add_loop_test(c, the_gate_refuses_what_is_ambiguous, 0, (int)countof(rows));
    tcase_add_test(c, bytes_that_the_daemon_neither_takes_nor_hands_on_keep_nobody_busy);
    suite_add_tcase(s, c);
    return check_main(s);
}
