/* A caller that leaves: the container is not told, and nothing is left of the exchange. */
#include "proxy_fixture.h"

/* ---- the caller leaves ---- */

static const char *const answers[][2] = {
    {"", OK_ANSWER},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "other"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"},
};

START_TEST(when_the_caller_leaves_the_upstream_works_on_undisturbed)
{
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    rig_say(&R, up, answers[_i][0]);
    if (_i)
        rig_hear(&R, caller, &heard, "\r\n\r\n");
    for (int i = 0; i < 10; i++) /* long enough to be suspended */
        rig_turn(&R);
    close(caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    rig_say(&R, up, answers[_i][1]);
    for (int i = 0; i < 10; i++)
        rig_turn(&R);
    /* Its connection was not closed but is used for the next request. */
    int next = rig_caller(&R);
    rig_say(&R, next, RIG_GET("/next"));
    buf_clear(&heard);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(heard.p, "GET /next "));
    close(next);
    close(up);
}
END_TEST

/* ---- when the upstream works on it no more ---- */

typedef struct end {
    unsigned times;
    unsigned reported; /* outcomes that were told before it */
} end;

static void note_end(void *arg)
{
    end *e = arg;
    e->times++;
    e->reported = R.done;
}

static void watch_end(end *e)
{
    R.forward.over = note_end;
    R.forward.over_arg = e;
}

START_TEST(a_complete_answer_is_the_upstreams_end_before_the_caller_has_it)
{
    end e = {0};
    watch_end(&e);
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    ck_assert_uint_eq(e.times, 0);
    rig_say(&R, up, OK_ANSWER);
    rig_hear(&R, caller, &heard, "ok");
    (void)rig_outcome(&R, 0);
    ck_assert_uint_eq(e.times, 1);
    ck_assert_uint_eq(e.reported, 0);
    close(caller);
    close(up);
}
END_TEST

START_TEST(a_streamed_answer_is_the_upstreams_end_when_it_ends)
{
    end e = {0};
    watch_end(&e);
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    rig_hear(&R, caller, &heard, "half");
    ck_assert_uint_eq(e.times, 0);
    rig_say(&R, up, "done");
    rig_hear(&R, caller, &heard, "done");
    (void)rig_outcome(&R, 0);
    ck_assert_uint_eq(e.times, 1);
    ck_assert_uint_eq(e.reported, 0);
    close(caller);
    close(up);
}
END_TEST

START_TEST(an_upstream_that_fails_is_over)
{
    end e = {0};
    watch_end(&e);
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    close(up);
    rig_hear(&R, caller, &heard, "bad-response");
    (void)rig_outcome(&R, 0);
    ck_assert_uint_eq(e.times, 1);
    close(caller);
}
END_TEST

START_TEST(an_upstream_that_works_on_without_a_caller_is_not_over)
{
    end e = {0};
    watch_end(&e);
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    close(caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    ck_assert_uint_eq(e.times, 0);
    rig_say(&R, up, OK_ANSWER);
    RIG_UNTIL(&R, e.times == 1);
    close(up);
}
END_TEST

START_TEST(a_caller_that_leaves_during_its_upload_ends_it_for_the_upstream_too)
{
    end e = {0};
    watch_end(&e);
    int up;
    int caller =
        waiting_caller(&up, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome");
    close(caller);
    (void)rig_outcome(&R, 0);
    ck_assert_uint_eq(e.times, 1);
    close(up);
}
END_TEST

START_TEST(an_upstream_without_a_caller_has_its_time_and_no_more)
{
    R.forward.timeout_us = 200 * 1000; /* the caller leaves before, on a busy machine too */
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    close(caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    rig_gone(&R, up);
    ck_assert_uint_eq(R.done, 1);
}
END_TEST

START_TEST(closing_ends_what_works_on_without_a_caller)
{
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    close(caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    close(up); /* the fixture closes the proxy: nothing may be left of it */
}
END_TEST

START_TEST(a_caller_that_leaves_during_its_upload_closes_the_upstream_connection)
{
    int up;
    int caller =
        waiting_caller(&up, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome");
    close(caller);
    rig_gone(&R, up);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
}
END_TEST

START_TEST(a_caller_that_closes_after_its_answer_counts_as_served)
{
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    rig_say(&R, up, OK_ANSWER);
    rig_hear(&R, caller, &heard, "ok");
    close(caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(up);
}
END_TEST

START_TEST(half_a_head_and_the_end_of_the_stream_close_the_connection)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, "GET / HTTP/1.1\r\nHo");
    ck_assert_int_eq(shutdown(caller, SHUT_WR), 0);
    rig_gone(&R, caller);
    ck_assert_uint_eq(R.heads, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_leaves");
    TCase *t = tcase_create("leaves");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 20);
    tcase_add_loop_test(t, when_the_caller_leaves_the_upstream_works_on_undisturbed, 0,
                        (int)countof(answers));
    tcase_add_test(t, an_upstream_without_a_caller_has_its_time_and_no_more);
    tcase_add_test(t, closing_ends_what_works_on_without_a_caller);
    tcase_add_test(t, a_caller_that_leaves_during_its_upload_closes_the_upstream_connection);
    tcase_add_test(t, a_caller_that_closes_after_its_answer_counts_as_served);
    tcase_add_test(t, a_complete_answer_is_the_upstreams_end_before_the_caller_has_it);
    tcase_add_test(t, a_streamed_answer_is_the_upstreams_end_when_it_ends);
    tcase_add_test(t, an_upstream_that_fails_is_over);
    tcase_add_test(t, an_upstream_that_works_on_without_a_caller_is_not_over);
    tcase_add_test(t, a_caller_that_leaves_during_its_upload_ends_it_for_the_upstream_too);
    tcase_add_test(t, half_a_head_and_the_end_of_the_stream_close_the_connection);
    suite_add_tcase(s, t);
    return check_main(s);
}
