/* The judge: what is forwarded, what is refused, what waits for keys. */
#include "gateway_fixture.h"

static char *bearer(EVP_PKEY *key, const char *kid, int64_t exp_s)
{
    auto_free char *token = gateway_token(key, kid, exp_s);
    auto_buf buf b = buf_make(8192);
    buf_fmt(&b, "Bearer %s", token);
    return buf_take(&b);
}

static span added(const exchange *x, const char *name)
{
    for (size_t i = 0; i < x->sent.add_count; i++)
        if (span_eq_str(x->sent.add[i].name, name))
            return x->sent.add[i].value;
    return (span){0};
}

static bool dropped(const exchange *x, const char *name)
{
    for (const char *const *d = x->sent.drop; *d; d++)
        if (strcmp(*d, name) == 0)
            return true;
    return false;
}

static unsigned ask_status(const char *authorization)
{
    exchange *x = gateway_ask(authorization);
    unsigned status = x->forwarded ? 200 : x->status;
    gateway_done(x, PROXY_OK);
    return status;
}

START_TEST(a_good_token_is_forwarded_without_its_signature)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(g.keys, 0);
    exchange *x = gateway_ask(good);
    ck_assert(x->forwarded);
    char text[NET_ADDR_TEXT_MAX];
    ck_assert_str_eq(net_addr_text(&x->sent.upstream, text), "127.0.0.1:9082");
    ck_assert(dropped(x, "Authorization"));
    ck_assert(span_starts(added(x, "Authorization"), SPAN_LIT("bearer ey")));
    ck_assert(span_ends(added(x, "Authorization"), SPAN_LIT(".SIGNATURE_REMOVED_BY_GOOGLE")));
    ck_assert(span_eq_str(added(x, "X-Forwarded-For"), "203.0.113.7"));
    ck_assert(dropped(x, "X-Google-*"));
    gateway_done(x, PROXY_OK);
    ck_assert_uint_eq(atomic_load(&g.counters.allowed), 1);
}
END_TEST

START_TEST(refusals_carry_page_and_challenge)
{
    gateway_open(g.keys, 0);
    exchange *x = gateway_ask(NULL);
    ck_assert_uint_eq(x->status, 403);
    ck_assert_str_eq(x->challenge, "");
    ck_assert_ptr_nonnull(strstr(x->reply, "<code>/api/items</code>"));
    gateway_done(x, PROXY_OK);
    x = gateway_ask("Bearer x");
    ck_assert_uint_eq(x->status, 401);
    ck_assert_ptr_nonnull(strstr(x->challenge, "invalid_token"));
    gateway_done(x, PROXY_OK);
    ck_assert_uint_eq(atomic_load(&g.counters.refused), 2);
}
END_TEST

START_TEST(a_remembered_token_dies_with_its_key)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(g.keys, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(ask_status(good), 200);
    admit_take_view(g.admit, gateway_view(g.keys, 0));
    ck_assert_uint_eq(ask_status(good), 200);
    admit_take_view(g.admit, gateway_view(g.other_keys, 0));
    ck_assert_uint_eq(ask_status(good), 401);
}
END_TEST

START_TEST(a_remembered_token_expires)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 100);
    gateway_open(g.keys, 0);
    ck_assert_uint_eq(ask_status(good), 200);
    g.now_us = (NOW_S + 100 + 60) * SECOND + 1;
    ck_assert_uint_eq(ask_status(good), 401);
    g.now_us = NOW_US;
    ck_assert_uint_eq(ask_status(good), 200);
}
END_TEST

START_TEST(a_tampered_copy_of_a_remembered_token_is_refused)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(g.keys, 0);
    ck_assert_uint_eq(ask_status(good), 200);
    char *dot = strchr(good, '.');
    dot[10] = dot[10] == 'A' ? 'B' : 'A';
    ck_assert_uint_eq(ask_status(good), 401);
}
END_TEST

START_TEST(without_keys_a_token_waits_until_they_come)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(NULL, 0);
    exchange *x = gateway_ask(good);
    ck_assert(x->deferred && !x->forwarded);
    ck_assert_uint_eq(g.wanted, 1);
    admit_take_view(g.admit, gateway_view(NULL, 0));
    ck_assert(!x->forwarded && !x->status);
    admit_take_view(g.admit, gateway_view(g.keys, 0));
    ck_assert(x->forwarded);
    gateway_done(x, PROXY_OK);
}
END_TEST

START_TEST(without_keys_a_request_without_token_is_refused_at_once)
{
    gateway_open(NULL, 0);
    ck_assert_uint_eq(ask_status(NULL), 403);
    ck_assert_uint_eq(g.wanted, 0);
}
END_TEST

START_TEST(an_unknown_kid_waits_for_one_fetch)
{
    auto_free char *rotated = bearer(g.other_key, "k2", NOW_S + 3600);
    gateway_open(g.keys, ADMIT_ASK_KEYS_EACH_US);
    exchange *x = gateway_ask(rotated);
    ck_assert(x->deferred && !x->forwarded);
    admit_take_view(g.admit, gateway_view(g.other_keys, 0));
    ck_assert(x->forwarded);
    gateway_done(x, PROXY_OK);
}
END_TEST

START_TEST(an_unknown_kid_is_refused_when_the_fetch_brings_nothing)
{
    auto_free char *foreign = bearer(g.other_key, "k2", NOW_S + 3600);
    gateway_open(g.keys, ADMIT_ASK_KEYS_EACH_US);
    exchange *x = gateway_ask(foreign);
    ck_assert(x->deferred);
    admit_take_view(g.admit, gateway_view(g.keys, 0));
    ck_assert_uint_eq(x->status, 401);
    gateway_done(x, PROXY_OK);
    /* the next one does not even wait */
    x = gateway_ask(foreign);
    ck_assert(!x->deferred);
    ck_assert_uint_eq(x->status, 401);
    gateway_done(x, PROXY_OK);
    ck_assert_uint_eq(g.wanted, 1);
}
END_TEST

START_TEST(a_view_without_a_new_attempt_ends_no_wait)
{
    auto_free char *foreign = bearer(g.other_key, "k2", NOW_S + 3600);
    gateway_open(g.keys, ADMIT_ASK_KEYS_EACH_US);
    exchange *x = gateway_ask(foreign);
    g.attempt--;
    admit_take_view(g.admit, gateway_view(g.keys, ADMIT_ASK_KEYS_EACH_US));
    ck_assert_uint_eq(x->status, 0);
    admit_take_view(g.admit, gateway_view(g.keys, 0));
    ck_assert_uint_eq(x->status, 401);
    gateway_done(x, PROXY_OK);
}
END_TEST

START_TEST(callers_that_leave_while_waiting_are_forgotten)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(NULL, 0);
    exchange *x[3];
    for (int i = 0; i < 3; i++)
        x[i] = gateway_ask(good);
    gateway_done(x[1], PROXY_CLIENT_GONE);
    gateway_done(x[2], PROXY_CLIENT_GONE);
    admit_take_view(g.admit, gateway_view(g.keys, 0));
    ck_assert(x[0]->forwarded);
    gateway_done(x[0], PROXY_OK);
}
END_TEST

START_TEST(too_many_that_wait_get_429)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(NULL, 0);
    static exchange *x[ADMIT_WAITING_MAX + 1];
    for (size_t i = 0; i <= ADMIT_WAITING_MAX; i++)
        x[i] = gateway_ask(good);
    ck_assert_uint_eq(x[ADMIT_WAITING_MAX]->status, 429);
    ck_assert_str_eq(x[ADMIT_WAITING_MAX]->reply, "Rate exceeded.");
    for (size_t i = 0; i <= ADMIT_WAITING_MAX; i++)
        gateway_done(x[i], PROXY_CLIENT_GONE);
}
END_TEST

START_TEST(failures_become_pages)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(g.keys, 0);
    exchange *x = gateway_ask(good);
    reply r = {0};
    g.handler.on_failure(g.handler.ctx, x, PROXY_CONNECT_FAILED, &r);
    ck_assert_uint_eq(r.status, 503);
    ck_assert(span_eq_str(r.body, "Service Unavailable"));
    g.handler.on_failure(g.handler.ctx, x, PROXY_TIMEOUT, &r);
    ck_assert_uint_eq(r.status, 504);
    gateway_done(x, PROXY_TIMEOUT);
    ck_assert_uint_eq(atomic_load(&g.counters.failed), 1);
}
END_TEST

static exchange *ask_declaring(const service *v, uint64_t bytes)
{
    snapshot_builder *b = fixture_builder();
    fixture_service(b, *v, NULL);
    fixture_bind(b, v->name, INVOKER, "allUsers");
    snapshot_unref(g.snap);
    g.snap = fixture_build(b);
    free(g.door.service);
    g.door.service = span_dup(span_of(v->name));
    gateway_open(g.keys, 0);
    exchange *x = gateway_exchange(NULL);
    x->declared = bytes;
    g.handler.on_head(g.handler.ctx, x);
    return x;
}

START_TEST(a_body_that_declares_more_than_the_limit_is_refused)
{
    const service v = {
        .name = "small", .upstream = "127.0.0.1:9", .body_limit = 100, .response_limit = 200};
    exchange *x = ask_declaring(&v, 101);
    ck_assert_uint_eq(x->status, 413);
    gateway_done(x, PROXY_OK);
    x = gateway_exchange(NULL);
    x->declared = 100;
    g.handler.on_head(g.handler.ctx, x);
    ck_assert(x->forwarded);
    ck_assert_uint_eq(x->sent.body_limit, 100);
    ck_assert_uint_eq(x->sent.response_limit, 200);
    reply r = {0};
    g.handler.on_failure(g.handler.ctx, x, PROXY_REQUEST_TOO_LARGE, &r);
    ck_assert_uint_eq(r.status, 413);
    g.handler.on_failure(g.handler.ctx, x, PROXY_RESPONSE_TOO_LARGE, &r);
    ck_assert_uint_eq(r.status, 500);
    gateway_done(x, PROXY_REQUEST_TOO_LARGE);
}
END_TEST

START_TEST(a_container_that_speaks_http_2_has_no_limit)
{
    const service v = {.name = "large",
                       .upstream = "127.0.0.1:9",
                       .body_limit = 100,
                       .response_limit = 200,
                       .use_http2 = true};
    exchange *x = ask_declaring(&v, 101);
    ck_assert(x->forwarded);
    ck_assert_uint_eq(x->sent.body_limit, 0);
    ck_assert_uint_eq(x->sent.response_limit, 0);
    gateway_done(x, PROXY_OK);
}
END_TEST

START_TEST(an_upstream_that_is_detached_in_flight_does_not_matter)
{
    auto_free char *good = bearer(g.key, "k1", NOW_S + 3600);
    gateway_open(g.keys, 0);
    exchange *x = gateway_ask(good);
    ck_assert(upstreams_detach(g.upstreams, SPAN_LIT("backend-api")));
    admit_take_view(g.admit, gateway_view(g.keys, 0));
    ck_assert_uint_eq(ask_status(good), 503);
    gateway_done(x, PROXY_OK);
}
END_TEST

START_TEST(a_door_whose_service_is_gone_is_404)
{
    gateway_open(g.keys, 0);
    ck_assert_uint_eq(ask_status(NULL), 403);
    free(g.door.service);
    g.door.service = span_dup(SPAN_LIT("gone"));
    admit_take_view(g.admit, gateway_view(g.keys, 0));
    ck_assert_uint_eq(ask_status(NULL), 404);
}
END_TEST

int main(void)
{
    gateway_keys_once();
    Suite *s = suite_create("admit");
    TCase *t = tcase_create("admit");
    tcase_add_checked_fixture(t, gateway_setup, gateway_teardown);
    tcase_add_test(t, a_good_token_is_forwarded_without_its_signature);
    tcase_add_test(t, refusals_carry_page_and_challenge);
    tcase_add_test(t, a_remembered_token_dies_with_its_key);
    tcase_add_test(t, a_remembered_token_expires);
    tcase_add_test(t, a_tampered_copy_of_a_remembered_token_is_refused);
    tcase_add_test(t, without_keys_a_token_waits_until_they_come);
    tcase_add_test(t, without_keys_a_request_without_token_is_refused_at_once);
    tcase_add_test(t, an_unknown_kid_waits_for_one_fetch);
    tcase_add_test(t, an_unknown_kid_is_refused_when_the_fetch_brings_nothing);
    tcase_add_test(t, a_view_without_a_new_attempt_ends_no_wait);
    tcase_add_test(t, callers_that_leave_while_waiting_are_forgotten);
    tcase_add_test(t, too_many_that_wait_get_429);
    tcase_add_test(t, failures_become_pages);
    tcase_add_test(t, a_body_that_declares_more_than_the_limit_is_refused);
    tcase_add_test(t, a_container_that_speaks_http_2_has_no_limit);
    tcase_add_test(t, an_upstream_that_is_detached_in_flight_does_not_matter);
    tcase_add_test(t, a_door_whose_service_is_gone_is_404);
    suite_add_tcase(s, t);
    int failed = check_main(s);
    EVP_PKEY_free(g.key);
    EVP_PKEY_free(g.other_key);
    return failed;
}
