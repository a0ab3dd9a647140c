/* Parsing is strict: a context that is not exactly one is replaced, never passed on. */
#include "gateway/trace.h"

#include <string.h>

#include "base/hash.h"

enum { CLOUD_OPTIONS_MAX = 3 };

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

/* ";o=" and a bit field of which the lowest says whether the request is traced. */
static bool take_options(trace *t, span options)
{
    uint64_t bits = 0;
    if (options.n && (!span_starts(options, SPAN_LIT("o=")) ||
                      !span_u64(span_from(options, 2), CLOUD_OPTIONS_MAX, &bits)))
        return false;
    t->sampled = bits & 1;
    return true;
}

/* TRACE_ID[/SPAN_ID][;o=OPTIONS] ("Trace context", Cloud Trace docs) */
static bool from_cloud(trace *t, span value)
{
    span head;
    span options = value;
    (void)span_cut(&options, ';', &head);
    span id;
    uint64_t span_id = 0;
    if (span_cut(&head, '/', &id) && !span_u64(head, UINT64_MAX, &span_id))
        return false;
    return take_id(t->id, id) && take_options(t, options);
}

static int lower_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* All of them lower-case hexadecimal digits, not all of them zero. */
static bool is_w3c_id(span s)
{
    bool any = false;
    for (size_t i = 0; i < s.n; i++) {
        if (lower_hex(s.p[i]) < 0)
            return false;
        any |= s.p[i] != '0';
    }
    return any;
}

/* VERSION-TRACE_ID-PARENT_ID-FLAGS (W3C Trace Context, sections 3.2 and 3.2.4): of a version to
 * come the beginning is the same, and more may follow behind a dash. */
static bool from_parent(trace *t, span value)
{
    enum { ID_AT = 3, PARENT_AT = 36, PARENT_LEN = 16, FLAGS_AT = 53, LEN = 55 };
    if (value.n < LEN || value.p[2] != '-' || value.p[PARENT_AT - 1] != '-' ||
        value.p[FLAGS_AT - 1] != '-')
        return false;
    const bool first_version = span_starts(value, SPAN_LIT("00"));
    const bool ends = value.n == LEN || (!first_version && value.p[LEN] == '-');
    if (!ends || lower_hex(value.p[0]) < 0 || lower_hex(value.p[1]) < 0 ||
        span_starts(value, SPAN_LIT("ff")))
        return false;
    const span id = {value.p + ID_AT, TRACE_ID_LEN};
    const int high = lower_hex(value.p[FLAGS_AT]);
    const int low = lower_hex(value.p[FLAGS_AT + 1]);
    if (!is_w3c_id(id) || !is_w3c_id((span){value.p + PARENT_AT, PARENT_LEN}) || high < 0 ||
        low < 0)
        return false;
    memcpy(t->id, id.p, TRACE_ID_LEN);
    t->id[TRACE_ID_LEN] = '\0';
    t->sampled = low & 1;
    return true;
}

void trace_begin(trace *t, ids *i, span cloud, span parent)
{
    *t = (trace){.span_id = ids_next(i)};
    trace of_parent = *t;
    const bool has_parent = parent.n && from_parent(&of_parent, parent);
    if (cloud.n && from_cloud(t, cloud)) {
        t->continues_parent = has_parent && memcmp(t->id, of_parent.id, TRACE_ID_LEN) == 0;
        return;
    }
    if (has_parent) {
        *t = of_parent;
        t->continues_parent = true;
        return;
    }
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
