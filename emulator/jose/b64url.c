/* base64url without padding; one spelling per byte string, so that a token has one form only. */
#include "jose/b64url.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { FOREIGN = 0xFF };

/* Value of each character; FOREIGN has the two top bits set, which no value has. */
static const uint8_t VALUES[256] = {
#define ROW4(v)  (v), (v) + 1, (v) + 2, (v) + 3
#define ROW16(v) ROW4(v), ROW4((v) + 4), ROW4((v) + 8), ROW4((v) + 12)
#define BAD4     FOREIGN, FOREIGN, FOREIGN, FOREIGN
#define BAD16    BAD4, BAD4, BAD4, BAD4
    BAD16,    BAD16, BAD4,    BAD4,    BAD4,    FOREIGN, 62,      FOREIGN,  FOREIGN,   ROW4(52),
    ROW4(56), 60,    61,      FOREIGN, FOREIGN, BAD4,    FOREIGN, ROW16(0), ROW4(16),  ROW4(20),
    24,       25,    FOREIGN, FOREIGN, FOREIGN, FOREIGN, 63,      FOREIGN,  ROW16(26), ROW4(42),
    ROW4(46), 50,    51,      FOREIGN, FOREIGN, FOREIGN, FOREIGN, FOREIGN,  BAD16,     BAD16,
    BAD16,    BAD16, BAD16,   BAD16,   BAD16,   BAD16};

void b64url_encode(buf *b, const void *p, size_t n)
{
    const uint8_t *in = p;
    char quad[4];
    size_t i = 0;
    for (; i + 3 <= n; i += 3) {
        quad[0] = ALPHABET[in[i] >> 2];
        quad[1] = ALPHABET[(in[i] & 3) << 4 | in[i + 1] >> 4];
        quad[2] = ALPHABET[(in[i + 1] & 15) << 2 | in[i + 2] >> 6];
        quad[3] = ALPHABET[in[i + 2] & 63];
        buf_add(b, quad, 4);
    }
    if (i == n)
        return;
    const uint8_t second = i + 1 < n ? in[i + 1] : 0;
    quad[0] = ALPHABET[in[i] >> 2];
    quad[1] = ALPHABET[(in[i] & 3) << 4 | second >> 4];
    quad[2] = ALPHABET[(second & 15) << 2];
    buf_add(b, quad, n - i + 1);
}

/* The last two or three characters; their spare bits must be zero. */
static bool decode_tail(const uint8_t *in, size_t n, uint8_t *out)
{
    const uint8_t a = VALUES[in[0]];
    const uint8_t b = VALUES[in[1]];
    const uint8_t c = n == 3 ? VALUES[in[2]] : 0;
    if ((a | b | c) & 0xC0)
        return false;
    if (n == 2 ? b & 15 : c & 3)
        return false;
    out[0] = (uint8_t)(a << 2 | b >> 4);
    if (n == 3)
        out[1] = (uint8_t)(b << 4 | c >> 2);
    return true;
}

bool b64url_decode(span text, uint8_t *out, size_t *out_n)
{
    const uint8_t *in = (const uint8_t *)text.p;
    const size_t tail = text.n % 4;
    if (tail == 1)
        return false;
    const size_t whole = text.n - tail;
    uint8_t *at = out;
    for (size_t i = 0; i < whole; i += 4) {
        const uint32_t a = VALUES[in[i]];
        const uint32_t b = VALUES[in[i + 1]];
        const uint32_t c = VALUES[in[i + 2]];
        const uint32_t d = VALUES[in[i + 3]];
        if ((a | b | c | d) & 0xC0)
            return false;
        *at++ = (uint8_t)(a << 2 | b >> 4);
        *at++ = (uint8_t)(b << 4 | c >> 2);
        *at++ = (uint8_t)(c << 6 | d);
    }
    if (tail && !decode_tail(in + whole, tail, at))
        return false;
    *out_n = whole / 4 * 3 + (tail ? tail - 1 : 0);
    return true;
}
