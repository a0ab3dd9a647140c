/* `invoker matrix`: who may invoke what, and by which binding. Each cell is a real decision. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "decision/matrix.h"

#define COMMAND "matrix"
#define GREEN   "\033[32m"
#define RED     "\033[31m"
#define BOLD    "\033[1m"
#define PLAIN   "\033[0m"

enum { TEXT_MAX = 64 * 1024 * 1024, CELL_MAX = 512 };

static void cell_text(buf *b, const decision *d)
{
    auto_buf buf note = buf_make(CELL_MAX);
    matrix_note(&note, d);
    buf_str(b, reason_info(d->reason)->allows ? "yes" : "no");
    if (note.n) {
        buf_str(b, " (");
        buf_span(b, buf_view(&note));
        buf_char(b, ')');
    }
}

/* ---- table and markdown ---- */

static void pad(buf *b, size_t from, size_t width)
{
    for (size_t n = b->n - from; n < width; n++)
        buf_char(b, ' ');
}

static void put_cell(const matrix *m, size_t row, size_t column, size_t width, bool colour, buf *b)
{
    const decision d = matrix_cell(m, row, column);
    if (colour)
        buf_str(b, reason_info(d.reason)->allows ? GREEN : RED);
    const size_t from = b->n;
    cell_text(b, &d);
    pad(b, from, width);
    if (colour)
        buf_str(b, PLAIN);
}

static size_t column_width(const matrix *m, size_t column)
{
    size_t width = strlen(snapshot_service(m->s, column)->name);
    for (size_t row = 0; row < m->rows; row++) {
        auto_buf buf b = buf_make(CELL_MAX);
        const decision d = matrix_cell(m, row, column);
        cell_text(&b, &d);
        width = b.n > width ? b.n : width;
    }
    return width;
}

static size_t caller_width(const matrix *m)
{
    size_t width = 0;
    for (size_t row = 0; row < m->rows; row++) {
        auto_buf buf b = buf_make(CELL_MAX);
        matrix_caller(m, row, &b);
        width = b.n > width ? b.n : width;
    }
    return width;
}

static void put_table(const matrix *m, bool colour, buf *b)
{
    const size_t first = caller_width(m);
    size_t *widths = calloc(m->columns + 1, sizeof *widths);
    if (!widths)
        abort();
    pad(b, b->n, first);
    buf_str(b, colour ? BOLD : "");
    for (size_t c = 0; c < m->columns; c++) {
        widths[c] = column_width(m, c);
        buf_str(b, "  ");
        const size_t from = b->n;
        buf_str(b, snapshot_service(m->s, c)->name);
        pad(b, from, c + 1 < m->columns ? widths[c] : 0);
    }
    buf_str(b, colour ? PLAIN "\n" : "\n");
    for (size_t row = 0; row < m->rows; row++) {
        const size_t from = b->n;
        matrix_caller(m, row, b);
        pad(b, from, first);
        for (size_t c = 0; c < m->columns; c++) {
            buf_str(b, "  ");
            put_cell(m, row, c, c + 1 < m->columns ? widths[c] : 0, colour, b);
        }
        buf_char(b, '\n');
    }
    free(widths);
}

static void put_markdown(const matrix *m, buf *b)
{
    buf_str(b, "| caller |");
    for (size_t c = 0; c < m->columns; c++)
        buf_fmt(b, " %s |", snapshot_service(m->s, c)->name);
    buf_str(b, "\n|---|");
    for (size_t c = 0; c < m->columns; c++)
        buf_str(b, "---|");
    for (size_t row = 0; row < m->rows; row++) {
        buf_str(b, "\n| ");
        matrix_caller(m, row, b);
        buf_str(b, " |");
        for (size_t c = 0; c < m->columns; c++) {
            buf_char(b, ' ');
            put_cell(m, row, c, 0, false, b);
            buf_str(b, " |");
        }
    }
    buf_char(b, '\n');
}

/* ---- JSON ---- */

static void put_verdict(const matrix *m, size_t row, size_t column, buf *b)
{
    const decision d = matrix_cell(m, row, column);
    const reason_row *info = reason_info(d.reason);
    buf_json(b, span_of(snapshot_service(m->s, column)->name));
    buf_fmt(b, ":{\"allowed\":%s,\"reason\":\"%s\"", info->allows ? "true" : "false", info->name);
    if (d.binding) {
        buf_str(b, ",\"member\":");
        buf_json(b, span_of(d.binding->member));
        buf_str(b, ",\"role\":");
        buf_json(b, span_of(d.binding->role));
        buf_fmt(b, ",\"scope\":\"%s\"", d.binding->project_level ? "project" : "service");
    }
    buf_char(b, '}');
}

static void put_json(const matrix *m, buf *b)
{
    buf_str(b, "{\"callers\":[");
    for (size_t row = 0; row < m->rows; row++) {
        const char *email = matrix_email(m, row);
        auto_buf buf name = buf_make(CELL_MAX);
        matrix_caller(m, row, &name);
        buf_str(b, row ? ",{\"caller\":" : "{\"caller\":");
        buf_json(b, buf_view(&name));
        buf_str(b, ",\"email\":");
        if (email)
            buf_json(b, span_of(email));
        else
            buf_str(b, "null");
        buf_str(b, ",\"services\":{");
        for (size_t c = 0; c < m->columns; c++) {
            if (c)
                buf_char(b, ',');
            put_verdict(m, row, c, b);
        }
        buf_str(b, "}}");
    }
    buf_str(b, "]}\n");
}

static int print(const snapshot *s, const char *output)
{
    const matrix m = matrix_of(s, clock_wall_us());
    auto_buf buf b = buf_make(TEXT_MAX);
    if (!output || strcmp(output, "table") == 0)
        put_table(&m, cli_colour(stdout), &b);
    else if (strcmp(output, "markdown") == 0)
        put_markdown(&m, &b);
    else
        put_json(&m, &b);
    if (buf_ok(&b))
        return cli_print(&b, CLI_OK);
    error e = {0};
    error_set(&e, ERR_LIMIT, "%zu callers x %zu services make too large a table; ask 'invoker why'",
              m.rows, m.columns);
    return cli_failed(COMMAND, &e);
}

int cmd_matrix(int argc, char **argv)
{
    const char *config = NULL, *output = NULL;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"output", 'o', CLI_STRING, "FORMAT", "table (default), json or markdown", &output},
        {0},
    };
    char **operands = NULL;
    const int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (operands[0])
        return cli_usage_error(COMMAND, "unexpected operand '%s'", operands[0]);
    if (output && strcmp(output, "table") != 0 && strcmp(output, "json") != 0 &&
        strcmp(output, "markdown") != 0)
        return cli_usage_error(COMMAND, "--output is 'table', 'json' or 'markdown', not '%s'",
                               output);
    snapshot *s = cli_load(cli_config_path(config), NULL);
    if (!s)
        return CLI_USAGE;
    const int printed = print(s, output);
    snapshot_unref(s);
    return printed;
}
