/* A tally as JSON. */
#include <stdlib.h>

#include "base/clock.h"
#include "gateway/tally.h"

static void add_time(buf *b, const char *key, int64_t wall_us)
{
    char text[CLOCK_RFC3339_MAX];
    clock_rfc3339(wall_us, 6, text);
    buf_fmt(b, "\"%s\":\"%s\"", key, text);
}

static void add_text(buf *b, const char *key, span value)
{
    buf_fmt(b, "\"%s\":", key);
    buf_json(b, value);
    buf_char(b, ',');
}

static void add_decision(buf *b, const counts_cell *cell)
{
    const reason_row *row = reason_info(tally_reason(cell));
    buf_char(b, '{');
    add_text(b, "service", counts_text(cell, 0));
    add_text(b, "caller", counts_text(cell, 1));
    add_text(b, "reason", span_of(row->name));
    buf_fmt(b, "\"allowed\":%s,\"enforced\":%s,\"count\":%llu,", row->allows ? "true" : "false",
            tally_enforced(cell) ? "true" : "false", (unsigned long long)cell->count);
    add_time(b, "first", cell->first_us);
    buf_char(b, ',');
    add_time(b, "last", cell->last_us);
    buf_char(b, '}');
}

static void add_binding(buf *b, const counts_cell *cell)
{
    static const char *const keys[COUNTS_TEXTS] = {"member", "role", "on", "at"};
    buf_char(b, '{');
    for (size_t i = 0; i < COUNTS_TEXTS; i++)
        add_text(b, keys[i], counts_text(cell, i));
    buf_fmt(b, "\"count\":%llu}", (unsigned long long)cell->count);
}

static void add_cells(buf *b, const counts *c, void (*add)(buf *b, const counts_cell *cell))
{
    const counts_cell **all = counts_sorted(c);
    buf_char(b, '[');
    for (size_t i = 0; i < counts_size(c); i++) {
        if (i)
            buf_char(b, ',');
        add(b, all[i]);
    }
    buf_char(b, ']');
    free(all);
}

void tally_json(const tally *t, buf *out)
{
    buf_char(out, '{');
    add_time(out, "since", tally_since_us(t));
    buf_str(out, ",\"cells\":");
    add_cells(out, tally_decisions(t), add_decision);
    buf_str(out, ",\"bindings\":");
    add_cells(out, tally_bindings(t), add_binding);
    buf_fmt(out, ",\"overflow\":%llu}", (unsigned long long)tally_overflow(t));
}
