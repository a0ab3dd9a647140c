/* Whole files, atomically. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"

enum { PATH_TEXT_MAX = 4096, NONCE_DIGITS = 16 };

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* Reads on until the end or past max bytes (a pipe or /proc file has no size to ask for). */
static bool read_all(int fd, buf *b, error *e, const char *path)
{
    char chunk[16384];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(e, "%s: cannot read", path);
        if (got == 0)
            return true;
        buf_add(b, chunk, (size_t)got);
        if (!buf_ok(b))
            return error_set(e, ERR_LIMIT, "%s: larger than the %zu bytes that are read", path,
                             b->max);
    }
}

char *file_read(const char *path, size_t max, size_t *out_n, error *e)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_errno(e, "%s: cannot open", path);
        return NULL;
    }
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        error_set(e, ERR_INVALID, "%s: is a folder, not a file", path);
        return NULL;
    }
    if (S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size > max) {
        error_set(e, ERR_LIMIT, "%s: %lld bytes, more than the %zu that are read", path,
                  (long long)st.st_size, max);
        return NULL;
    }
    auto_buf buf b = buf_make(max);
    if (!read_all(fd, &b, e, path))
        return NULL;
    size_t n = b.n;
    char *text = buf_take(&b);
    if (out_n)
        *out_n = n;
    return text;
}

static bool write_all(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += put;
        n -= (size_t)put;
    }
    return true;
}

/* A finished temporary file beside path; its name is left in tmp. */
static bool write_beside(const char *path, const void *p, size_t n, mode_t mode, bool synced,
                         char tmp[PATH_TEXT_MAX], error *e)
{
    uint64_t nonce;
    random_bytes(&nonce, sizeof nonce);
    int length = snprintf(tmp, PATH_TEXT_MAX, "%s.%0*llx.tmp", path, NONCE_DIGITS,
                          (unsigned long long)nonce);
    if (length < 0 || length >= PATH_TEXT_MAX)
        return error_set(e, ERR_LIMIT, "%s: path too long", path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return error_errno(e, "%s: cannot write", path);
    bool written = write_all(fd, p, n) && (!synced || fsync(fd) == 0);
    int saved = errno;
    written = close(fd) == 0 && written;
    if (written)
        return true;
    (void)unlink(tmp);
    errno = saved;
    return error_errno(e, "%s: cannot write", path);
}

/* Makes the new name itself durable; best effort, some file systems refuse. */
static void sync_folder(const char *path)
{
    auto_free char *dir = file_dirname(path);
    AUTO(close_fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd);
}

static bool replace(const char *path, const void *p, size_t n, mode_t mode, bool synced, error *e)
{
    char tmp[PATH_TEXT_MAX];
    if (!write_beside(path, p, n, mode, synced, tmp, e))
        return false;
    if (rename(tmp, path) != 0) {
        error_errno(e, "%s: cannot replace", path);
        (void)unlink(tmp);
        return false;
    }
    if (synced)
        sync_folder(path);
    return true;
}

bool file_replace(const char *path, const void *p, size_t n, mode_t mode, error *e)
{
    return replace(path, p, n, mode, true, e);
}

bool file_replace_lazily(const char *path, const void *p, size_t n, mode_t mode, error *e)
{
    return replace(path, p, n, mode, false, e);
}

bool file_create(const char *path, const void *p, size_t n, mode_t mode, error *e)
{
    char tmp[PATH_TEXT_MAX];
    if (!write_beside(path, p, n, mode, true, tmp, e))
        return false;
    bool linked = link(tmp, path) == 0;
    if (!linked)
        error_errno(e, "%s: cannot create", path);
    (void)unlink(tmp);
    if (linked)
        sync_folder(path);
    return linked;
}

bool file_mkdirs(const char *path, mode_t mode, error *e)
{
    char part[PATH_TEXT_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return error_set(e, ERR_INVALID, "folder name is empty or too long");
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return error_errno(e, "%s: cannot make the folder", part);
        if (i < n)
            part[i] = '/';
    }
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return error_set(e, ERR_INVALID, "%s: is there already and is not a folder", path);
    return true;
}

int file_lock_folder(const char *dir, error *e)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        error_errno(e, "%s", dir);
        return -1;
    }
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        error_errno(e, "%s: cannot lock", dir);
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool file_check_private(const char *path, error *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_errno(e, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(e, ERR_INVALID, "%s: is not a plain file", path);
    if (st.st_mode & 077)
        return error_set(
            e, ERR_PERMISSION,
            "%s: others may read this private key (mode %04o); mend with: chmod 600 %s", path,
            (unsigned)(st.st_mode & 07777), path);
    return true;
}

char *file_join(const char *dir, const char *name)
{
    if (name[0] == '/')
        return span_dup(span_of(name));
    auto_buf buf b = buf_make(2 * (size_t)PATH_TEXT_MAX);
    buf_str(&b, dir);
    if (b.n == 0 || b.p[b.n - 1] != '/')
        buf_char(&b, '/');
    buf_str(&b, name);
    char *joined = buf_take(&b);
    return joined ? joined : span_dup(span_of(name));
}

char *file_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return span_dup(SPAN_LIT("."));
    if (slash == path)
        return span_dup(SPAN_LIT("/"));
    return span_dup((span){path, (size_t)(slash - path)});
}

/* NAME.16 hex digits.tmp, as write_beside names them */
static bool is_left_over(const char *entry, span name)
{
    span digits = span_of(entry), hex = SPAN_LIT("0123456789abcdef");
    const span suffix = SPAN_LIT(".tmp");
    if (!span_starts(digits, name) || digits.n != name.n + 1 + NONCE_DIGITS + suffix.n ||
        digits.p[name.n] != '.' || strcmp(entry + digits.n - suffix.n, suffix.p) != 0)
        return false;
    digits = (span){entry + name.n + 1, NONCE_DIGITS};
    for (size_t i = 0; i < digits.n; i++)
        if (!memchr(hex.p, digits.p[i], hex.n))
            return false;
    return true;
}

void file_sweep(const char *path)
{
    auto_free char *dir = file_dirname(path);
    const char *slash = strrchr(path, '/');
    const span name = span_of(slash ? slash + 1 : path);
    DIR *d = opendir(dir);
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (is_left_over(entry->d_name, name))
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        (void)closedir(d);
}

char *file_state_path(const char *name)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    const bool stated = state && *state == '/';
    if (!stated && !(home && *home))
        return NULL;
    auto_free char *below = file_join(stated ? "invoker" : ".local/state/invoker", name);
    return file_join(stated ? state : home, below);
}
