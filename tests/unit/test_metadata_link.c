/* The gateway as a client of the metadata process, with a server of our own in its place. */
#include <unistd.h>

#include "check_main.h"
#include "gateway/known_tokens.h"
#include "gateway/metadata_link.h"
#include "http/server.h"
#include "policy_fixture.h"

enum { TURNS_MAX = 3000 };

static struct {
    loop *loop;
    http_server *shared;
    metadata_link *link;
    snapshot *snap;
    net_addr address, own; /* the shared one, and frontend's own */
    char shared_text[NET_ADDR_TEXT_MAX], own_text[NET_ADDR_TEXT_MAX];
    int64_t now_us;
    unsigned requests;
    char heard[1024];
    /* what it answers */
    unsigned status;
    const char *body;
    bool silent;
    /* what was told */
    unsigned told;
    error_kind kind;
    char why[ERROR_TEXT_MAX], text[256];
    unsigned got_status;
} T;

static int64_t now(void *ctx)
{
    (void)ctx;
    return T.now_us;
}

static void ignore(void *ctx)
{
    (void)ctx;
}

static void serve(void *ctx, http_request *r)
{
    (void)ctx;
    T.requests++;
    (void)snprintf(
        T.heard, sizeof T.heard, "%.*s %.*s|%.*s|%.*s|%.*s|%.*s|%s", SPAN_ARG(http_method(r)),
        SPAN_ARG(http_target(r)), SPAN_ARG(http_header(r, "Authorization")),
        SPAN_ARG(http_header(r, "Content-Type")), SPAN_ARG(http_header(r, "Metadata-Flavor")),
        SPAN_ARG(http_body(r)), span_eq_str(http_host(r), T.own_text) ? "own" : "shared");
    if (T.silent) {
        http_defer(r, ignore, NULL);
        return;
    }
    const http_field fields[] = {{"Content-Type", "application/json"},
                                 {"Metadata-Flavor", "Google"},
                                 {"WWW-Authenticate", "Bearer"},
                                 {0}};
    http_respond(r, T.status, fields, span_of(T.body), false);
}

static void listen_on(net_addr *out, char text[NET_ADDR_TEXT_MAX])
{
    error e = {0};
    net_addr any;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    ck_assert(http_server_listen(T.shared, &any, false, out, out, &e));
    (void)net_addr_text(out, text);
}

static snapshot *topology(const char *shared, const account *frontend)
{
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "my-project",
                                           .number = "123456789012",
                                           .region = "us-central1",
                                           .metadata_listen = shared,
                                           .file = "t.yaml"});
    if (frontend)
        snapshot_builder_account(b, frontend);
    snapshot_builder_account(b, &(account){.email = BACKEND});
    fixture_service(b, (service){.name = "worker", .listen = "127.0.0.1:8080"}, BACKEND);
    fixture_service(
        b, (service){.name = "frontend", .listen = "127.0.0.1:8081", .metadata = T.own_text},
        BACKEND);
    return fixture_build(b);
}

static void follow_with(const char *shared, const account *frontend)
{
    snapshot *next = topology(shared, frontend);
    metadata_link_follow(T.link, next);
    snapshot_unref(T.snap);
    T.snap = next;
}

static void follow(const char *shared)
{
    follow_with(shared, &(account){.email = FRONTEND});
}

static void set_up(void)
{
    error e = {0};
    memset(&T, 0, sizeof T);
    T.now_us = NOW_US;
    T.status = 200;
    T.body = "{\"email\":\"alice@example.com\",\"expires_in\":\"100\"}";
    T.loop = loop_new(&e);
    T.shared = http_server_open(T.loop,
                                &(http_server_options){.handle = serve,
                                                       .head_max = 8192,
                                                       .body_max = 8192,
                                                       .connections_max = 16,
                                                       .idle_timeout_s = 30},
                                &e);
    ck_assert_msg(T.shared != NULL, "%s", e.text);
    listen_on(&T.address, T.shared_text);
    listen_on(&T.own, T.own_text);
    T.link = metadata_link_open(T.loop, (clock_source){now, NULL}, &e);
    ck_assert_msg(T.link != NULL, "%s", e.text);
    follow(T.shared_text);
}

static void tear_down(void)
{
    metadata_link_close(T.link);
    http_server_close(T.shared);
    snapshot_unref(T.snap);
    loop_free(T.loop);
}

static void wait_told(unsigned n)
{
    for (int i = 0; T.told < n && i < TURNS_MAX; i++)
        loop_turn(T.loop, 2000);
    ck_assert_uint_eq(T.told, n);
}

static void remember(const char *text, const error *e)
{
    T.told++;
    T.kind = e ? e->kind : ERR_NONE;
    (void)snprintf(T.why, sizeof T.why, "%s", e ? e->text : "");
    (void)snprintf(T.text, sizeof T.text, "%s", text ? text : "");
}

/* ---- whose token ---- */

static void on_identified(void *arg, const char *email, const error *e)
{
    ck_assert_ptr_eq(arg, &T);
    ck_assert_int_eq(email == NULL, e != NULL);
    remember(email, e);
}

static void identify(const char *token)
{
    unsigned before = T.told;
    metadata_link_identify(T.link, span_of(token), on_identified, &T);
    wait_told(before + 1);
}

START_TEST(a_token_is_asked_for_once_until_it_expires)
{
    identify("a+b/c");
    ck_assert_str_eq(T.text, "alice@example.com");
    ck_assert_str_eq(T.heard, "GET /tokeninfo?access_token=a%2Bb%2Fc|||||shared");
    T.now_us += 99 * SECOND;
    identify("a+b/c");
    ck_assert_str_eq(T.text, "alice@example.com");
    ck_assert_uint_eq(T.requests, 1);
    T.now_us += 1 * SECOND;
    identify("a+b/c");
    ck_assert_uint_eq(T.requests, 2);
}
END_TEST

static const struct {
    unsigned status;
    const char *body;
    error_kind kind;
} no_identities[] = {
    {400, "{\"error\":\"invalid_token\"}", ERR_NOT_FOUND},
    {401, "{}", ERR_NOT_FOUND},
    {500, "{}", ERR_UNAVAILABLE},
    {302, "{}", ERR_UNAVAILABLE},
    {200, "", ERR_UNAVAILABLE},
    {200, "{\"email\":\"alice@example.com\"}", ERR_UNAVAILABLE},
    {200, "{\"email\":7,\"expires_in\":\"100\"}", ERR_UNAVAILABLE},
    {200, "{\"email\":\"alice@example.com\",\"expires_in\":\"0\"}", ERR_UNAVAILABLE},
    {200, "{\"email\":\"alice@example.com\",\"expires_in\":-1}", ERR_UNAVAILABLE},
};

START_TEST(an_answer_that_names_nobody_is_not_remembered)
{
    T.status = no_identities[_i].status;
    T.body = no_identities[_i].body;
    identify("t");
    ck_assert_int_eq(T.kind, no_identities[_i].kind);
    ck_assert_str_eq(T.text, "");
    identify("t");
    ck_assert_uint_eq(T.requests, 2);
    ck_assert_uint_eq(metadata_link_tokens(T.link), 0);
}
END_TEST

START_TEST(a_new_topology_makes_tokens_be_asked_for_again)
{
    identify("t");
    follow(T.shared_text);
    identify("t");
    ck_assert_uint_eq(T.requests, 2);
}
END_TEST

/* The metadata process has not taken the change yet, and answers of the account as it was. */
START_TEST(an_account_that_is_gone_disabled_or_another_one_now_is_nobody)
{
    const account anew = {.email = FRONTEND, .unique_id = "100000000000000000002"};
    const account disabled = {
        .email = FRONTEND, .unique_id = "100000000000000000001", .disabled = true};
    const account *const changed[] = {NULL, &anew, &disabled};
    T.body = "{\"email\":\"" FRONTEND "\",\"sub\":\"100000000000000000001\",\"expires_in\":100}";
    for (size_t i = 0; i < countof(changed); i++) {
        follow_with(T.shared_text,
                    &(account){.email = FRONTEND, .unique_id = "100000000000000000001"});
        identify("t");
        ck_assert_str_eq(T.text, FRONTEND);
        follow_with(T.shared_text, changed[i]);
        for (int again = 0; again < 2; again++) { /* asked for, then remembered */
            identify("t");
            ck_assert_int_eq(T.kind, ERR_NOT_FOUND);
            ck_assert_str_eq(T.text, "");
        }
    }
}
END_TEST

START_TEST(nobody_there_is_told_as_unavailable)
{
    follow(NULL);
    identify("t");
    ck_assert_int_eq(T.kind, ERR_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(T.why, "listen.metadata"));
    follow("127.0.0.1:1");
    identify("t");
    ck_assert_int_eq(T.kind, ERR_UNAVAILABLE);
}
END_TEST

START_TEST(stopping_tells_who_waits_and_who_asks_later)
{
    T.silent = true;
    metadata_link_identify(T.link, SPAN_LIT("t"), on_identified, &T);
    for (int i = 0; !T.requests && i < TURNS_MAX; i++)
        loop_turn(T.loop, 2000);
    metadata_link_stop(T.link);
    ck_assert_uint_eq(T.told, 1);
    ck_assert_int_eq(T.kind, ERR_UNAVAILABLE);
    metadata_link_identify(T.link, SPAN_LIT("t"), on_identified, &T);
    ck_assert_uint_eq(T.told, 2);
    ck_assert_int_eq(T.kind, ERR_UNAVAILABLE);
    T.silent = false;
}
END_TEST

/* ---- passing on ---- */

static void on_answer(void *arg, const metadata_answer *a, const error *e)
{
    ck_assert_ptr_eq(arg, &T);
    auto_buf buf b = buf_make(256);
    if (a) {
        T.got_status = a->status;
        buf_fmt(&b, "%.*s|%.*s|%.*s|%.*s|%.*s", SPAN_ARG(a->type), SPAN_ARG(a->caching),
                SPAN_ARG(a->flavor), SPAN_ARG(a->challenge), SPAN_ARG(a->body));
    }
    remember(b.p, e);
}

static void pass_on(metadata_question q)
{
    unsigned before = T.told;
    metadata_link_ask(T.link, &q, on_answer, &T);
    wait_told(before + 1);
}

START_TEST(a_question_and_its_answer_are_passed_on)
{
    T.status = 403;
    T.body = "{\"no\":1}";
    pass_on((metadata_question){.method = SPAN_LIT("POST"),
                                .target = SPAN_LIT("/v1/x:y?alt=json"),
                                .host = SPAN_LIT("run.localhost:1"),
                                .authorization = SPAN_LIT("Bearer t"),
                                .type = SPAN_LIT("a/b"),
                                .flavor = SPAN_LIT("Google"),
                                .body = SPAN_LIT("{}")});
    ck_assert_str_eq(T.heard, "POST /v1/x:y?alt=json|Bearer t|a/b|Google|{}|shared");
    ck_assert_uint_eq(T.got_status, 403);
    ck_assert_str_eq(T.text, "application/json||Google|Bearer|{\"no\":1}");
}
END_TEST

START_TEST(a_services_own_metadata_server_is_asked_by_its_address)
{
    metadata_question q = {
        .method = SPAN_LIT("GET"), .target = SPAN_LIT("/c"), .host = span_of(T.own_text)};
    pass_on(q);
    ck_assert_str_eq(T.heard, "GET /c|||||own");
    auto_buf buf name = buf_make(64);
    buf_fmt(&name, "localhost:%u", net_addr_port(&T.own));
    q.host = buf_view(&name);
    pass_on(q);
    ck_assert_str_eq(T.heard, "GET /c|||||own");
    q.host = SPAN_LIT("metadata.google.internal");
    pass_on(q);
    ck_assert_str_eq(T.heard, "GET /c|||||shared");
}
END_TEST

START_TEST(a_401_makes_its_token_forgotten_and_no_other)
{
    identify("t");
    identify("u");
    ck_assert_uint_eq(metadata_link_tokens(T.link), 2);
    const metadata_question q = {.method = SPAN_LIT("POST"),
                                 .target = SPAN_LIT("/x"),
                                 .authorization = SPAN_LIT("bearer  t")};
    T.status = 403;
    pass_on(q);
    ck_assert_uint_eq(metadata_link_tokens(T.link), 2);
    T.status = 401;
    pass_on(q);
    ck_assert_uint_eq(metadata_link_tokens(T.link), 1);
    T.status = 200;
    identify("u");
    ck_assert_uint_eq(T.requests, 4);
}
END_TEST

START_TEST(no_answer_to_a_question_is_unavailable)
{
    follow("127.0.0.1:1");
    pass_on((metadata_question){.method = SPAN_LIT("GET"), .target = SPAN_LIT("/x")});
    ck_assert_int_eq(T.kind, ERR_UNAVAILABLE);
}
END_TEST

/* ---- a newer state ---- */

static void on_synced(void *arg)
{
    ck_assert_ptr_eq(arg, &T);
    T.told++;
}

START_TEST(a_change_is_told_with_its_serial_and_goes_on_whatever_is_answered)
{
    static const unsigned statuses[] = {200, 404, 503};
    T.status = statuses[_i];
    metadata_link_sync(T.link, 42, on_synced, &T);
    wait_told(1);
    ck_assert_str_eq(T.heard, "POST /invoker/v1/sync?serial=42|||Google||shared");
    follow(NULL);
    metadata_link_sync(T.link, 43, on_synced, &T);
    wait_told(2);
}
END_TEST

START_TEST(a_change_does_not_wait_for_a_silent_process)
{
    T.silent = true;
    metadata_link_sync(T.link, 42, on_synced, &T);
    wait_told(1);
    ck_assert_uint_eq(T.requests, 1);
}
END_TEST

/* ---- the memory ---- */

START_TEST(the_token_that_was_used_longest_ago_makes_room)
{
    known_tokens *k = known_tokens_new(2);
    known_tokens_put(k, SPAN_LIT("a"), &(token_owner){"A", "1"}, 10);
    known_tokens_put(k, SPAN_LIT("b"), &(token_owner){"B", ""}, 10);
    known_tokens_put(k, SPAN_LIT("a"), &(token_owner){"AA", "2"}, 20);
    ck_assert_uint_eq(known_tokens_count(k), 2);
    known_tokens_put(k, SPAN_LIT("c"), &(token_owner){"C", ""}, 10);
    ck_assert_ptr_null(known_tokens_get(k, SPAN_LIT("b"), 0));
    ck_assert_str_eq(known_tokens_get(k, SPAN_LIT("a"), 10)->email, "AA");
    ck_assert_str_eq(known_tokens_get(k, SPAN_LIT("a"), 10)->subject, "2");
    ck_assert_str_eq(known_tokens_get(k, SPAN_LIT("c"), 9)->email, "C");
    ck_assert_ptr_null(known_tokens_get(k, SPAN_LIT("c"), 10));
    known_tokens_forget(k, SPAN_LIT("a"));
    known_tokens_forget(k, SPAN_LIT("a"));
    ck_assert_uint_eq(known_tokens_count(k), 0);
    known_tokens_free(k);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metadata_link");
    TCase *t = tcase_create("link");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_token_is_asked_for_once_until_it_expires);
    tcase_add_loop_test(t, an_answer_that_names_nobody_is_not_remembered, 0,
                        countof(no_identities));
    tcase_add_test(t, a_new_topology_makes_tokens_be_asked_for_again);
    tcase_add_test(t, an_account_that_is_gone_disabled_or_another_one_now_is_nobody);
    tcase_add_test(t, nobody_there_is_told_as_unavailable);
    tcase_add_test(t, stopping_tells_who_waits_and_who_asks_later);
    tcase_add_test(t, a_question_and_its_answer_are_passed_on);
    tcase_add_test(t, a_services_own_metadata_server_is_asked_by_its_address);
    tcase_add_test(t, a_401_makes_its_token_forgotten_and_no_other);
    tcase_add_test(t, no_answer_to_a_question_is_unavailable);
    tcase_add_loop_test(t, a_change_is_told_with_its_serial_and_goes_on_whatever_is_answered, 0, 3);
    tcase_add_test(t, a_change_does_not_wait_for_a_silent_process);
    suite_add_tcase(s, t);
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, the_token_that_was_used_longest_ago_makes_room);
    suite_add_tcase(s, memory);
    return check_main(s);
}
