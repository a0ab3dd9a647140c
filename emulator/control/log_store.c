/* A ring of lines for each service. */
#include "control/log_store.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/ring.h"

typedef struct stored {
    int64_t time_us, received_us;
    uint64_t serial;
    line_stream stream;
    bool about_loss;
    uint32_t revision_n, text_n;
    char bytes[]; /* revision, text */
} stored;

typedef struct shelf {
    char *service;
    ring *lines;
    uint64_t last; /* the newest line's serial */
} shelf;

struct log_store {
    shelf shelves[STORE_SERVICES_MAX];
    size_t count;
    uint64_t serial;
    uint64_t id; /* tells this store's entries from a former one's */
};

log_store *log_store_new(void)
{
    log_store *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    random_bytes(&s->id, sizeof s->id);
    return s;
}

static void clear(shelf *s)
{
    ring_free(s->lines);
    free(s->service);
    *s = (shelf){0};
}

void log_store_clear(log_store *s)
{
    for (size_t i = 0; i < s->count; i++)
        clear(&s->shelves[i]);
    s->count = 0;
}

void log_store_free(log_store *s)
{
    if (!s)
        return;
    log_store_clear(s);
    free(s);
}

static shelf *find(log_store *s, span name)
{
    for (size_t i = 0; i < s->count; i++)
        if (span_eq_str(name, s->shelves[i].service))
            return &s->shelves[i];
    return NULL;
}

static shelf *silent_longest(log_store *s)
{
    shelf *found = &s->shelves[0];
    for (size_t i = 1; i < s->count; i++)
        if (s->shelves[i].last < found->last)
            found = &s->shelves[i];
    return found;
}

static shelf *shelf_of(log_store *s, span name)
{
    shelf *found = find(s, name);
    if (found)
        return found;
    if (s->count < STORE_SERVICES_MAX) {
        found = &s->shelves[s->count++];
    } else {
        found = silent_longest(s);
        clear(found);
    }
    found->service = span_dup(name);
    found->lines = ring_new(STORE_SERVICE_BYTES, STORE_SERVICE_LINES);
    return found;
}

/* Cut between characters. */
static size_t cut(span text, size_t max)
{
    if (text.n <= max)
        return text.n;
    while (max && ((unsigned char)text.p[max] & 0xC0) == 0x80)
        max--;
    return max;
}

void log_store_add(log_store *s, const container_line *line)
{
    shelf *to = shelf_of(s, line->service);
    const size_t n = cut(line->text, LINE_BYTES_MAX);
    stored *one = ring_push(to->lines, sizeof *one + line->revision.n + n);
    *one = (stored){.time_us = line->time_us,
                    .received_us = line->received_us,
                    .serial = ++s->serial,
                    .stream = line->stream,
                    .about_loss = line->about_loss,
                    .revision_n = (uint32_t)line->revision.n,
                    .text_n = (uint32_t)n};
    if (line->revision.n)
        memcpy(one->bytes, line->revision.p, line->revision.n);
    if (n)
        memcpy(one->bytes + line->revision.n, line->text.p, n);
    to->last = s->serial;
}

static void each_of(const shelf *from, void (*fn)(void *ctx, const container_line *line), void *ctx)
{
    for (size_t i = 0; i < ring_count(from->lines); i++) {
        const stored *one = ring_at(from->lines, i);
        fn(ctx, &(container_line){.time_us = one->time_us,
                                  .received_us = one->received_us,
                                  .serial = one->serial,
                                  .stream = one->stream,
                                  .about_loss = one->about_loss,
                                  .service = span_of(from->service),
                                  .revision = {one->bytes, one->revision_n},
                                  .text = {one->bytes + one->revision_n, one->text_n}});
    }
}

void log_store_each(const log_store *s, span name,
                    void (*fn)(void *ctx, const container_line *line), void *ctx)
{
    for (size_t i = 0; i < s->count; i++)
        if (name.n == 0 || span_ieq(name, span_of(s->shelves[i].service)))
            each_of(&s->shelves[i], fn, ctx);
}

void log_store_insert_id(const log_store *s, const container_line *line, char out[LINE_ID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 8; i++)
        out[i] = digits[s->id >> (4 * i) & 15];
    for (size_t i = 0; i < LINE_ID_LEN - 8; i++)
        out[LINE_ID_LEN - 1 - i] = digits[line->serial >> (4 * i) & 15];
    out[LINE_ID_LEN] = '\0';
}
