/* The folder of keys: who may read it, what lies in it, who writes. A key exists from the moment
 * its .pem has its name; its certificate is there before that, its end of overlap comes after. */
#include <dirent.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "jose/keystore_internal.h"

static void close_dir(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

static char *key_path(const char *dir, const char *kid, const char *suffix)
{
    char name[KID_TEXT + 8];
    (void)snprintf(name, sizeof name, "%s%s", kid, suffix);
    return file_join(dir, name);
}

/* "e01a" + 36 hex digits + suffix; everything else in the folder is somebody else's. */
static bool is_key_file(const char *name, const char *suffix, char kid[KID_TEXT])
{
    const size_t n = KID_TEXT - 1;
    if (strlen(name) != n + strlen(suffix) || strcmp(name + n, suffix) != 0 ||
        strncmp(name, KID_MARK, sizeof KID_MARK - 1) != 0 || strspn(name, "0123456789abcdef") < n)
        return false;
    memcpy(kid, name, n);
    kid[n] = '\0';
    return true;
}

static bool tighten(const char *dir, bool may_mend, error *e)
{
    struct stat st;
    if (stat(dir, &st) != 0 && errno == ENOENT)
        return error_set(e, ERR_NOT_FOUND,
                         "keys folder %s: is not there; make it with: invoker keys init --keys %s",
                         dir, dir);
    if (stat(dir, &st) != 0)
        return error_errno(e, "keys folder %s", dir);
    if (!S_ISDIR(st.st_mode))
        return error_set(e, ERR_INVALID, "keys folder %s: is a file, expected a folder", dir);
    if ((st.st_mode & 077) == 0 || (may_mend && chmod(dir, 0700) == 0))
        return true;
    if ((st.st_mode & 022) == 0)
        return true; /* others see the names, but neither read nor plant a key */
    return error_set(e, ERR_PERMISSION,
                     "keys folder %s: others may write to it (mode %04o); mend with: chmod 700 %s",
                     dir, (unsigned)(st.st_mode & 07777), dir);
}

bool key_folder_prepare(const char *dir, bool create, error *e)
{
    if (create && !file_mkdirs(dir, 0700, e))
        return error_wrap(e, "keys folder");
    return tighten(dir, create, e);
}

int key_folder_lock(const char *dir, error *e)
{
    const int fd = file_lock_folder(dir, e);
    if (fd < 0)
        (void)error_wrap(e, "keys folder");
    return fd;
}

/* 0 when there is no such file. */
static bool read_until(const char *dir, const char *kid, int64_t *out, error *e)
{
    auto_free char *path = key_path(dir, kid, ".until");
    *out = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    size_t n = 0;
    auto_free char *text = file_read(path, 64, &n, e);
    if (!text)
        return false;
    span digits = {text, n};
    while (digits.n && digits.p[digits.n - 1] == '\n')
        digits.n--;
    uint64_t seconds = 0;
    if (!span_u64(digits, INT64_MAX, &seconds) || seconds == 0)
        return error_set(e, ERR_INVALID,
                         "%s: expected seconds since 1970; mend with: rm %s (and rotate again)",
                         path, path);
    *out = (int64_t)seconds;
    return true;
}

/* NULL with e->kind ERR_NONE when there is none. */
static char *read_certificate_file(const char *dir, const char *kid, size_t *out_n, error *e)
{
    auto_free char *path = key_path(dir, kid, ".crt");
    *out_n = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return NULL;
    return file_read(path, KEY_FILE_MAX, out_n, e);
}

static void forget(char *secret, size_t n)
{
    if (secret)
        OPENSSL_cleanse(secret, n);
    free(secret);
}

static bool load_key(const char *dir, const char *kid, signing_key *out, error *e)
{
    auto_free char *path = key_path(dir, kid, ".pem");
    struct stat st;
    if (stat(path, &st) != 0)
        return error_errno(e, "%s", path);
    if (!file_check_private(path, e))
        return false;
    error inner = {0};
    size_t certificate_n = 0;
    auto_free char *certificate = read_certificate_file(dir, kid, &certificate_n, &inner);
    if (!certificate && inner.kind != ERR_NONE)
        return error_set(e, inner.kind, "%s", inner.text);
    size_t n = 0;
    char *pem = file_read(path, KEY_FILE_MAX, &n, e);
    if (!pem)
        return false;
    const bool parsed = signing_key_parse(out, (span){pem, n}, (span){certificate, certificate_n},
                                          (int64_t)st.st_mtim.tv_sec, e);
    forget(pem, n);
    if (!parsed)
        return error_wrap(e, "%s (mend: move it away; a new key is made by `invoker keys rotate`)",
                          path);
    if (strcmp(out->kid, kid) != 0)
        return error_set(e, ERR_INVALID,
                         "%s: holds another key than its name says; mend with: rm %s", path, path);
    return true;
}

static bool take_file(const char *dir, const char *kid, int64_t now_s, signing_keys *out, error *e)
{
    int64_t until_s = 0;
    if (!read_until(dir, kid, &until_s, e))
        return false;
    if (until_s && until_s <= now_s)
        return true;
    if (out->count == KEYS_MAX)
        return error_set(e, ERR_LIMIT, "keys folder %s: more than %d keys", dir, KEYS_MAX);
    signing_key *k = &out->items[out->count++];
    *k = (signing_key){0};
    if (!load_key(dir, kid, k, e))
        return false;
    k->until_s = until_s;
    return true;
}

static int newest_first(const void *va, const void *vb)
{
    const signing_key *a = va;
    const signing_key *b = vb;
    if ((a->until_s == 0) != (b->until_s == 0))
        return a->until_s == 0 ? -1 : 1;
    if (a->created_s != b->created_s)
        return a->created_s > b->created_s ? -1 : 1;
    return strcmp(a->kid, b->kid);
}

void signing_keys_clear(signing_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        signing_key_clear(&keys->items[i]);
    keys->count = 0;
}

bool key_folder_load(const char *dir, int64_t now_s, signing_keys *out, error *e)
{
    out->count = 0;
    AUTO(close_dir) DIR *d = opendir(dir);
    if (!d)
        return error_errno(e, "keys folder %s", dir);
    const struct dirent *entry;
    char kid[KID_TEXT];
    while ((entry = readdir(d)) != NULL) {
        if (is_key_file(entry->d_name, ".pem", kid) && !take_file(dir, kid, now_s, out, e)) {
            signing_keys_clear(out);
            return false;
        }
    }
    qsort(out->items, out->count, sizeof out->items[0], newest_first);
    return true;
}

bool key_folder_add(const char *dir, const signing_key *k, error *e)
{
    auto_free char *crt = key_path(dir, k->kid, ".crt");
    auto_free char *pem = key_path(dir, k->kid, ".pem");
    size_t n = 0;
    char *text = signing_key_private_pem(k, &n, e);
    if (!text)
        return false;
    const bool added = file_replace(crt, k->certificate, strlen(k->certificate), 0600, e) &&
                       file_replace(pem, text, n, 0600, e);
    OPENSSL_clear_free(text, n);
    return added;
}

bool key_folder_retire(const char *dir, const char *kid, int64_t until_s, error *e)
{
    auto_free char *path = key_path(dir, kid, ".until");
    char text[32];
    const int n = snprintf(text, sizeof text, "%lld\n", (long long)until_s);
    return file_replace(path, text, (size_t)n, 0600, e);
}

/* The key goes first: without it the other two mean nothing. */
static bool remove_key(const char *dir, const char *kid, error *e)
{
    static const char *const suffixes[] = {".pem", ".crt", ".until"};
    for (size_t i = 0; i < countof(suffixes); i++) {
        auto_free char *path = key_path(dir, kid, suffixes[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return error_errno(e, "%s: cannot remove", path);
    }
    return true;
}

bool key_folder_prune(const char *dir, int64_t now_s, error *e)
{
    AUTO(close_dir) DIR *d = opendir(dir);
    if (!d)
        return error_errno(e, "keys folder %s", dir);
    const struct dirent *entry;
    char kid[KID_TEXT];
    while ((entry = readdir(d)) != NULL) {
        int64_t until_s = 0;
        if (!is_key_file(entry->d_name, ".until", kid))
            continue;
        if (!read_until(dir, kid, &until_s, e))
            return false;
        if (until_s && until_s <= now_s && !remove_key(dir, kid, e))
            return false;
    }
    return true;
}
