/* The list of problems: bounded, without duplicates, printable whatever the file contained. */
#include "config/diag.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

typedef struct entry {
    diagnostic d;
    size_t file_rank, seq;
} entry;

struct diag_sink {
    entry entries[DIAG_MAX];
    size_t count;
    char **files;
    size_t file_count, file_cap;
    char suggestion[160];
};

diag_sink *diag_new(void)
{
    diag_sink *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    return d;
}

void diag_free(diag_sink *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++) {
        free(d->entries[i].d.file);
        free(d->entries[i].d.text);
    }
    for (size_t i = 0; i < d->file_count; i++)
        free(d->files[i]);
    free(d->files);
    free(d);
}

static size_t file_rank(diag_sink *d, const char *file)
{
    for (size_t i = 0; i < d->file_count; i++)
        if (strcmp(d->files[i], file) == 0)
            return i;
    if (d->file_count == d->file_cap) {
        d->file_cap = d->file_cap ? d->file_cap * 2 : 8;
        d->files = realloc(d->files, d->file_cap * sizeof *d->files);
        if (!d->files)
            abort();
    }
    d->files[d->file_count] = span_dup(span_of(file));
    return d->file_count++;
}

void diag_file(diag_sink *d, const char *file)
{
    (void)file_rank(d, file);
}

/* A file's text is shown on terminals: control characters (C0, DEL, and C1 as UTF-8 writes them)
 * must not act there. */
static char *printable(span s)
{
    auto_buf buf b = buf_make((size_t)4 * DIAG_TEXT_MAX);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned char next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        if (c == 0xC2 && next >= 0x80 && next < 0xA0)
            c = (unsigned char)s.p[++i];
        else if (c >= 0x20 && c != 0x7F) {
            buf_char(&b, (char)c);
            continue;
        }
        buf_fmt(&b, "\\x%02X", c);
    }
    char *text = buf_take(&b);
    return text ? text : span_dup(SPAN_LIT("?"));
}

static bool known(const diag_sink *d, place where, size_t rank, const char *text)
{
    for (size_t i = 0; i < d->count; i++) {
        const entry *e = &d->entries[i];
        if (e->d.line == where.line && e->d.column == where.column && e->file_rank == rank &&
            strcmp(e->d.text, text) == 0)
            return true;
    }
    return false;
}

void diag_at(diag_sink *d, place where, const char *fmt, ...)
{
    if (diag_full(d))
        return;
    char raw[DIAG_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    auto_free char *text = printable(span_of(raw));
    const char *file = where.file ? where.file : "-";
    size_t rank = file_rank(d, file);
    if (known(d, where, rank, text))
        return;
    d->entries[d->count] = (entry){
        .d = {span_dup(span_of(file)), where.line, where.column, TAKE(text)},
        .file_rank = rank,
        .seq = d->count,
    };
    d->count++;
}

size_t diag_count(const diag_sink *d)
{
    return d->count;
}

bool diag_full(const diag_sink *d)
{
    return d->count == DIAG_MAX;
}

static int three_way(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int in_file_order(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    int order = three_way(a->file_rank, b->file_rank);
    if (order == 0)
        order = three_way(a->d.line, b->d.line);
    if (order == 0)
        order = three_way(a->d.column, b->d.column);
    return order ? order : three_way(a->seq, b->seq);
}

void diag_finish(diag_sink *d, diagnostics *out)
{
    *out = (diagnostics){0};
    if (d->count == 0)
        return;
    qsort(d->entries, d->count, sizeof d->entries[0], in_file_order);
    out->items = calloc(d->count, sizeof *out->items);
    if (!out->items)
        abort();
    for (size_t i = 0; i < d->count; i++)
        out->items[i] = d->entries[i].d;
    out->count = d->count;
    d->count = 0;
}

const char *diag_suggest(diag_sink *d, span word, const char *const *candidates)
{
    const char *near = diag_full(d) ? NULL : did_you_mean(word, candidates);
    if (!near)
        return "";
    (void)snprintf(d->suggestion, sizeof d->suggestion, "; did you mean '%.120s'?", near);
    return d->suggestion;
}

void diagnostics_free(diagnostics *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].file);
        free(d->items[i].text);
    }
    free(d->items);
    *d = (diagnostics){0};
}

void diagnostics_print(const diagnostics *d, buf *b)
{
    for (size_t i = 0; i < d->count; i++) {
        const diagnostic *item = &d->items[i];
        buf_fmt(b, "%s:%u:%u: %s\n", item->file, item->line, item->column, item->text);
    }
}
