/* Bytes in, lines out. */
#include "cli/lesson_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 4096, CHUNK = 512 };

struct reader {
    loop *loop;
    loop_watch watch;
    buf bytes;
    bool ended;
};

static void on_bytes(loop_watch *w, uint32_t events)
{
    reader *r = container_of(w, reader, watch);
    char chunk[CHUNK];
    (void)events;
    const ssize_t got = read(w->fd, chunk, sizeof chunk);
    if (got > 0) {
        buf_add(&r->bytes, chunk, (size_t)got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        r->ended = true;
        loop_del(r->loop, w);
    }
}

reader *reader_open(loop *l)
{
    if (isatty(STDIN_FILENO) != 1)
        return NULL;
    reader *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    *r = (reader){.loop = l, .bytes = buf_make(LINE_BYTES_MAX)};
    r->watch = (loop_watch){.ready = on_bytes, .fd = STDIN_FILENO};
    if (loop_add(l, &r->watch, EPOLLIN, NULL))
        return r;
    reader_close(r);
    return NULL;
}

void reader_close(reader *r)
{
    if (!r)
        return;
    loop_del(r->loop, &r->watch);
    buf_free(&r->bytes);
    free(r);
}

bool reader_line(reader *r, buf *out)
{
    if (!buf_ok(&r->bytes))
        buf_clear(&r->bytes); /* nobody means that as an answer */
    const span all = buf_view(&r->bytes);
    size_t n = span_find(all, '\n');
    if (n == all.n)
        return false;
    buf_span(out, span_trim((span){all.p, n}));
    n++;
    buf_drop(&r->bytes, &n, 1);
    return true;
}

bool reader_ended(const reader *r)
{
    return r->ended;
}
