/* What stands between the quotes of a string literal (cel-spec, "String and Bytes Values"). */
#include "cel/internal.h"

typedef struct decoder {
    compiler *c;
    size_t at, end;
    char *out;
    size_t n;
} decoder;

static int digit_of(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F')
        return ch - 'A' + 10;
    return 16;
}

static void put(decoder *d, uint32_t byte)
{
    d->out[d->n++] = (char)(unsigned char)byte;
}

static void put_code_point(decoder *d, uint32_t point)
{
    if (point < 0x80) {
        put(d, point);
    } else if (point < 0x800) {
        put(d, 0xC0 | point >> 6);
        put(d, 0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(d, 0xE0 | point >> 12);
        put(d, 0x80 | (point >> 6 & 0x3F));
        put(d, 0x80 | (point & 0x3F));
    } else {
        put(d, 0xF0 | point >> 18);
        put(d, 0x80 | (point >> 12 & 0x3F));
        put(d, 0x80 | (point >> 6 & 0x3F));
        put(d, 0x80 | (point & 0x3F));
    }
}

/* A code point in so many digits, at d->at. start: of the backslash. */
static bool numeric(decoder *d, size_t start, size_t digits, int base)
{
    uint32_t point = 0;
    for (size_t i = 0; i < digits; i++) {
        const int digit = d->at < d->end ? digit_of(d->c->text.p[d->at]) : 16;
        if (digit >= base)
            return refuse(d->c, start, "this escape needs %zu %s digits", digits,
                          base == 8 ? "octal" : "hexadecimal");
        point = point * (uint32_t)base + (uint32_t)digit;
        d->at++;
    }
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000) || (base == 8 && point > 0xFF))
        return refuse(d->c, start, "this escape is not a character");
    put_code_point(d, point);
    return true;
}

/* d->at: at the backslash. */
static bool escape(decoder *d)
{
    static const char letters[] = "abfnrtv\\?\"'`";
    static const char meanings[] = "\a\b\f\n\r\t\v\\?\"'`";
    const size_t start = d->at++;
    const char ch = d->c->text.p[d->at]; /* there is one: the string would not have ended here */
    const char *known = memchr(letters, ch, sizeof letters - 1);
    if (known) {
        d->at++;
        put(d, (unsigned char)meanings[known - letters]);
        return true;
    }
    if (ch >= '0' && ch <= '7')
        return numeric(d, start, 3, 8);
    d->at++;
    if (ch == 'x' || ch == 'X')
        return numeric(d, start, 2, 16);
    if (ch == 'u')
        return numeric(d, start, 4, 16);
    if (ch == 'U')
        return numeric(d, start, 8, 16);
    return refuse(d->c, start,
                  "CEL does not know this escape; write \\\\ for a backslash, or a raw string: "
                  "r\"…\"");
}

bool lex_decode(compiler *c, size_t at, size_t end, bool raw, span *out)
{
    decoder d = {c, at, end, arena_alloc(c->mem, end - at), 0};
    while (d.at < end) {
        const char ch = c->text.p[d.at];
        if (ch == '\\' && !raw) {
            if (!escape(&d))
                return false;
        } else {
            put(&d, (unsigned char)ch);
            d.at++;
        }
    }
    *out = (span){d.out, d.n};
    return true;
}
