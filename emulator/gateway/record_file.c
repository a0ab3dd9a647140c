/* Locked with flock(2), so that a second process is told and not mixed in; lines that were written
 * in part are cut off again. */
#include "gateway/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"

enum { MODE = 0600, PATH_TEXT_MAX = 4096 + 16 };

struct record_file {
    char *path;
    uint64_t bytes_max;
    unsigned keep;
    int fd; /* -1: the last attempt to open it failed */
    uint64_t size;
};

static bool check(record_file *f, int fd, error *e)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return error_errno(e, "cannot look at %s", f->path);
    if (!S_ISREG(about.st_mode))
        return error_set(e, ERR_INVALID, "%s is no plain file", f->path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? error_set(e, ERR_EXISTS, "another process writes to %s", f->path)
                   : error_errno(e, "cannot lock %s", f->path);
    f->size = (uint64_t)about.st_size;
    return true;
}

static void close_fd(record_file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}

/* O_NONBLOCK: a pipe without a reader is an error and not a wait; plain files do not care. */
static bool open_fd(record_file *f, error *e)
{
    close_fd(f);
    const int fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, MODE);
    if (fd < 0)
        return error_errno(e, "cannot open %s", f->path);
    if (!check(f, fd, e)) {
        (void)close(fd);
        return false;
    }
    f->fd = fd;
    return true;
}

record_file *record_file_open(const record_file_options *o, error *e)
{
    record_file *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    *f = (record_file){.path = span_dup(span_of(o->path)),
                       .bytes_max = o->bytes_max,
                       .keep = o->keep < RECORD_FILE_KEEP_MAX ? o->keep : RECORD_FILE_KEEP_MAX,
                       .fd = -1};
    if (open_fd(f, e))
        return f;
    record_file_close(f);
    return NULL;
}

void record_file_close(record_file *f)
{
    if (!f)
        return;
    close_fd(f);
    free(f->path);
    free(f);
}

/* ---- rotation ---- */

static char *numbered(const record_file *f, unsigned i)
{
    auto_buf buf b = buf_make(PATH_TEXT_MAX);
    buf_str(&b, f->path);
    if (i)
        buf_fmt(&b, ".%u", i);
    return buf_take(&b);
}

static bool move(const record_file *f, unsigned from, error *e)
{
    auto_free char *before = numbered(f, from);
    auto_free char *after = numbered(f, from + 1);
    if (!before || !after)
        return error_set(e, ERR_LIMIT, "the name %s is too long", f->path);
    if (rename(before, after) == 0 || errno == ENOENT)
        return true;
    return error_errno(e, "cannot rename %s to %s", before, after);
}

static bool rotate(record_file *f, error *e)
{
    if (f->keep == 0) {
        if (unlink(f->path) != 0 && errno != ENOENT)
            return error_errno(e, "cannot remove %s", f->path);
        return open_fd(f, e);
    }
    for (unsigned i = f->keep; i-- > 0;)
        if (!move(f, i, e))
            return false;
    return open_fd(f, e);
}

bool record_file_reopen(record_file *f, error *e)
{
    struct stat now, ours;
    if (f->fd >= 0 && stat(f->path, &now) == 0 && fstat(f->fd, &ours) == 0 &&
        now.st_dev == ours.st_dev && now.st_ino == ours.st_ino)
        return true;
    return open_fd(f, e);
}

/* ---- writing ---- */

static bool write_all(record_file *f, span lines, error *e)
{
    while (lines.n) {
        const ssize_t put = write(f->fd, lines.p, lines.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return error_errno(e, "cannot write to %s", f->path);
        lines = span_from(lines, (size_t)put);
    }
    return true;
}

bool record_file_write(record_file *f, span lines, error *e)
{
    if (f->fd < 0 && !open_fd(f, e))
        return false;
    if (f->size && lines.n > f->bytes_max - (f->size < f->bytes_max ? f->size : f->bytes_max) &&
        !rotate(f, e))
        return false;
    if (write_all(f, lines, e)) {
        f->size += lines.n;
        return true;
    }
    if (ftruncate(f->fd, (off_t)f->size) != 0)
        (void)error_wrap(e, "and a line was cut");
    return false;
}
