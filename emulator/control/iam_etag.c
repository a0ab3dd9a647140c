/* Etags: see iam_etag.h. */
#include "control/iam_etag.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/hash.h"

enum { ETAG_BYTES_MAX = 64, ETAG_INPUT_MAX = 64 * 1024 * 1024 };

/* The keys are part of the format: the file's policies have the same etag after a restart. */
static uint64_t half(uint64_t key, const buf *b)
{
    const hash_key k = {key, 0x696e766f6b657265U};
    return hash_bytes(k, b->p, b->n);
}

void etag_make(const json_t *value, span salt, char out[ETAG_TEXT])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    auto_free char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    auto_buf buf b = buf_make(ETAG_INPUT_MAX);
    buf_str(&b, text ? text : "");
    buf_char(&b, '\n');
    buf_span(&b, salt);
    uint64_t halves[2] = {half(1, &b), half(2, &b)};
    for (size_t i = 0; i < ETAG_TEXT - 1; i++) {
        uint64_t *from = &halves[i % 2];
        out[i] = digits[*from % (sizeof digits - 1)];
        *from /= sizeof digits - 1;
    }
    out[ETAG_TEXT - 1] = '\0';
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static bool decode(span text, uint8_t out[ETAG_BYTES_MAX], size_t *out_n)
{
    while (text.n > 0 && text.p[text.n - 1] == '=')
        text.n--;
    if (text.n % 4 == 1 || text.n / 4 * 3 + 3 > ETAG_BYTES_MAX)
        return false;
    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        const int v = sextet(text.p[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        if (i % 4 != 0)
            out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *out_n = n;
    return true;
}

etag_verdict etag_compare(span given, span mine)
{
    uint8_t a[ETAG_BYTES_MAX], b[ETAG_BYTES_MAX];
    size_t a_n, b_n;
    if (!decode(given, a, &a_n))
        return ETAG_MALFORMED;
    if (!decode(mine, b, &b_n))
        return ETAG_OTHER;
    return a_n == b_n && memcmp(a, b, a_n) == 0 ? ETAG_SAME : ETAG_OTHER;
}
