/* SipHash against its published vectors, the string map, did-you-mean. */
#include "check_main.h"

#include <stdio.h>

#include "base/attr.h"
#include "base/hash.h"

/* Aumasson & Bernstein, "SipHash: a fast short-input PRF", appendix A and its reference vectors:
 * key 00 01 .. 0f, message 00 01 .. n-1. */
static const struct {
    size_t n;
    uint64_t hash;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu},  {7, 0xab0200f58b01d137u},
    {8, 0x93f5f5799a932462u}, {15, 0xa129ca6149be45e5u},
};

START_TEST(siphash_gives_the_published_vectors)
{
    const hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    unsigned char message[16];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (unsigned char)i;
    ck_assert_uint_eq(hash_bytes(key, message, vectors[_i].n), vectors[_i].hash);
}
END_TEST

START_TEST(a_map_finds_each_of_many_keys_and_no_other)
{
    enum { MANY = 5000 };
    static int values[MANY];
    strmap *m = strmap_new();
    char key[32];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, "service-%d", i);
        ck_assert(strmap_put(m, span_of(key), &values[i]));
    }
    ck_assert_uint_eq(strmap_count(m), MANY);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, "service-%d", i);
        ck_assert_ptr_eq(strmap_get(m, span_of(key)), &values[i]);
    }
    ck_assert_ptr_null(strmap_get(m, SPAN_LIT("service-")));
    ck_assert_ptr_null(strmap_get(m, SPAN_LIT("")));
    strmap_free(m);
}
END_TEST

START_TEST(a_key_that_is_there_already_keeps_its_value)
{
    int one = 1, two = 2;
    strmap *m = strmap_new();
    ck_assert(strmap_put(m, SPAN_LIT("a\0b"), &one));
    ck_assert(!strmap_put(m, SPAN_LIT("a\0b"), &two));
    ck_assert(strmap_put(m, SPAN_LIT("a"), &two));
    ck_assert_ptr_eq(strmap_get(m, SPAN_LIT("a\0b")), &one);
    ck_assert_ptr_eq(strmap_get(m, SPAN_LIT("a")), &two);
    strmap_free(m);
    strmap_free(NULL);
}
END_TEST

static const struct {
    const char *a, *b;
    size_t distance;
} pairs[] = {
    {"", "", 0},       {"abc", "abc", 0}, {"abc", "abd", 1},        {"abc", "ab", 1},
    {"abc", "acb", 1}, {"abcd", "", 3},   {"kitten", "sitting", 3},
};

START_TEST(edits_are_counted_up_to_the_limit)
{
    ck_assert_uint_eq(edit_distance(span_of(pairs[_i].a), span_of(pairs[_i].b), 2),
                      pairs[_i].distance);
}
END_TEST

START_TEST(only_a_near_word_is_suggested)
{
    static const char *const names[] = {"backend-api", "auth-service", "port", NULL};
    ck_assert_str_eq(did_you_mean(SPAN_LIT("backnd-api"), names), "backend-api");
    ck_assert_str_eq(did_you_mean(SPAN_LIT("prot"), names), "port");
    ck_assert_ptr_null(did_you_mean(SPAN_LIT("frontend"), names));
    ck_assert_ptr_null(did_you_mean(SPAN_LIT("po"), names));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hash");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, siphash_gives_the_published_vectors, 0, (int)countof(vectors));
    tcase_add_test(c, a_map_finds_each_of_many_keys_and_no_other);
    tcase_add_test(c, a_key_that_is_there_already_keeps_its_value);
    tcase_add_loop_test(c, edits_are_counted_up_to_the_limit, 0, (int)countof(pairs));
    tcase_add_test(c, only_a_near_word_is_suggested);
    suite_add_tcase(s, c);
    return check_main(s);
}
