/* Lines in, decisions out. */
#include "cli/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "cli/control_client.h"

enum { CHUNK = 64 * 1024, GATEWAY_LIMIT = 1000, NAME_BYTES_MAX = 8 * 1024 };

typedef struct seen_file {
    dev_t device;
    ino_t number;
} seen_file;

/* One call's worth of reading. */
typedef struct reading {
    recording *out;
    seen_file *seen;
    size_t seen_count, seen_cap;
} reading;

/* ---- one decision ---- */

static bool take(recording *r, const json_t *one, error *e)
{
    recorded d;
    if (!recorded_read(one, &d, e))
        return false;
    r->decisions += !r->looking;
    const bool ok = r->looking ? r->look(r->ctx, &d, e) : r->take(r->ctx, &d, e);
    recorded_free(&d);
    return ok;
}

/* A decision, or {"decisions": […]} with the newest first, as the gateway answers. */
/* The newest comes first. */
static bool take_list(recording *r, const json_t *list, error *e)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (!take(r, json_array_get(list, i), e))
            return false;
    return true;
}

static bool take_value(recording *r, const json_t *value, error *e)
{
    const json_t *list = json_object_get(value, "decisions");
    return json_is_array(list) ? take_list(r, list, e) : take(r, value, e);
}

static bool is_blank(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r", s.p[i]) || s.p[i] == '\0')
            return false;
    return true;
}

/* is_last: nothing ends it, so it may be half of one. */
static bool take_line(recording *r, span text, bool is_last, const char *at, error *e)
{
    json_error_t why;
    if (is_blank(text))
        return true;
    json_auto_t *value = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (value)
        return take_value(r, value, e) || error_wrap(e, "%s", at);
    if (is_last) {
        r->cut += !r->looking;
        (void)snprintf(r->cut_at, sizeof r->cut_at, "%s", at);
        return true;
    }
    return error_set(e, ERR_INVALID, "%s: no JSON: %.200s", at, why.text);
}

/* ---- files ---- */

static bool too_long(const char *name, size_t line, error *e)
{
    return error_set(e, ERR_LIMIT, "%s:%zu: the line has more than %d bytes", name, line,
                     RECORDING_LINE_MAX);
}

/* All whole lines of the buffer; *line counts on. */
static bool take_lines(recording *r, buf *b, const char *name, size_t *line, error *e)
{
    size_t taken = 0;
    for (;;) {
        const span rest = {b->p + taken, b->n - taken};
        const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        if (!end)
            break;
        char at[512];
        const span text = {rest.p, (size_t)(end - rest.p)};
        (void)snprintf(at, sizeof at, "%s:%zu", name, ++*line);
        if (text.n > RECORDING_LINE_MAX)
            return too_long(name, *line, e);
        if (!take_line(r, text, false, at, e))
            return false;
        taken += text.n + 1;
    }
    buf_drop(b, &taken, 0);
    return true;
}

static bool read_descriptor(recording *r, int fd, const char *name, error *e)
{
    auto_buf buf b = buf_make(RECORDING_LINE_MAX + CHUNK);
    char chunk[CHUNK], at[512];
    size_t line = 0;
    for (;;) {
        const ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(e, "cannot read %s", name);
        if (got == 0)
            break;
        buf_add(&b, chunk, (size_t)got);
        if (!take_lines(r, &b, name, &line, e))
            return false;
        if (b.n > RECORDING_LINE_MAX)
            return too_long(name, line + 1, e);
    }
    (void)snprintf(at, sizeof at, "%s:%zu", name, line + 1);
    return take_line(r, buf_view(&b), true, at, e);
}

/* true: it was read before. */
static bool is_again(reading *g, const struct stat *st)
{
    for (size_t i = 0; i < g->seen_count; i++)
        if (g->seen[i].device == st->st_dev && g->seen[i].number == st->st_ino)
            return true;
    g->seen = array_room(g->seen, g->seen_count, &g->seen_cap, sizeof *g->seen);
    g->seen[g->seen_count++] = (seen_file){st->st_dev, st->st_ino};
    return false;
}

static bool read_open(reading *g, int fd, const char *name, error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_errno(e, "cannot read %s", name);
    if (S_ISREG(st.st_mode) && is_again(g, &st))
        return true;
    return read_descriptor(g->out, fd, name, e);
}

static bool read_file(reading *g, const char *name, error *e)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(e, "cannot open %s", name);
    const bool ok = read_open(g, fd, name, e);
    (void)close(fd);
    return ok;
}

static char *rotated_name(const char *path, size_t i)
{
    auto_buf buf b = buf_make(NAME_BYTES_MAX);
    buf_fmt(&b, "%s.%zu", path, i);
    return buf_ok(&b) ? buf_take(&b) : span_dup((span){0});
}

static bool is_there(const char *name)
{
    struct stat st;
    return stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

static bool read_path(reading *g, const char *path, error *e)
{
    size_t count = 0;
    if (strcmp(path, "-") == 0)
        return read_open(g, STDIN_FILENO, "standard input", e);
    while (count < RECORDING_ROTATED_MAX) {
        auto_free char *name = rotated_name(path, count + 1);
        if (!is_there(name))
            break;
        count++;
    }
    for (; count; count--) {
        auto_free char *name = rotated_name(path, count);
        if (!read_file(g, name, e))
            return false;
    }
    return read_file(g, path, e);
}

static bool read_once(recording *r, char *const *paths, error *e)
{
    reading g = {.out = r};
    bool ok = true;
    for (size_t i = 0; ok && paths[i]; i++)
        ok = i < RECORDING_FILES_MAX
                 ? read_path(&g, paths[i], e)
                 : error_set(e, ERR_LIMIT, "more than %d recordings", RECORDING_FILES_MAX);
    free(g.seen);
    return ok;
}

/* What comes by a pipe comes once: the rest of standard input is moved to a file that can be read
 * again. */
static bool spool(error *e)
{
    char chunk[CHUNK];
    FILE *f = tmpfile();
    if (!f)
        return error_errno(e, "cannot keep standard input");
    bool ok = true;
    for (size_t got; ok && (got = fread(chunk, 1, sizeof chunk, stdin)) > 0;)
        ok = fwrite(chunk, 1, got, f) == got;
    ok = ok && !ferror(stdin) && fflush(f) == 0 && lseek(fileno(f), 0, SEEK_SET) == 0 &&
         dup2(fileno(f), STDIN_FILENO) == STDIN_FILENO;
    if (!ok)
        error_errno(e, "cannot keep standard input");
    (void)fclose(f);
    return ok;
}

static bool has_standard_input(char *const *paths)
{
    for (; *paths; paths++)
        if (strcmp(*paths, "-") == 0)
            return true;
    return false;
}

/* As far as is needed to read all of it twice. */
static bool look_first(recording *r, char *const *paths, error *e)
{
    const bool piped = has_standard_input(paths);
    const off_t begin = piped ? lseek(STDIN_FILENO, 0, SEEK_CUR) : 0;
    if (piped && begin < 0 && !spool(e))
        return false;
    r->looking = true;
    const bool ok = read_once(r, paths, e);
    r->looking = false;
    if (piped && lseek(STDIN_FILENO, begin < 0 ? 0 : begin, SEEK_SET) < 0)
        return error_errno(e, "cannot read standard input again");
    return ok;
}

bool recording_read_files(recording *r, char *const *paths, error *e)
{
    return (!r->look || look_first(r, paths, e)) && read_once(r, paths, e);
}

bool recording_read(recording *r, const char *path, error *e)
{
    char *name = span_dup(span_of(path));
    char *const list[] = {name, NULL};
    const bool ok = recording_read_files(r, list, e);
    free(name);
    return ok;
}

/* ---- a running gateway ---- */

bool recording_read_gateway(recording *r, const char *control, error *e)
{
    char query[32];
    (void)snprintf(query, sizeof query, "limit=%d", GATEWAY_LIMIT);
    json_auto_t *list = control_decisions(control, query, e);
    if (!list)
        return false;
    r->is_incomplete = json_array_size(list) == GATEWAY_LIMIT;
    r->looking = r->look != NULL;
    const bool looked = !r->looking || take_list(r, list, e);
    r->looking = false;
    return (looked && take_list(r, list, e)) || error_wrap(e, "%s", control);
}

void recording_say_gaps(const recording *r, const char *command)
{
    if (r->cut)
        fprintf(stderr, "invoker %s: %s: the line ends before it is whole, and was left out\n",
                command, r->cut_at);
    if (r->is_incomplete)
        fprintf(stderr,
                "invoker %s: these are the last %zu calls; the gateway tells no more at a time\n",
                command, r->decisions);
}
