/* base64, strict when written and lenient when read, as ProtoJSON is. */
#include "jose/base64.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(buf *b, const void *p, size_t n)
{
    const uint8_t *in = p;
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint8_t second = left > 1 ? in[i + 1] : 0;
        const uint8_t third = left > 2 ? in[i + 2] : 0;
        char quad[4] = {ALPHABET[in[i] >> 2], ALPHABET[(in[i] & 3) << 4 | second >> 4], '=', '='};
        if (left > 1)
            quad[2] = ALPHABET[(second & 15) << 2 | third >> 6];
        if (left > 2)
            quad[3] = ALPHABET[third & 63];
        buf_add(b, quad, sizeof quad);
    }
}

static int value_of(char c)
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

/* Padding fills the last four up, or is not there at all. */
static bool without_padding(span *text)
{
    size_t n = text->n;
    while (n && text->n - n < 2 && text->p[n - 1] == '=')
        n--;
    if (n < text->n && text->n % 4)
        return false;
    text->n = n;
    return n % 4 != 1;
}

bool base64_decode(span text, buf *b)
{
    if (!without_padding(&text))
        return false;
    unsigned bits = 0;
    int count = 0;
    for (size_t i = 0; i < text.n; i++) {
        const int value = value_of(text.p[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (unsigned)value) & 0xFFFFFF;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf_char(b, (char)(bits >> count & 0xFF));
        }
    }
    return true;
}
