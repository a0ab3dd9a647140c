/* The last records in a fixed amount of memory. */
#include "base/ring.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "check_main.h"

enum { BYTES = 1024, RECORDS = 20 };

/* Each record tells its number and its length, and is filled with the number. */
typedef struct sample {
    uint32_t number, n;
    unsigned char fill[];
} sample;

static void push(ring *r, uint32_t number, uint32_t n)
{
    sample *s = ring_push(r, sizeof *s + n);
    ck_assert_uint_eq((uintptr_t)s % _Alignof(max_align_t), 0);
    s->number = number;
    s->n = n;
    memset(s->fill, (int)(number & 0xFF), n);
}

static bool is_whole(const sample *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->fill[i] != (s->number & 0xFF))
            return false;
    return true;
}

/* One assertion for a record: each costs a system call, and there are many bytes. */
static void check_all(const ring *r, uint32_t newest)
{
    const size_t count = ring_count(r);
    for (size_t i = 0; i < count; i++) {
        const sample *s = ring_at(r, i);
        ck_assert(s->number == newest + 1 - (uint32_t)(count - i) && is_whole(s));
    }
}

START_TEST(a_new_ring_is_empty)
{
    ring *r = ring_new(BYTES, RECORDS);
    ck_assert_uint_eq(ring_count(r), 0);
    ck_assert_uint_eq(ring_lost(r), 0);
    ring_free(r);
    ring_free(NULL);
}
END_TEST

START_TEST(the_newest_records_are_whole_and_in_order)
{
    static const uint32_t lengths[] = {0, 1, 17, 300, 5, 120, 1000, 3, 64, 511, 90, 2};
    ring *r = ring_new(BYTES, RECORDS);
    for (uint32_t i = 0; i < 3000; i++) {
        push(r, i, lengths[(i * 7 + i / 50) % countof(lengths)]);
        check_all(r, i);
        ck_assert_uint_eq(ring_count(r) + ring_lost(r), i + 1);
    }
    ring_free(r);
}
END_TEST

START_TEST(no_more_records_are_kept_than_asked_for)
{
    ring *r = ring_new(BYTES, 3);
    for (uint32_t i = 0; i < 10; i++)
        push(r, i, 1);
    ck_assert_uint_eq(ring_count(r), 3);
    check_all(r, 9);
    ring_free(r);
}
END_TEST

START_TEST(a_ring_is_filled_before_anything_gives_way)
{
    ring *r = ring_new(BYTES, RECORDS);
    for (uint32_t i = 0; i < BYTES / 64; i++)
        push(r, i, 64 - sizeof(sample));
    ck_assert_uint_eq(ring_count(r), BYTES / 64);
    ck_assert_uint_eq(ring_lost(r), 0);
    push(r, BYTES / 64, 64 - sizeof(sample));
    ck_assert_uint_eq(ring_lost(r), 1);
    check_all(r, BYTES / 64);
    ring_free(r);
}
END_TEST

START_TEST(the_largest_record_pushes_all_others_out)
{
    ring *r = ring_new(BYTES, RECORDS);
    push(r, 0, 10);
    push(r, 1, 10);
    push(r, 2, BYTES - sizeof(sample));
    ck_assert_uint_eq(ring_count(r), 1);
    check_all(r, 2);
    ring_free(r);
}
END_TEST

START_TEST(what_is_dropped_makes_room_and_is_not_lost)
{
    ring *r = ring_new(BYTES, RECORDS);
    for (uint32_t i = 0; i < 4; i++)
        push(r, i, 200);
    ring_drop(r, 3);
    ck_assert_uint_eq(ring_count(r), 1);
    check_all(r, 3);
    for (uint32_t i = 4; i < 7; i++)
        push(r, i, 200);
    ck_assert_uint_eq(ring_lost(r), 0);
    check_all(r, 6);
    ring_drop(r, 4);
    ck_assert_uint_eq(ring_count(r), 0);
    push(r, 7, BYTES - sizeof(sample));
    check_all(r, 7);
    ring_free(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ring");
    TCase *t = tcase_create("ring");
    tcase_add_test(t, a_new_ring_is_empty);
    tcase_add_test(t, the_newest_records_are_whole_and_in_order);
    tcase_add_test(t, no_more_records_are_kept_than_asked_for);
    tcase_add_test(t, a_ring_is_filled_before_anything_gives_way);
    tcase_add_test(t, the_largest_record_pushes_all_others_out);
    tcase_add_test(t, what_is_dropped_makes_room_and_is_not_lost);
    suite_add_tcase(s, t);
    return check_main(s);
}
