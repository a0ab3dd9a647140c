/* Minting identity tokens. The memory is direct-mapped: one look, one comparison, no list to keep.
 */
#include "metadata/identity.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/hash.h"
#include "metadata/answer.h"

enum {
    SLOTS = 256,
    SIGNATURE_MAX = 1024,
    PAYLOAD_MAX = 6 * AUDIENCE_MAX + 1024,
    REFRESH_US =
        50 * 1000 /* a look at the keys' folder costs a system call, so not for each token */
};

typedef struct slot {
    int64_t second;
    const account *account;
    char *query;
    size_t query_n;
    http_answer *answer;
} slot;

struct identity {
    keystore *keys;
    clock_source clock;
    hash_key key;
    int64_t refreshed_us;
    slot slots[SLOTS];
};

/* UTF-8 without NUL. */
static bool is_text(span s)
{
    while (s.n) {
        size_t n = utf8_length(s);
        if (!n || !s.p[0])
            return false;
        s = span_from(s, n);
    }
    return true;
}

static bool is_blank(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r\n", s.p[i]) || !s.p[i])
            return false;
    return true;
}

audience_fault identity_audience(span query, buf *out)
{
    span raw;
    if (!http_query_find(query, "audience", &raw))
        return AUDIENCE_EMPTY;
    http_percent_decode(raw, true, out);
    if (!buf_ok(out))
        return AUDIENCE_LONG;
    if (is_blank(buf_view(out)))
        return AUDIENCE_EMPTY;
    return is_text(buf_view(out)) ? AUDIENCE_FINE : AUDIENCE_NOT_TEXT;
}

const char *audience_fault_text(audience_fault f)
{
    switch (f) {
    case AUDIENCE_FINE:
        return "";
    case AUDIENCE_EMPTY:
        return "non-empty audience parameter required";
    case AUDIENCE_LONG:
        return "audience parameter is longer than 8192 bytes";
    case AUDIENCE_NOT_TEXT:
        return "audience parameter is not UTF-8 text";
    }
    abort();
}

identity *identity_open(keystore *keys, clock_source clock)
{
    identity *i = calloc(1, sizeof *i);
    if (!i)
        abort();
    i->keys = keys;
    i->clock = clock;
    i->key = hash_key_random();
    return i;
}

static void clear(slot *s)
{
    http_answer_unref(s->answer);
    free(s->query);
    *s = (slot){0};
}

void identity_forget(identity *i)
{
    for (size_t n = 0; n < SLOTS; n++)
        clear(&i->slots[n]);
}

void identity_close(identity *i)
{
    if (!i)
        return;
    identity_forget(i);
    free(i);
}

static slot *slot_of(identity *i, const account *a, span query)
{
    uint64_t h = hash_bytes(i->key, query.p, query.n) ^ ((uintptr_t)a >> 4);
    return &i->slots[h % SLOTS];
}

http_answer *identity_recall(identity *i, const account *a, span query)
{
    slot *s = slot_of(i, a, query);
    if (!s->answer || s->account != a || !span_eq((span){s->query, s->query_n}, query))
        return NULL;
    return s->second == clock_now_s(i->clock) ? s->answer : NULL;
}

/* Another process may have rotated the keys. A clock that was set back counts as time gone by. */
static bool keys_are_current(identity *i, error *e)
{
    const int64_t now = clock_now_us(i->clock);
    if (i->refreshed_us <= now && now < i->refreshed_us + REFRESH_US)
        return true;
    if (!keystore_refresh(i->keys, e))
        return false;
    i->refreshed_us = now;
    return true;
}

char *identity_sign_jwt(identity *i, span payload, error *e)
{
    return keys_are_current(i, e) ? keystore_sign_jwt(i->keys, payload, e) : NULL;
}

char *identity_token(identity *i, const id_token_claims *c, error *e)
{
    auto_buf buf payload = buf_make(PAYLOAD_MAX);
    id_token_payload(&payload, c);
    if (buf_ok(&payload))
        return identity_sign_jwt(i, buf_view(&payload), e);
    error_set(e, ERR_LIMIT, "the claims are longer than %d bytes", PAYLOAD_MAX);
    return NULL;
}

bool identity_sign_bytes(identity *i, span bytes, buf *out, error *e)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t n = 0;
    if (!keys_are_current(i, e) || !keystore_sign(i->keys, bytes.p, bytes.n, signature, &n, e))
        return false;
    buf_add(out, signature, n);
    return true;
}

const char *identity_kid(const identity *i)
{
    for (size_t k = 0; k < keystore_count(i->keys); k++) {
        const key_info info = keystore_info(i->keys, k);
        if (info.signing)
            return info.kid;
    }
    abort(); /* a store without a key that signs does not open */
}

http_answer *identity_mint(identity *i, const account *a, int64_t lifetime_s, span audience,
                           span query, error *e)
{
    const int64_t now = clock_now_s(i->clock);
    const id_token_claims claims = {.audience = audience,
                                    .email = span_of(a->email),
                                    .unique_id = span_of(a->unique_id),
                                    .iat_s = now,
                                    .lifetime_s = lifetime_s};
    auto_free char *token = identity_token(i, &claims, e);
    if (!token)
        return NULL;
    slot *s = slot_of(i, a, query);
    clear(s);
    *s = (slot){.second = now,
                .account = a,
                .query = span_dup(query),
                .query_n = query.n,
                .answer = answer_prepare("text/html", span_of(token))};
    return s->answer;
}
