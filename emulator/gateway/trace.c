/* Parsing is strict: a context that is not exactly one is replaced, never passed on. */
#include "gateway/trace.h"

#include <string.h>

#include "base/hash.h"

ids ids_new(void)
{
    ids i;
    random_bytes(&i, sizeof i);
    i.state[0] |= 1; /* all zero would stay so */
    return i;
}

static uint64_t rotl(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

/* xoshiro256++ (Blackman & Vigna 2019). */
uint64_t ids_next(ids *i)
{
    uint64_t *s = i->state;
    uint64_t result = rotl(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

void ids_hex(char *out, size_t n, uint64_t value)
{
    for (size_t i = n; i-- > 0; value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
}

/* Copies 32 hex digits in lower case; false when they are not that, or all zero. */
static bool take_id(char out[TRACE_ID_LEN + 1], span s)
{
    if (s.n != TRACE_ID_LEN)
        return false;
    bool any = false;
    for (size_t i = 0; i < TRACE_ID_LEN; i++) {
        char c = s.p[i];
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        any |= c != '0';
        out[i] = c;
    }
    out[TRACE_ID_LEN] = '\0';
    return any;
}

/* TRACE_ID[/SPAN_ID][;o=OPTIONS] */
static bool from_cloud(trace *t, span value)
{
    span head;
    span options = value;
    (void)span_cut(&options, ';', &head);
    span id;
    uint64_t span_id = 0;
    if (span_cut(&head, '/', &id) && !span_u64(head, UINT64_MAX, &span_id))
        return false;
    if (!take_id(t->id, id))
        return false;
    t->sampled = span_eq(options, SPAN_LIT("o=1"));
    return true;
}

/* 00-TRACE_ID-PARENT_ID-FLAGS (W3C Trace Context, section 3.2) */
static bool from_parent(trace *t, span value)
{
    if (value.n != 55 || !span_starts(value, SPAN_LIT("00-")) || value.p[35] != '-' ||
        value.p[52] != '-')
        return false;
    if (!take_id(t->id, (span){value.p + 3, TRACE_ID_LEN}))
        return false;
    t->sampled = ((unsigned char)value.p[54] & 1) != 0;
    return true;
}

void trace_begin(trace *t, ids *i, span cloud, span parent)
{
    t->sampled = false;
    t->span_id = ids_next(i);
    if ((cloud.n && from_cloud(t, cloud)) || (parent.n && from_parent(t, parent)))
        return;
    t->sampled = false;
    ids_hex(t->id, 16, ids_next(i));
    ids_hex(t->id + 16, 16, ids_next(i));
    t->id[TRACE_ID_LEN] = '\0';
}

static size_t decimal(char *out, uint64_t value)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

static size_t put(char *out, const char *s, size_t n)
{
    memcpy(out, s, n);
    return n;
}

span trace_cloud(const trace *t, char out[TRACE_TEXT_MAX])
{
    size_t n = put(out, t->id, TRACE_ID_LEN);
    out[n++] = '/';
    n += decimal(out + n, t->span_id);
    n += put(out + n, t->sampled ? ";o=1" : ";o=0", 4);
    return (span){out, n};
}

span trace_parent(const trace *t, char out[TRACE_TEXT_MAX])
{
    size_t n = put(out, "00-", 3);
    n += put(out + n, t->id, TRACE_ID_LEN);
    out[n++] = '-';
    ids_hex(out + n, 16, t->span_id);
    n += 16;
    n += put(out + n, t->sampled ? "-01" : "-00", 3);
    return (span){out, n};
}

span trace_response(const trace *t, char out[TRACE_TEXT_MAX])
{
    size_t n = put(out, t->id, TRACE_ID_LEN);
    if (t->sampled)
        n += put(out + n, ";o=1", 4);
    return (span){out, n};
}
