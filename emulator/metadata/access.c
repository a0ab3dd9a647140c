/* The access tokens that are in force. Few accounts and scope sets, so a short list with hashes to
 * compare first. */
#include "metadata/access.h"

#include <stdlib.h>

#include "base/hash.h"
#include "jose/b64url.h"

enum { TOKEN_BYTES = 96, TOKEN_TEXT_MAX = 256 };

typedef struct entry {
    access_token t;
    uint64_t owner_hash; /* of e-mail and scopes */
    uint64_t token_hash;
    char *token, *email, *unique_id, *client, *scopes;
    bool again; /* the metadata server may hand it out again */
} entry;

struct access_book {
    hash_key key;
    entry *entries;
    size_t count, capacity;
    void (*minted)(void *ctx, const char *email); /* nullable */
    void *ctx;
};

access_book *access_open(void)
{
    access_book *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->key = hash_key_random();
    return a;
}

static void clear(entry *e)
{
    /* Each entry owns its texts; the analyser loses track when entries move. */
    free(e->token); /* NOLINT(clang-analyzer-unix.Malloc) */
    free(e->email);
    free(e->unique_id);
    free(e->client);
    free(e->scopes);
}

void access_close(access_book *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        clear(&a->entries[i]);
    free(a->entries);
    free(a);
}

void access_tell(access_book *a, void (*minted)(void *ctx, const char *email), void *ctx)
{
    a->minted = minted;
    a->ctx = ctx;
}

static int by_text(const void *a, const void *b)
{
    const span *x = a;
    const span *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

bool access_scopes(span wanted, char separator, buf *out)
{
    span list[ACCESS_SCOPES_MAX];
    size_t n = 0;
    while (wanted.n) {
        span one;
        (void)span_cut(&wanted, separator, &one);
        one = span_trim(one);
        if (one.n == 0)
            continue;
        if (n == ACCESS_SCOPES_MAX)
            return false;
        list[n++] = one;
    }
    if (n == 0)
        list[n++] = SPAN_LIT(ACCESS_DEFAULT_SCOPE);
    qsort(list, n, sizeof *list, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i && span_eq(list[i], list[i - 1]))
            continue;
        buf_str(out, i ? " " : "");
        buf_span(out, list[i]);
    }
    return buf_ok(out);
}

static uint64_t owner_hash(const access_book *a, const char *email, span scopes)
{
    return hash_bytes(a->key, email, strlen(email)) * 31 + hash_bytes(a->key, scopes.p, scopes.n);
}

static void drop(access_book *a, size_t i)
{
    clear(&a->entries[i]);
    a->entries[i] = a->entries[--a->count];
}

/* Makes room: what has expired goes first, else what expires soonest. */
static void make_room(access_book *a, int64_t now_s)
{
    size_t soonest = 0;
    for (size_t i = 0; i < a->count;) {
        if (a->entries[i].t.expires_s <= now_s) {
            drop(a, i);
            continue;
        }
        if (a->entries[i].t.expires_s < a->entries[soonest].t.expires_s)
            soonest = i;
        i++;
    }
    if (a->count == ACCESS_TOKENS_MAX)
        drop(a, soonest < a->count ? soonest : 0);
    if (a->count < a->capacity)
        return;
    a->capacity = a->capacity ? a->capacity * 2 : 16;
    a->entries = realloc(a->entries, a->capacity * sizeof *a->entries);
    if (!a->entries)
        abort();
}

static char *new_token(void)
{
    unsigned char bytes[TOKEN_BYTES];
    random_bytes(bytes, sizeof bytes);
    buf b = buf_make(TOKEN_TEXT_MAX);
    buf_str(&b, "ya29.c.");
    b64url_encode(&b, bytes, sizeof bytes);
    return buf_take(&b);
}

static const access_token *add(access_book *a, const access_grant *g, bool again, int64_t now_s)
{
    make_room(a, now_s);
    entry *e = &a->entries[a->count++];
    char *token = new_token();
    *e = (entry){.token = token,
                 .email = span_dup(span_of(g->email)),
                 .unique_id = span_dup(span_of(g->unique_id)),
                 .client = span_dup(span_of(g->client)),
                 .scopes = span_dup(g->scopes),
                 .again = again,
                 .owner_hash = owner_hash(a, g->email, g->scopes)};
    e->token_hash = hash_bytes(a->key, token, strlen(token));
    if (a->minted)
        a->minted(a->ctx, g->email);
    e->t = (access_token){token, e->email, e->unique_id, e->client, e->scopes, g->expires_s};
    return &e->t;
}

static bool belongs(const entry *e, const access_grant *g, uint64_t hash, bool again)
{
    return e->again == again && e->owner_hash == hash && strcmp(e->email, g->email) == 0 &&
           strcmp(e->unique_id, g->unique_id) == 0 && strcmp(e->client, g->client) == 0 &&
           span_eq_str(g->scopes, e->scopes);
}

const access_token *access_get(access_book *a, const char *email, const char *unique_id,
                               span scopes, int64_t lifetime_s, int64_t now_s)
{
    /* A new token says 3599, as Google's do: a second is spent on the way. */
    const int64_t life = lifetime_s > 1 ? lifetime_s - 1 : 1;
    const access_grant g = {email, unique_id, unique_id, scopes, now_s + life};
    const uint64_t hash = owner_hash(a, email, scopes);
    for (size_t i = 0; i < a->count; i++) {
        const entry *e = &a->entries[i];
        if (belongs(e, &g, hash, true) && e->t.expires_s - now_s > ACCESS_REMINT_S)
            return &e->t;
    }
    return add(a, &g, true, now_s);
}

const access_token *access_mint(access_book *a, const access_grant *g, int64_t now_s)
{
    const uint64_t hash = owner_hash(a, g->email, g->scopes);
    for (size_t i = 0; i < a->count; i++) {
        const entry *e = &a->entries[i];
        if (belongs(e, g, hash, false) && e->t.expires_s == g->expires_s)
            return &e->t;
    }
    return add(a, g, false, now_s);
}

const access_token *access_find(access_book *a, span token, int64_t now_s)
{
    const uint64_t hash = hash_bytes(a->key, token.p, token.n);
    for (size_t i = 0; i < a->count; i++) {
        const entry *e = &a->entries[i];
        if (e->token_hash == hash && span_eq_str(token, e->token) && e->t.expires_s > now_s)
            return &e->t;
    }
    return NULL;
}

void access_json(const access_token *t, int64_t now_s, buf *out)
{
    buf_fmt(out, "{\"access_token\":\"%s\",\"expires_in\":%lld,\"token_type\":\"Bearer\"}",
            t->token, (long long)(t->expires_s - now_s));
}

void access_text(const access_token *t, int64_t now_s, buf *out)
{
    buf_fmt(out, "access_token %s\nexpires_in %lld\ntoken_type Bearer\n", t->token,
            (long long)(t->expires_s - now_s));
}
