/* A view of somebody else's bytes: never owned, not NUL-terminated; print with %.*s. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct span {
    const char *p;
    size_t n;
} span;

#define SPAN_LIT(literal) ((span){(literal), sizeof(literal) - 1})
#define SPAN_ARG(s)       (int)(s).n, (s).p

/* The bytes of a C string; NULL gives the empty span. */
static inline span span_of(const char *s)
{
    return (span){s, s ? strlen(s) : 0};
}

static inline bool span_eq(span a, span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_eq_str(span a, const char *s)
{
    return span_eq(a, span_of(s));
}

/* ASCII case-insensitive comparisons (HTTP field names, host names, schemes). */
bool span_ieq(span a, span b);
static inline bool span_ieq_str(span a, const char *s)
{
    const span b = span_of(s); /* of a literal: its length is a constant */
    return a.n == b.n && span_ieq(a, b);
}

bool span_starts(span s, span prefix);
bool span_ends(span s, span suffix);

/* Index of the first c, or s.n. */
size_t span_find(span s, char c);

/* Cuts s at the first c: *out_head is before it, *s becomes what follows; false when c is not there
 * (then *out_head is all of s and *s is empty). */
bool span_cut(span *s, char c, span *out_head);

/* Without leading and trailing spaces and tabs. */
span span_trim(span s);

/* The part from index `from` on (from <= s.n). */
static inline span span_from(span s, size_t from)
{
    return (span){s.p + from, s.n - from};
}

/* Decimal digits only, no sign, no blank, no overflow beyond max. */
bool span_u64(span s, uint64_t max, uint64_t *out_value);

/* Length of the well-formed UTF-8 sequence that s begins with (Unicode 15, table 3-7: no overlong
 * forms, no surrogates); 0: none. */
size_t utf8_length(span s);

/* A NUL-terminated copy that the caller frees; never NULL (aborts when memory is gone). */
char *span_dup(span s);

#endif
