/* Remembered tokens: found by all their bytes, bounded, never past their end. */
#include <stdio.h>

#include "check_main.h"
#include "gateway/token_memory.h"

enum { NOW = 1000, LATER = 2000 };

static token_memory *memory;

static void open_memory(void)
{
    memory = token_memory_new(16);
}

static void close_memory(void)
{
    token_memory_free(memory);
}

static claims *made(int64_t exp_s)
{
    char json[64];
    error e = {0};
    snprintf(json, sizeof json, "{\"sub\":\"s\",\"exp\":%lld}", (long long)exp_s);
    claims *c = claims_parse(span_of(json), &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    return c;
}

static void put(const char *token, int64_t exp_s)
{
    claims *c = made(exp_s);
    ck_assert_ptr_eq(token_memory_put(memory, span_of(token), c, NOW), c);
}

START_TEST(what_was_put_is_found_again)
{
    put("header.payload.signature", LATER);
    const claims *c = token_memory_get(memory, SPAN_LIT("header.payload.signature"), NOW);
    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(c->sub, "s");
}
END_TEST

START_TEST(a_token_that_differs_in_one_byte_is_unknown)
{
    /* also before the last bytes, which are all that is hashed */
    char long_token[300];
    memset(long_token, 'a', sizeof long_token);
    long_token[sizeof long_token - 1] = '\0';
    put(long_token, LATER);
    ck_assert_ptr_nonnull(token_memory_get(memory, span_of(long_token), NOW));
    for (size_t i = 0; i < sizeof long_token - 1; i += 37) {
        long_token[i] = 'b';
        ck_assert_ptr_null(token_memory_get(memory, span_of(long_token), NOW));
        long_token[i] = 'a';
    }
    ck_assert_ptr_null(token_memory_get(memory, (span){long_token, 200}, NOW));
}
END_TEST

START_TEST(a_token_is_forgotten_at_its_exp)
{
    put("t", LATER);
    ck_assert_ptr_nonnull(token_memory_get(memory, SPAN_LIT("t"), LATER - 1));
    ck_assert_ptr_null(token_memory_get(memory, SPAN_LIT("t"), LATER));
    ck_assert_uint_eq(token_memory_count(memory), 0);
    ck_assert_ptr_null(token_memory_get(memory, SPAN_LIT("t"), NOW));
}
END_TEST

START_TEST(what_cannot_be_remembered_stays_the_callers)
{
    static char huge[TOKEN_MEMORY_TOKEN_MAX + 1];
    memset(huge, 'x', sizeof huge);
    claims *c = made(LATER);
    ck_assert_ptr_null(token_memory_put(memory, (span){huge, sizeof huge}, c, NOW));
    ck_assert_ptr_null(token_memory_put(memory, (span){huge, 0}, c, NOW));
    ck_assert_ptr_null(token_memory_put(memory, SPAN_LIT("t"), c, LATER));
    claims_free(c);
    error e = {0};
    c = claims_parse(SPAN_LIT("{}"), &e);
    ck_assert_ptr_null(token_memory_put(memory, SPAN_LIT("t"), c, NOW));
    claims_free(c);
    ck_assert_uint_eq(token_memory_count(memory), 0);
}
END_TEST

START_TEST(it_never_holds_more_than_its_size)
{
    for (int i = 0; i < 1000; i++) {
        char token[16];
        snprintf(token, sizeof token, "t%d", i);
        put(token, LATER);
        ck_assert_ptr_nonnull(token_memory_get(memory, span_of(token), NOW));
        ck_assert_uint_le(token_memory_count(memory), 16);
    }
}
END_TEST

START_TEST(clearing_forgets_all)
{
    put("a", LATER);
    put("b", LATER);
    token_memory_clear(memory);
    ck_assert_uint_eq(token_memory_count(memory), 0);
    ck_assert_ptr_null(token_memory_get(memory, SPAN_LIT("a"), NOW));
}
END_TEST

START_TEST(expired_tokens_make_room_first)
{
    token_memory_free(memory);
    memory = token_memory_new(4); /* one set */
    put("kept1", LATER);
    put("gone", NOW + 1);
    put("kept2", LATER);
    put("kept3", LATER);
    claims *c = made(LATER);
    ck_assert_ptr_eq(token_memory_put(memory, SPAN_LIT("new"), c, NOW + 1), c);
    static const char *const kept[] = {"kept1", "kept2", "kept3", "new"};
    for (size_t i = 0; i < countof(kept); i++)
        ck_assert_ptr_nonnull(token_memory_get(memory, span_of(kept[i]), NOW + 1));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("token_memory");
    TCase *t = tcase_create("token_memory");
    tcase_add_checked_fixture(t, open_memory, close_memory);
    tcase_add_test(t, what_was_put_is_found_again);
    tcase_add_test(t, a_token_that_differs_in_one_byte_is_unknown);
    tcase_add_test(t, a_token_is_forgotten_at_its_exp);
    tcase_add_test(t, what_cannot_be_remembered_stays_the_callers);
    tcase_add_test(t, it_never_holds_more_than_its_size);
    tcase_add_test(t, clearing_forgets_all);
    tcase_add_test(t, expired_tokens_make_room_first);
    suite_add_tcase(s, t);
    return check_main(s);
}
