/* The store that the metadata process and the commands hold: keys, their published documents, the
 * signature. */
#include "jose/keystore.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "jose/b64url.h"
#include "jose/keystore_internal.h"

enum {
    DOCUMENT_MAX = 1024 * 1024,
    TOKEN_TEXT_MAX = 128 * 1024,
    OVERLAP_MAX_S = 10 * 366 * 86400,
    /* Folder times advance with the kernel's tick: a change right after a scan may leave the same
     * time behind, so a scan of a folder this young is not relied upon. */
    SETTLED_MS = 100
};

struct keystore {
    char *dir;
    clock_source clock;
    signing_keys *keys;
    buf jwks, pem_map;
    struct timespec folder_time; /* as it was before the scan */
    bool settled;
};

static void keys_free(signing_keys *keys)
{
    if (keys)
        signing_keys_clear(keys);
    free(keys);
}
static void keys_auto(signing_keys **p)
{
    keys_free(*p);
}
static void close_lock(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static signing_keys *keys_new(void)
{
    signing_keys *keys = calloc(1, sizeof *keys);
    if (!keys)
        abort();
    return keys;
}

static bool write_jwks(const signing_keys *keys, buf *b, error *e)
{
    buf_str(b, "{\"keys\":[");
    for (size_t i = 0; i < keys->count; i++) {
        if (i)
            buf_char(b, ',');
        if (!signing_key_jwk(&keys->items[i], b, e))
            return false;
    }
    buf_str(b, "]}");
    return true;
}

static void write_pem_map(const signing_keys *keys, buf *b)
{
    buf_char(b, '{');
    for (size_t i = 0; i < keys->count; i++) {
        buf_fmt(b, "%s\"%s\":", i ? "," : "", keys->items[i].kid);
        buf_json(b, span_of(keys->items[i].certificate));
    }
    buf_char(b, '}');
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool old_enough(struct timespec folder)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const int64_t age_ms =
        (now.tv_sec - folder.tv_sec) * 1000 + (now.tv_nsec - folder.tv_nsec) / 1000000;
    return age_ms < 0 || age_ms > SETTLED_MS;
}

/* Reads the folder; the store changes only when all of it could be read. */
static bool scan(keystore *k, error *e)
{
    struct stat st;
    if (stat(k->dir, &st) != 0)
        return error_errno(e, "keys folder %s", k->dir);
    AUTO(keys_auto) signing_keys *keys = keys_new();
    if (!key_folder_load(k->dir, clock_now_s(k->clock), keys, e))
        return false;
    auto_buf buf jwks_text = buf_make(DOCUMENT_MAX);
    auto_buf buf pem_text = buf_make(DOCUMENT_MAX);
    if (!write_jwks(keys, &jwks_text, e))
        return false;
    write_pem_map(keys, &pem_text);
    keys_free(k->keys);
    k->keys = TAKE(keys);
    const buf old_jwks = k->jwks;
    const buf old_pem = k->pem_map;
    k->jwks = jwks_text;
    k->pem_map = pem_text;
    jwks_text = old_jwks;
    pem_text = old_pem;
    k->folder_time = st.st_mtim;
    k->settled = old_enough(st.st_mtim);
    return true;
}

static bool no_signing_key(const keystore *k, error *e)
{
    return error_set(e, ERR_NOT_FOUND,
                     "keys folder %s: no signing key; make one with: invoker keys init --keys %s",
                     k->dir, k->dir);
}

static bool can_sign(const keystore *k)
{
    return k->keys->count && k->keys->items[0].until_s == 0;
}

/* The caller holds the folder's lock. */
static bool add_key_locked(const keystore *k, error *e)
{
    signing_key fresh;
    const bool added =
        signing_key_generate(&fresh, clock_now_s(k->clock), e) && key_folder_add(k->dir, &fresh, e);
    signing_key_clear(&fresh);
    return added;
}

static bool make_first_key(keystore *k, error *e)
{
    AUTO(close_lock) int lock = key_folder_lock(k->dir, e);
    if (lock < 0 || !scan(k, e))
        return false;
    if (can_sign(k))
        return true; /* another process was faster */
    return add_key_locked(k, e) && scan(k, e);
}

static bool fill(keystore *k, bool create, error *e)
{
    if (!key_folder_prepare(k->dir, create, e) || !scan(k, e))
        return false;
    if (can_sign(k))
        return true;
    if (create)
        return make_first_key(k, e);
    return no_signing_key(k, e);
}

keystore *keystore_open(const char *dir, bool create, clock_source clock, error *e)
{
    keystore *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    k->dir = span_dup(span_of(dir));
    k->clock = clock;
    k->jwks = buf_make(DOCUMENT_MAX);
    k->pem_map = buf_make(DOCUMENT_MAX);
    if (fill(k, create, e))
        return k;
    keystore_close(k);
    return NULL;
}

void keystore_close(keystore *k)
{
    if (!k)
        return;
    keys_free(k->keys);
    buf_free(&k->jwks);
    buf_free(&k->pem_map);
    free(k->dir);
    free(k);
}

static bool some_key_ended(const keystore *k)
{
    const int64_t now_s = clock_now_s(k->clock);
    for (size_t i = 0; i < k->keys->count; i++)
        if (k->keys->items[i].until_s && k->keys->items[i].until_s <= now_s)
            return true;
    return false;
}

bool keystore_refresh(keystore *k, error *e)
{
    struct stat st;
    if (stat(k->dir, &st) != 0)
        return error_errno(e,
                           "keys folder %s (if it is gone, make it again with: invoker keys init "
                           "--keys %s)",
                           k->dir, k->dir);
    if (k->settled && same_time(st.st_mtim, k->folder_time) && !some_key_ended(k))
        return true;
    return scan(k, e);
}

size_t keystore_count(const keystore *k)
{
    return k->keys->count;
}

key_info keystore_info(const keystore *k, size_t i)
{
    const signing_key *key = &k->keys->items[i];
    return (key_info){
        .kid = key->kid,
        .created_s = key->created_s,
        .published_until_s = key->until_s,
        .signing = i == 0 && key->until_s == 0,
    };
}

/* The new key is there before the old ones end, so that somebody can always sign. */
static bool rotate_locked(keystore *k, int64_t overlap_s, error *e)
{
    const int64_t now_s = clock_now_s(k->clock);
    if (!key_folder_prune(k->dir, now_s, e) || !scan(k, e) || !add_key_locked(k, e))
        return false;
    for (size_t i = 0; i < k->keys->count; i++) {
        const signing_key *old = &k->keys->items[i];
        if (old->until_s == 0 && !key_folder_retire(k->dir, old->kid, now_s + overlap_s, e))
            return false;
    }
    return scan(k, e);
}

bool keystore_rotate(keystore *k, int64_t overlap_s, error *e)
{
    if (overlap_s < 0 || overlap_s > OVERLAP_MAX_S)
        return error_set(e, ERR_INVALID, "overlap of %lld seconds: expected 0 to %d",
                         (long long)overlap_s, OVERLAP_MAX_S);
    AUTO(close_lock) int lock = key_folder_lock(k->dir, e);
    return lock >= 0 && rotate_locked(k, overlap_s, e);
}

span keystore_jwks(const keystore *k)
{
    return buf_view(&k->jwks);
}

span keystore_pem_map(const keystore *k)
{
    return buf_view(&k->pem_map);
}

bool keystore_sign(const keystore *k, const void *p, size_t n, uint8_t *out, size_t *out_n,
                   error *e)
{
    if (!can_sign(k))
        return no_signing_key(k, e);
    return signing_key_sign(&k->keys->items[0], (span){p, n}, out, out_n, e);
}

char *keystore_sign_jwt(const keystore *k, span payload_json, error *e)
{
    auto_buf buf token = buf_make(TOKEN_TEXT_MAX);
    if (can_sign(k))
        buf_str(&token, k->keys->items[0].jwt_header);
    b64url_encode(&token, payload_json.p, payload_json.n);
    if (!buf_ok(&token)) {
        error_set(e, ERR_LIMIT, "a payload of %zu bytes is more than a token holds",
                  payload_json.n);
        return NULL;
    }
    uint8_t signature[1024];
    size_t n = 0;
    if (!keystore_sign(k, token.p, token.n, signature, &n, e))
        return NULL;
    buf_char(&token, '.');
    b64url_encode(&token, signature, n);
    char *text = buf_take(&token);
    if (!text)
        error_set(e, ERR_LIMIT, "the token is too long");
    return text;
}

char *keystore_public_pem(const keystore *k, error *e)
{
    return signing_key_public_pem(&k->keys->items[0], e);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *keystore_default_dir(const char *explicit_dir, const char *from_topology)
{
    if (explicit_dir && *explicit_dir)
        return span_dup(span_of(explicit_dir));
    if (from_topology && *from_topology)
        return span_dup(span_of(from_topology));
    if (is_folder("keys"))
        return span_dup(SPAN_LIT("keys"));
    char *own = file_state_path("keys");
    return own ? own : span_dup(SPAN_LIT("keys"));
}
