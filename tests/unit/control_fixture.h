/* A control listener on a real socket of this thread's loop, with a backend in memory: what tests
 * of the APIs ask. The tutorial's topology; the state is empty at first. */
#ifndef CONTROL_FIXTURE_H
#define CONTROL_FIXTURE_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "check_main.h"
#include "control/control.h"
#include "policy_fixture.h"
#include "state/merge.h"
#include "state/state.h"

#define ALICE       "alice@example.com"
#define ALICE_TOKEN "alice-token" /* known at once; any other is nobody's, */
#define LATE_TOKEN  "late-token"  /* but this one: hers too, known after a turn */
#define HELD_TOKEN  "held-token"  /* and this one: known when the test calls late_done */
#define DEAF_TOKEN  "deaf-token"  /* and this one: the metadata process does not answer */

enum { RIG_TURNS_MAX = 3000, RIG_ANSWER_MAX = 8 * 1024 * 1024 };

typedef struct rig {
    loop *loop;
    control *control;
    state *state;
    snapshot *base; /* the tutorial's topology */
    snapshot *snap; /* with the state merged over it, as of the last commit */
    int port_fd;    /* keeps the port */
    net_addr address;
    char host[NET_ADDR_TEXT_MAX];
    int64_t now_us;
    const char *commit_failure; /* NULL: commits succeed */
    unsigned commits, identified;
    /* whoever waits for LATE_TOKEN */
    loop_timer late;
    void (*late_done)(void *arg, const char *email, const error *e);
    void *late_arg;
    json_t *requests; /* an array of LogEntry objects: what the gateway remembers, newest first */
    control_requests_query asked_for;
    buf forwarded; /* the last question that was passed on, a line for each part */
    /* the last answer */
    unsigned status;
    buf answer;   /* as received */
    json_t *json; /* NULL: none */
} rig;

static rig R;

static inline const snapshot *rig_snapshot(void *ctx)
{
    const rig *r = ctx;
    return r->snap;
}

static inline const snapshot *rig_base(void *ctx)
{
    const rig *r = ctx;
    return r->base;
}

static inline state *rig_state(void *ctx)
{
    const rig *r = ctx;
    return r->state;
}

static inline bool rig_new_addresses(void *ctx, control_addresses *out, error *e)
{
    (void)ctx;
    (void)e;
    *out = (control_addresses){"127.0.0.1:18081", "127.0.0.1:18181", "127.0.0.1:19081"};
    return true;
}

static inline int64_t rig_now(void *ctx)
{
    const rig *r = ctx;
    return r->now_us;
}

static inline void rig_on_late(loop_timer *t)
{
    rig *r = container_of(t, rig, late);
    r->late_done(r->late_arg, ALICE, NULL);
}

static inline void rig_identify(void *ctx, span token,
                                void (*done)(void *arg, const char *email, const error *e),
                                void *arg)
{
    rig *r = ctx;
    error e = {0};
    r->identified++;
    if (span_eq_str(token, ALICE_TOKEN)) {
        done(arg, ALICE, NULL);
    } else if (span_eq_str(token, LATE_TOKEN) || span_eq_str(token, HELD_TOKEN)) {
        r->late_done = done;
        r->late_arg = arg;
        if (span_eq_str(token, LATE_TOKEN))
            loop_timer_set(r->loop, &r->late, loop_now_us(r->loop) + 5000);
    } else if (span_eq_str(token, DEAF_TOKEN)) {
        (void)error_set(&e, ERR_UNAVAILABLE, "nobody listens");
        done(arg, NULL, &e);
    } else {
        (void)error_set(&e, ERR_NOT_FOUND, "nobody's");
        done(arg, NULL, &e);
    }
}

static inline void rig_merge(rig *r)
{
    snapshot *old = r->snap;
    r->snap = state_merge(r->base, state_document(r->state), old, r->now_us);
    snapshot_unref(old);
}

static inline void rig_commit(void *ctx, json_t *draft, void (*done)(void *arg, const error *e),
                              void *arg)
{
    rig *r = ctx;
    error e = {0};
    if (r->commit_failure) {
        json_decref(draft);
        (void)error_set(&e, ERR_IO, "%s", r->commit_failure);
        done(arg, &e);
        return;
    }
    ck_assert_msg(state_commit(r->state, draft, &e), "%s", e.text);
    rig_merge(r);
    r->commits++;
    done(arg, NULL);
}

static inline void rig_requests(void *ctx, const control_requests_query *q,
                                void (*done)(void *arg, const control_request *all, size_t count),
                                void *arg)
{
    rig *r = ctx;
    control_request all[64];
    size_t count = json_array_size(r->requests);
    ck_assert_uint_le(count, countof(all));
    r->asked_for = *q;
    if (q->limit && count > q->limit)
        count = q->limit;
    for (size_t i = 0; i < count; i++) {
        json_t *entry = json_array_get(r->requests, i);
        const char *time = json_string_value(json_object_get(entry, "timestamp"));
        all[i] = (control_request){
            .request = entry,
            .unserved = json_integer_value(json_object_get(json_object_get(entry, "httpRequest"),
                                                           "status")) == 503};
        snprintf(all[i].insert_id, sizeof all[i].insert_id, "%s",
                 json_string_value(json_object_get(entry, "insertId")));
        ck_assert(clock_parse_rfc3339(span_of(time), &all[i].time_us));
    }
    done(arg, all, count);
}

static inline json_t *rig_advice(const json_t *request)
{
    return json_pack("{s:s,s:s,s:O,s:O,s:s}", "logName",
                     "projects/my-project/logs/run.googleapis.com%2Fstderr", "severity", "ERROR",
                     "timestamp", json_object_get(request, "timestamp"), "resource",
                     json_object_get(request, "resource"), "textPayload", "advice");
}

static inline json_t *rig_log_entry(void *ctx, const control_request *wanted)
{
    rig *r = ctx;
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach (r->requests, i, entry) {
        if (entry == wanted->request)
            return wanted->advice ? rig_advice(entry) : json_deep_copy(entry);
    }
    ck_abort_msg("an entry was asked for that was not given out");
    return NULL;
}

static inline void rig_forward(void *ctx, const control_question *q,
                               void (*done)(void *arg, const control_answer *a, const error *e),
                               void *arg)
{
    rig *r = ctx;
    error e = {0};
    buf_clear(&r->forwarded);
    buf_fmt(&r->forwarded, "%.*s %.*s\nhost: %.*s\nauthorization: %.*s\ntype: %.*s\nflavor: %.*s\n",
            SPAN_ARG(q->method), SPAN_ARG(q->target), SPAN_ARG(q->host), SPAN_ARG(q->authorization),
            SPAN_ARG(q->type), SPAN_ARG(q->flavor));
    buf_span(&r->forwarded, q->body);
    if (span_eq_str(q->authorization, "Bearer " DEAF_TOKEN)) {
        (void)error_set(&e, ERR_UNAVAILABLE, "nobody listens");
        done(arg, NULL, &e);
        return;
    }
    done(arg,
         &(control_answer){.status = 299,
                           .type = SPAN_LIT("text/x-test"),
                           .flavor = SPAN_LIT("Google"),
                           .body = SPAN_LIT("[\"from the metadata process\"]")},
         NULL);
}

/* {"asked":VALUE}: the field `as` or the token; without `as` the question is refused. */
static inline bool rig_why(void *ctx, const json_t *question, buf *out, error *e)
{
    (void)ctx;
    const char *as = json_string_value(json_object_get(question, "as"));
    const char *first = NULL;
    const json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)question, first, value)
        break;
    if (!as)
        return error_set(e, ERR_INVALID, "unknown field '%s'", first ? first : "");
    buf_fmt(out, "{\"asked\":\"%s\"}", as);
    return true;
}

static inline bool rig_inspect(void *ctx, span token, buf *out, error *e)
{
    (void)ctx;
    (void)e;
    buf_fmt(out, "{\"asked\":\"%.*s\"}", SPAN_ARG(token));
    return true;
}

static inline void rig_open(void)
{
    error e = {0};
    net_addr any;
    R = (rig){.now_us = NOW_US,
              .answer = buf_make(RIG_ANSWER_MAX),
              .forwarded = buf_make(RIG_ANSWER_MAX),
              .late = {.fire = rig_on_late}};
    R.loop = loop_new(&e);
    ck_assert_msg(R.loop != NULL, "%s", e.text);
    R.base = fixture_tutorial();
    R.state = state_open(&(state_options){.writer = true}, &e);
    ck_assert_msg(R.state != NULL, "%s", e.text);
    rig_merge(&R);
    const control_backend b = {.merged = rig_snapshot,
                               .base = rig_base,
                               .state = rig_state,
                               .new_addresses = rig_new_addresses,
                               .requests = rig_requests,
                               .log_entry = rig_log_entry,
                               .clock = {rig_now, &R},
                               .identify = rig_identify,
                               .commit = rig_commit,
                               .forward = rig_forward,
                               .why = rig_why,
                               .inspect = rig_inspect,
                               .ctx = &R};
    R.control = control_open(R.loop, &b, &e);
    ck_assert_msg(R.control != NULL, "%s", e.text);
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    R.port_fd = net_reserve(&any, &e);
    ck_assert(R.port_fd >= 0 && net_local(R.port_fd, &R.address));
    (void)net_addr_text(&R.address, R.host);
    ck_assert_msg(control_listen(R.control, R.host, true, &e), "%s", e.text);
}

static inline void rig_close(void)
{
    control_close(R.control);
    loop_timer_cancel(R.loop, &R.late);
    state_close(R.state);
    snapshot_unref(R.snap);
    snapshot_unref(R.base);
    loop_free(R.loop);
    close(R.port_fd);
    buf_free(&R.answer);
    buf_free(&R.forwarded);
    json_decref(R.json);
    json_decref(R.requests);
}

/* ---- asking ---- */

static inline int rig_connect(void)
{
    error e = {0};
    int fd = net_connect(&R.address, &e);
    ck_assert_msg(fd >= 0, "%s", e.text);
    return fd;
}

static inline void rig_send(int fd, span bytes)
{
    for (int i = 0; bytes.n && i < RIG_TURNS_MAX; i++) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n > 0)
            bytes = span_from(bytes, (size_t)n);
        loop_turn(R.loop, 1000);
    }
    ck_assert_uint_eq(bytes.n, 0);
}

/* Until the server closes. */
static inline void rig_receive(int fd)
{
    buf_clear(&R.answer);
    for (int i = 0; i < RIG_TURNS_MAX; i++) {
        char block[16384];
        ssize_t n = recv(fd, block, sizeof block, MSG_DONTWAIT);
        if (n == 0)
            return;
        if (n > 0)
            buf_add(&R.answer, block, (size_t)n);
        else
            loop_turn(R.loop, 2000);
    }
    ck_abort_msg("no answer: %s", R.answer.p ? R.answer.p : "");
}

static inline void rig_read_answer(void)
{
    json_decref(R.json);
    R.json = NULL;
    ck_assert_msg(R.answer.n > 12, "no answer");
    R.status = (unsigned)strtoul(R.answer.p + 9, NULL, 10);
    const char *body = strstr(R.answer.p, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    R.json = json_loads(body + 4, JSON_DECODE_ANY, NULL);
}

/* Everything by hand: the head without its end, Connection and Content-Length. Returns the status.
 */
static inline unsigned rig_raw(const char *head, span body)
{
    auto_buf buf b = buf_make(RIG_ANSWER_MAX);
    buf_fmt(&b, "%sConnection: close\r\nContent-Length: %zu\r\n\r\n", head, body.n);
    buf_span(&b, body);
    int fd = rig_connect();
    rig_send(fd, buf_view(&b));
    rig_receive(fd);
    close(fd);
    rig_read_answer();
    return R.status;
}

/* As Alice; body is JSON, or NULL for none. Returns the status; the answer is in R.json. */
static inline unsigned rig_ask(const char *method, const char *target, const char *body)
{
    auto_buf buf head = buf_make(RIG_ANSWER_MAX);
    buf_fmt(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer " ALICE_TOKEN "\r\n%s",
            method, target, R.host, body ? "Content-Type: application/json\r\n" : "");
    return rig_raw(head.p, span_of(body));
}

/* A string within the answer: rig_text("error", "status"). NULL: not there. */
#define rig_text(...) rig_text_at((const char *const[]){__VA_ARGS__, NULL})
static inline const char *rig_text_at(const char *const *path)
{
    json_t *at = R.json;
    for (; *path; path++)
        at = json_object_get(at, *path);
    return json_string_value(at);
}

/* The answer is an error in Google's shape, with this status and with `words` in its message. */
static inline void rig_expect_error(unsigned code, const char *status, const char *words)
{
    const json_t *e = json_object_get(R.json, "error");
    ck_assert_msg(R.status == code, "%u instead of %u: %s", R.status, code, R.answer.p);
    ck_assert_int_eq(json_integer_value(json_object_get(e, "code")), code);
    ck_assert_pstr_eq(rig_text("error", "status"), status);
    ck_assert_msg(strstr(rig_text("error", "message"), words) != NULL, "said: %s",
                  rig_text("error", "message"));
}

#endif
