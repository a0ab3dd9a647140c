/* Etags: see iam_etag.h. */
#include "control/iam_etag.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/hash.h"
#include "jose/base64.h"

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

etag_verdict etag_compare(span given, span mine)
{
    auto_buf buf a = buf_make(ETAG_BYTES_MAX), b = buf_make(ETAG_BYTES_MAX);
    if (!base64_decode(given, &a) || !buf_ok(&a))
        return ETAG_MALFORMED;
    if (!base64_decode(mine, &b) || !buf_ok(&b))
        return ETAG_OTHER;
    return span_eq(buf_view(&a), buf_view(&b)) ? ETAG_SAME : ETAG_OTHER;
}
