/* Views of bytes: comparing, cutting, reading numbers. */
#include "base/span.h"

#include <stdlib.h>

static inline unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return (u >= 'A' && u <= 'Z') ? (unsigned char)(u | 0x20) : u;
}

/* Eight letters at a time: a field name is compared for nearly every field of every request. */
static inline uint64_t lower_word(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t low = w & (ones * 0x7F);
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t after_z = low + ones * (0x7F - 'Z');
    return w | (((from_a ^ after_z) & ~w & (ones * 0x80)) >> 2);
}

bool span_ieq(span a, span b)
{
    if (a.n != b.n)
        return false;
    const size_t word = sizeof(uint64_t);
    size_t i = 0;
    for (; i + word <= a.n; i += word)
        if (lower_word(a.p + i) != lower_word(b.p + i))
            return false;
    for (; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool span_starts(span s, span prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool span_ends(span s, span suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

size_t span_find(span s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

bool span_cut(span *s, char c, span *out_head)
{
    size_t at = span_find(*s, c);
    *out_head = (span){s->p, at};
    if (at == s->n) {
        *s = (span){0};
        return false;
    }
    *s = span_from(*s, at + 1);
    return true;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

span span_trim(span s)
{
    while (s.n && blank(s.p[0]))
        s = span_from(s, 1);
    while (s.n && blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool span_u64(span s, uint64_t max, uint64_t *out_value)
{
    if (s.n == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value) || value > max)
            return false;
    }
    *out_value = value;
    return true;
}

char *span_dup(span s)
{
    char *copy = malloc(s.n + 1);
    if (!copy)
        abort();
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

size_t utf8_length(span s)
{
    static const struct {
        unsigned char lead_from, lead_to, second_from, second_to, length;
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    if (s.n == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)s.p;
    if (p[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].lead_from || p[0] > rows[i].lead_to)
            continue;
        if (s.n < rows[i].length || p[1] < rows[i].second_from || p[1] > rows[i].second_to)
            return 0;
        for (size_t k = 2; k < rows[i].length; k++)
            if (p[k] < 0x80 || p[k] > 0xBF)
                return 0;
        return rows[i].length;
    }
    return 0;
}
