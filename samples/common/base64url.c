#include "base64url.h"

#include <stdint.h>
#include <string.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool base64url_encode(text *out, const void *bytes, size_t size)
{
    const unsigned char *in = bytes;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < size; i++) {
        bits = (bits << 8) | in[i];
        held += 8;
        for (; held >= 6; held -= 6) {
            if (!text_add(out, &ALPHABET[(bits >> (held - 6)) & 63U], 1)) {
                return false;
            }
        }
    }
    return held == 0 || text_add(out, &ALPHABET[(bits << (6 - held)) & 63U], 1);
}

bool base64url_decode(text *out, const char *encoded, size_t size)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < size; i++) {
        const char *at = encoded[i] ? strchr(ALPHABET, encoded[i]) : NULL;
        if (!at) {
            return false;
        }
        bits = (bits << 6) | (uint32_t)(at - ALPHABET);
        held += 6;
        if (held < 8) {
            continue;
        }
        held -= 8;
        const unsigned char byte = (unsigned char)((bits >> held) & 255U);
        if (!text_add(out, &byte, 1)) {
            return false;
        }
    }
    return size % 4 != 1 && (bits & ((1U << held) - 1U)) == 0;
}
