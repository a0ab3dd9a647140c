/* The state's document: drafts, commits, its file, and who may write it. */
#include "state/state.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "topology_fixture.h"

static state *open_as(bool writer)
{
    error e = {0};
    state *s = state_open(&(state_options){"kept", writer, writer}, &e);
    ck_assert_msg(s != NULL, "%s", e.text);
    return s;
}

static bool put(state *s, const char *collection, const char *key, json_t *entry)
{
    error e = {0};
    json_t *draft = state_draft(s);
    state_set(draft, collection, key, entry);
    return state_commit(s, draft, &e);
}

static const char *display_name(const state *s, const char *email)
{
    return json_string_value(json_object_get(state_entry(s, "accounts", email), "displayName"));
}

START_TEST(what_was_committed_is_there_after_a_restart)
{
    state *s = open_as(true);
    ck_assert(state_is_empty(state_document(s)));
    ck_assert(put(s, "accounts", "a@x", json_pack("{s:s}", "displayName", "A")));
    ck_assert(put(s, "accounts", "b@x", json_pack("{s:s}", "displayName", "B")));
    ck_assert(put(s, "accounts", "a@x", NULL));
    ck_assert_uint_eq(state_serial(s), 3);
    state_close(s);
    struct stat st;
    ck_assert_int_eq(stat("kept/state.json", &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat("kept", &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0700);
    s = open_as(true);
    ck_assert_uint_eq(state_serial(s), 3);
    ck_assert_ptr_null(state_entry(s, "accounts", "a@x"));
    ck_assert_str_eq(display_name(s, "b@x"), "B");
    state_close(s);
}
END_TEST

START_TEST(a_draft_that_is_given_up_changed_nothing)
{
    state *s = open_as(true);
    ck_assert(put(s, "accounts", "a@x", json_pack("{s:s}", "displayName", "A")));
    json_t *draft = state_draft(s);
    state_set(draft, "accounts", "a@x", json_pack("{s:s}", "displayName", "Z"));
    state_set(draft, "services", "s", json_object());
    json_decref(draft);
    ck_assert_str_eq(display_name(s, "a@x"), "A");
    ck_assert_ptr_null(state_entry(s, "services", "s"));
    state_close(s);
}
END_TEST

START_TEST(without_a_folder_it_is_kept_in_memory)
{
    error e = {0};
    state *s = state_open(&(state_options){0}, &e);
    ck_assert(put(s, "roles", "r", json_object()));
    ck_assert_ptr_nonnull(state_entry(s, "roles", "r"));
    ck_assert_ptr_null(state_path(s));
    state_close(s);
}
END_TEST

START_TEST(what_was_opened_can_be_had_again)
{
    state *s = open_as(true);
    ck_assert(put(s, "accounts", "a@x", json_pack("{s:s}", "displayName", "A")));
    state_close(s);
    s = open_as(true);
    ck_assert(state_is_as_opened(s));
    ck_assert(put(s, "accounts", "a@x", json_pack("{s:s}", "displayName", "Z")));
    ck_assert(put(s, "services", "new", json_object()));
    ck_assert(!state_is_as_opened(s));
    const uint64_t serial = state_serial(s);
    error e = {0};
    ck_assert(state_commit(s, state_draft_as_opened(s), &e));
    ck_assert(state_is_as_opened(s));
    ck_assert_uint_eq(state_serial(s), serial + 1);
    ck_assert_str_eq(display_name(s, "a@x"), "A");
    ck_assert_ptr_null(state_entry(s, "services", "new"));
    /* By other changes, too. */
    ck_assert(put(s, "services", "new", json_object()));
    ck_assert(!state_is_as_opened(s));
    ck_assert(put(s, "services", "new", NULL));
    ck_assert(state_is_as_opened(s));
    state_close(s);
    s = open_as(false);
    ck_assert_str_eq(display_name(s, "a@x"), "A");
    state_close(s);
}
END_TEST

START_TEST(a_reader_sees_what_the_writer_committed)
{
    state *reader = open_as(false), *writer = open_as(true);
    bool changed = true;
    error e = {0};
    ck_assert(state_refresh(reader, &changed, &e) && !changed);
    ck_assert(put(writer, "services", "s", json_object()));
    ck_assert(state_refresh(reader, &changed, &e) && changed);
    ck_assert_ptr_nonnull(state_entry(reader, "services", "s"));
    ck_assert_uint_eq(state_serial(reader), 1);
    ck_assert(state_refresh(reader, &changed, &e) && !changed);
    state_close(reader);
    state_close(writer);
}
END_TEST

START_TEST(a_damaged_file_leaves_readers_what_they_have)
{
    state *writer = open_as(true), *reader = open_as(false);
    ck_assert(put(writer, "services", "s", json_object()));
    bool changed = false;
    error e = {0};
    ck_assert(state_refresh(reader, &changed, &e));
    put_file("kept/state.json", "{\"format\":1,\n \"serial\"");
    ck_assert(!state_refresh(reader, &changed, &e));
    ck_assert_msg(strstr(e.text, "kept/state.json:2:9: ") != NULL, "%s", e.text);
    ck_assert_ptr_nonnull(state_entry(reader, "services", "s"));
    state_close(reader);
    state_close(writer);
}
END_TEST

START_TEST(a_folder_has_one_writer)
{
    error e = {0};
    state *first = open_as(true);
    ck_assert_ptr_null(state_open(&(state_options){"kept", true, true}, &e));
    ck_assert_int_eq(e.kind, ERR_EXISTS);
    ck_assert_ptr_nonnull(strstr(e.text, "kept is in use by another gateway"));
    state_close(first);
    state_close(open_as(true));
}
END_TEST

START_TEST(a_change_that_cannot_be_written_is_none)
{
    state *s = open_as(true);
    ck_assert(put(s, "services", "s", json_object()));
    ck_assert_int_eq(rename("kept", "moved"), 0);
    ck_assert(!put(s, "services", "t", json_object()));
    ck_assert_ptr_null(state_entry(s, "services", "t"));
    ck_assert_uint_eq(state_serial(s), 1);
    ck_assert_int_eq(rename("moved", "kept"), 0);
    ck_assert(put(s, "services", "t", json_object()));
    ck_assert_uint_eq(state_serial(s), 2);
    state_close(s);
}
END_TEST

START_TEST(what_a_killed_writer_left_goes)
{
    state_close(open_as(true));
    put_file("kept/state.json.0123456789abcdef.tmp", "{\"format\":1");
    state_close(open_as(false));
    ck_assert_int_eq(access("kept/state.json.0123456789abcdef.tmp", F_OK), 0);
    state_close(open_as(true));
    ck_assert_int_ne(access("kept/state.json.0123456789abcdef.tmp", F_OK), 0);
}
END_TEST

#define BODY "\"services\":{},\"accounts\":{},\"policies\":{},\"roles\":{},\"deny\":"

static const struct {
    const char *text, *problem;
} unusable[] = {
    {"", "kept/state.json:1:0: "},
    {"[]", "not a state of this program"},
    {"{}", "not a state of this program"},
    {"{\"format\":1}", "not a state of this program"},
    {"{\"format\":2,\"serial\":1," BODY "{}}",
     "written by another version (format 2, this one reads 1)"},
    {"{\"format\":1,\"serial\":1}", "\"services\" is missing"},
    {"{\"format\":1,\"serial\":1," BODY "[]}", "\"deny\" is missing"},
    {"{\"format\":1,\"serial\":1," BODY "{\"d\":1}}", "\"deny\".\"d\" is no object"},
    {"{\"format\":1,\"serial\":1," BODY "{},\"apis\":[]}", "\"apis\" is missing"},
    {"{\"format\":1,\"serial\":1,\"serial\":2," BODY "{}}", "duplicate object key"},
};

START_TEST(a_collection_that_came_later_may_be_absent)
{
    error e = {0};
    ck_assert_int_eq(mkdir("kept", 0700), 0);
    put_file("kept/state.json", "{\"format\":1,\"serial\":1," BODY "{}}");
    state *s = open_as(true);
    ck_assert(state_is_empty(state_document(s)));
    json_t *draft = state_draft(s);
    state_set(draft, "apis", "a.example", json_pack("{s:b}", "enabled", 1));
    ck_assert_msg(state_commit(s, draft, &e), "%s", e.text);
    state_close(s);
    s = open_as(false);
    ck_assert_ptr_nonnull(state_entry(s, "apis", "a.example"));
    state_close(s);
}
END_TEST

START_TEST(a_file_that_is_none_of_ours_is_refused_and_kept)
{
    error e = {0};
    ck_assert_int_eq(mkdir("kept", 0700), 0);
    put_file("kept/state.json", unusable[_i].text);
    ck_assert_ptr_null(state_open(&(state_options){"kept", true, true}, &e));
    ck_assert_msg(strstr(e.text, unusable[_i].problem) != NULL, "%s", e.text);
    size_t n;
    auto_free char *text = file_read("kept/state.json", 4096, &n, NULL);
    ck_assert_str_eq(text, unusable[_i].text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, fixture_open, fixture_close);
    tcase_add_test(c, what_was_committed_is_there_after_a_restart);
    tcase_add_test(c, a_draft_that_is_given_up_changed_nothing);
    tcase_add_test(c, without_a_folder_it_is_kept_in_memory);
    tcase_add_test(c, what_was_opened_can_be_had_again);
    tcase_add_test(c, a_reader_sees_what_the_writer_committed);
    tcase_add_test(c, a_damaged_file_leaves_readers_what_they_have);
    tcase_add_test(c, a_folder_has_one_writer);
    tcase_add_test(c, a_change_that_cannot_be_written_is_none);
    tcase_add_test(c, what_a_killed_writer_left_goes);
    tcase_add_test(c, a_collection_that_came_later_may_be_absent);
    tcase_add_loop_test(c, a_file_that_is_none_of_ours_is_refused_and_kept, 0,
                        (int)countof(unusable));
    suite_add_tcase(s, c);
    return check_main(s);
}
