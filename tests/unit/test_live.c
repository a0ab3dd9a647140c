/* The topology as it is now, on a real loop and file system: the file and the state change, each
 * keeping the other, by a writer and seen by a reader. */
#include "state/live.h"

#include "base/clock.h"
#include "base/log.h"
#include "topology_fixture.h"

enum { DEADLINE_US = 10 * 1000 * 1000 };

#define A   PROJECT "services: { a: {} }\n"
#define AB  PROJECT "services: { a: {}, b: {} }\n"
#define BAD PROJECT "services: { B: {} }\n"

typedef struct follower {
    live *live;
    snapshot *now;
    size_t calls;
} follower;

static loop *turns;
static follower writer, reader;

static void on_snapshot(void *ctx, snapshot *s)
{
    follower *f = ctx;
    snapshot_unref(f->now);
    f->now = snapshot_ref(s);
    f->calls++;
}

static void follow(follower *f, bool writes)
{
    error e = {0};
    diagnostics d = {0};
    *f = (follower){0};
    f->live = live_open(turns,
                        &(live_options){.path = "t.yaml",
                                        .watch = !writes,
                                        .state = {"kept", writes, false},
                                        .on_snapshot = on_snapshot,
                                        .ctx = f},
                        &d, &e);
    ck_assert_msg(f->live != NULL, "%s%s", e.text, d.count ? d.items[0].text : "");
    ck_assert_uint_eq(f->calls, 1);
}

static void leave(follower *f)
{
    live_close(f->live);
    snapshot_unref(f->now);
    *f = (follower){0};
}

static void set_up(void)
{
    fixture_open();
    log_open("test", LOG_JSON, -1);
    error e = {0};
    turns = loop_new(&e);
    ck_assert_ptr_nonnull(turns);
    put_file("t.yaml", A);
    writer = reader = (follower){0};
}

static void tear_down(void)
{
    leave(&writer);
    leave(&reader);
    loop_free(turns);
    fixture_close();
}

static void make_account(const char *name)
{
    error e = {0};
    auto_buf buf email = buf_make(128);
    buf_fmt(&email, "%s@my-project.iam.gserviceaccount.com", name);
    json_t *draft = state_draft(live_state(writer.live));
    state_set(draft, "accounts", email.p, json_object());
    ck_assert_msg(live_commit(writer.live, draft, &e), "%s", e.text);
}

static bool knows(const follower *f, const char *name)
{
    return snapshot_resolve_account(f->now, span_of(name)) != NULL;
}

static bool has(const follower *f, const char *name)
{
    return snapshot_find_service(f->now, span_of(name)) != NULL;
}

START_TEST(a_commit_is_in_force_when_it_returns)
{
    follow(&writer, true);
    ck_assert(!knows(&writer, "x-sa"));
    make_account("x-sa");
    ck_assert(knows(&writer, "x-sa"));
    ck_assert_ptr_eq(live_snapshot(writer.live), writer.now);
    ck_assert_ptr_null(snapshot_resolve_account(live_base(writer.live), SPAN_LIT("x-sa")));
}
END_TEST

START_TEST(a_reload_keeps_the_state_and_a_commit_keeps_the_file)
{
    follow(&writer, true);
    make_account("x-sa");
    put_file("t.yaml", AB);
    ck_assert(live_reload(writer.live));
    ck_assert(knows(&writer, "x-sa") && has(&writer, "b"));
    make_account("y-sa");
    ck_assert(knows(&writer, "y-sa") && has(&writer, "b"));
}
END_TEST

#define SETTLING                                                                                   \
    "emulation: { propagation_delay: 60s }\n" PROJECT                                              \
    "services: { a: {}, b: {} }\nservice_accounts: { x-sa: {} }\n"

static bool may_invoke(const follower *f, const char *name)
{
    principal p;
    ck_assert(snapshot_principal(f->now, "x-sa@my-project.iam.gserviceaccount.com", NULL, &p));
    const service *svc = snapshot_find_service(f->now, span_of(name));
    return snapshot_grant(f->now, svc, &p, clock_wall_us()) != NULL;
}

static void settle(void)
{
    error e = {0};
    json_t *draft = state_draft(live_state(writer.live));
    state_settle(draft);
    ck_assert_msg(live_commit(writer.live, draft, &e), "%s", e.text);
}

START_TEST(what_propagates_has_arrived_everywhere_once_it_is_settled)
{
    error e = {0};
    put_file("t.yaml", SETTLING "matrix: { x-sa: [a] }\n");
    follow(&writer, true);
    follow(&reader, false);
    put_file("t.yaml", SETTLING "matrix: { x-sa: [b] }\n");
    ck_assert(live_reload(writer.live) && live_reload(reader.live));
    ck_assert(may_invoke(&writer, "a") && !may_invoke(&writer, "b"));
    ck_assert(may_invoke(&reader, "a") && !may_invoke(&reader, "b"));
    ck_assert_uint_eq(snapshot_revoked_count(writer.now), 1);
    ck_assert_str_eq(snapshot_revoked(writer.now, 0)->role, "roles/run.invoker");
    settle();
    ck_assert(!may_invoke(&writer, "a") && may_invoke(&writer, "b"));
    ck_assert_uint_eq(snapshot_revoked_count(writer.now), 0);
    ck_assert(live_refresh(reader.live, &e));
    ck_assert(!may_invoke(&reader, "a") && may_invoke(&reader, "b"));
    /* The next change takes its time again. */
    put_file("t.yaml", SETTLING "matrix: { x-sa: [a, b] }\n");
    ck_assert(live_reload(writer.live));
    ck_assert(!may_invoke(&writer, "a") && may_invoke(&writer, "b"));
}
END_TEST

START_TEST(a_reset_undoes_the_state_keeps_the_file_and_leaves_nothing_on_its_way)
{
    error e = {0};
    bool changed = false;
    put_file("t.yaml", SETTLING "matrix: { x-sa: [a] }\n");
    follow(&writer, true);
    follow(&reader, false);
    make_account("y-sa");
    put_file("t.yaml", SETTLING "matrix: { x-sa: [b] }\n");
    ck_assert(live_reload(writer.live) && live_reload(reader.live));
    ck_assert(may_invoke(&writer, "a") && !may_invoke(&writer, "b"));
    ck_assert_msg(live_reset(writer.live, &changed, &e), "%s", e.text);
    ck_assert(changed);
    ck_assert(!knows(&writer, "y-sa"));
    ck_assert(!may_invoke(&writer, "a") && may_invoke(&writer, "b"));
    ck_assert(live_refresh(reader.live, &e));
    ck_assert(!knows(&reader, "y-sa"));
    ck_assert(!may_invoke(&reader, "a") && may_invoke(&reader, "b"));
}
END_TEST

START_TEST(a_reset_without_anything_to_undo_changes_nothing)
{
    error e = {0};
    bool changed = true;
    follow(&writer, true);
    const size_t calls = writer.calls;
    ck_assert(live_reset(writer.live, &changed, &e));
    ck_assert(!changed);
    ck_assert_uint_eq(writer.calls, calls);
    ck_assert_uint_eq(state_serial(live_state(writer.live)), 0);
}
END_TEST

START_TEST(a_bad_file_leaves_what_was_in_force)
{
    follow(&writer, true);
    make_account("x-sa");
    put_file("t.yaml", BAD);
    ck_assert(!live_reload(writer.live));
    ck_assert(knows(&writer, "x-sa") && has(&writer, "a"));
    make_account("y-sa");
    ck_assert(knows(&writer, "y-sa") && has(&writer, "a"));
}
END_TEST

START_TEST(a_bad_file_or_a_bad_state_does_not_open)
{
    error e = {0};
    diagnostics d = {0};
    const live_options o = {.path = "t.yaml",
                            .state = {"kept", true, false},
                            .on_snapshot = on_snapshot,
                            .ctx = &writer};
    put_file("t.yaml", BAD);
    ck_assert_ptr_null(live_open(turns, &o, &d, &e));
    ck_assert_uint_gt(d.count, 0);
    diagnostics_free(&d);
    put_file("t.yaml", A);
    put_file("kept/state.json", "{}");
    ck_assert_ptr_null(live_open(turns, &o, &d, &e));
    ck_assert_uint_eq(d.count, 0);
    ck_assert_ptr_nonnull(strstr(e.text, "kept/state.json"));
}
END_TEST

START_TEST(a_reader_learns_when_asked_to_look)
{
    follow(&writer, true);
    follow(&reader, false);
    error e = {0};
    make_account("x-sa");
    ck_assert(live_refresh(reader.live, &e));
    ck_assert(knows(&reader, "x-sa"));
    const size_t calls = reader.calls;
    ck_assert(live_refresh(reader.live, &e));
    ck_assert_uint_eq(reader.calls, calls);
}
END_TEST

START_TEST(a_reader_learns_by_itself_soon)
{
    follow(&writer, true);
    follow(&reader, false);
    for (int i = 0; i < 3; i++) {
        char name[] = "sa-number-0";
        name[sizeof name - 2] = (char)('0' + i);
        make_account(name);
        int64_t deadline = clock_mono_us() + DEADLINE_US;
        while (!knows(&reader, name) && clock_mono_us() < deadline)
            loop_turn(turns, 20000);
        ck_assert(knows(&reader, name));
    }
}
END_TEST

START_TEST(what_is_added_waits_for_the_propagation_delay)
{
#define DELAYED PROJECT "emulation: { propagation_delay: 60s }\nservices: { a: {} }\n"
    put_file("t.yaml", SETTLING "matrix: { allUsers: [a] }\n");
    follow(&writer, true);
    ck_assert_int_eq(snapshot_binding(writer.now, 0)->effective_us, 0);
    put_file("t.yaml", SETTLING "matrix: { allUsers: [a], allAuthenticatedUsers: [a] }\n");
    const int64_t before = clock_wall_us();
    ck_assert(live_reload(writer.live));
    ck_assert_uint_eq(snapshot_binding_count(writer.now), 2);
    ck_assert_int_eq(snapshot_binding(writer.now, 0)->effective_us, 0);
    ck_assert_int_ge(snapshot_binding(writer.now, 1)->effective_us, before + INT64_C(60) * 1000000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("live");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, a_commit_is_in_force_when_it_returns);
    tcase_add_test(c, a_reload_keeps_the_state_and_a_commit_keeps_the_file);
    tcase_add_test(c, what_propagates_has_arrived_everywhere_once_it_is_settled);
    tcase_add_test(c, a_reset_undoes_the_state_keeps_the_file_and_leaves_nothing_on_its_way);
    tcase_add_test(c, a_reset_without_anything_to_undo_changes_nothing);
    tcase_add_test(c, a_bad_file_leaves_what_was_in_force);
    tcase_add_test(c, a_bad_file_or_a_bad_state_does_not_open);
    tcase_add_test(c, a_reader_learns_when_asked_to_look);
    tcase_add_test(c, a_reader_learns_by_itself_soon);
    tcase_add_test(c, what_is_added_waits_for_the_propagation_delay);
    suite_add_tcase(s, c);
    return check_main(s);
}
