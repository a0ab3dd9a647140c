/* `invoker matrix`: who may invoke what, and by which binding. Each cell is a real decision. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "decision/explain.h"

#define COMMAND "matrix"
#define GREEN   "\033[32m"
#define RED     "\033[31m"
#define BOLD    "\033[1m"
#define PLAIN   "\033[0m"

enum { TEXT_MAX = 64 * 1024 * 1024, CELL_MAX = 512 };

typedef struct sheet {
    const snapshot *s;
    int64_t now_us;
    size_t accounts, users, rows, columns;
} sheet;

static sheet sheet_of(const snapshot *s, int64_t now_us)
{
    sheet h = {.s = s, .now_us = now_us};
    h.accounts = snapshot_account_count(s);
    h.users = snapshot_user_count(s);
    h.columns = snapshot_service_count(s);
    h.rows = h.accounts + h.users + 1;
    return h;
}

/* The last row is whoever comes without a token: e-mail NULL. */
static const char *caller_email(const sheet *h, size_t row)
{
    if (row < h->accounts)
        return snapshot_account(h->s, row)->email;
    return row < h->accounts + h->users ? snapshot_user(h->s, row - h->accounts) : NULL;
}

static void caller_name(const sheet *h, size_t row, buf *b)
{
    const char *email = caller_email(h, row);
    principal p;
    if (snapshot_principal(h->s, email, NULL, &p))
        explain_caller(b, h->s, &p);
    else
        buf_str(b, "anonymous");
}

/* The decision about a flawless request from inside. */
static decision judge(const sheet *h, size_t row, size_t column)
{
    const service *svc = snapshot_service(h->s, column);
    const char *const aud[] = {svc->url};
    const claims c = {.iss = "https://accounts.google.com",
                      .email = caller_email(h, row),
                      .aud = aud,
                      .aud_count = 1,
                      .has_exp = true,
                      .has_iat = true,
                      .exp_s = h->now_us / 1000000 + 1,
                      .iat_s = h->now_us / 1000000};
    const request_facts f = {.service = svc,
                             .internal = true,
                             .header = c.email ? HEADER_AUTHORIZATION : HEADER_NONE,
                             .token = c.email ? TOKEN_VERIFIED : TOKEN_ABSENT,
                             .claims = &c};
    decision d = decide(h->s, &f, h->now_us);
    d.audience_got = NULL; /* lived in this function */
    return d;
}

/* A plain yes is the caller's own binding on the service; anything else is named. */
static void note_binding(buf *b, const binding *g)
{
    const span by = span_of(g->member);
    if (!span_starts(by, SPAN_LIT("serviceAccount:")) && !span_starts(by, SPAN_LIT("user:")))
        buf_span(b, by);
    if (g->project_level)
        buf_str(b, b->n ? ", project" : "project");
}

/* What stands behind the yes or no; nothing for a plain one. */
static void cell_note(buf *b, const decision *d)
{
    static const char *const notes[REASON_COUNT_] = {
        [REASON_PUBLIC] = "public",
        [REASON_CHECK_DISABLED] = "check off",
        [REASON_NOT_PROPAGATED] = "propagating",
        [REASON_CONDITION_NOT_MET] = "condition not met",
        [REASON_DENIED] = "denied",
        [REASON_ACCOUNT_DISABLED] = "account disabled",
        [REASON_INGRESS_BLOCKED] = "ingress none",
    };
    if (notes[d->reason])
        buf_str(b, notes[d->reason]);
    else if (d->binding)
        note_binding(b, d->binding);
}

static void cell_text(buf *b, const decision *d)
{
    auto_buf buf note = buf_make(CELL_MAX);
    cell_note(&note, d);
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

static void put_cell(const sheet *h, size_t row, size_t column, size_t width, bool colour, buf *b)
{
    const decision d = judge(h, row, column);
    if (colour)
        buf_str(b, reason_info(d.reason)->allows ? GREEN : RED);
    const size_t from = b->n;
    cell_text(b, &d);
    pad(b, from, width);
    if (colour)
        buf_str(b, PLAIN);
}

static size_t column_width(const sheet *h, size_t column)
{
    size_t width = strlen(snapshot_service(h->s, column)->name);
    for (size_t row = 0; row < h->rows; row++) {
        auto_buf buf b = buf_make(CELL_MAX);
        const decision d = judge(h, row, column);
        cell_text(&b, &d);
        width = b.n > width ? b.n : width;
    }
    return width;
}

static size_t caller_width(const sheet *h)
{
    size_t width = 0;
    for (size_t row = 0; row < h->rows; row++) {
        auto_buf buf b = buf_make(CELL_MAX);
        caller_name(h, row, &b);
        width = b.n > width ? b.n : width;
    }
    return width;
}

static void put_table(const sheet *h, bool colour, buf *b)
{
    const size_t first = caller_width(h);
    size_t *widths = calloc(h->columns + 1, sizeof *widths);
    if (!widths)
        abort();
    pad(b, b->n, first);
    buf_str(b, colour ? BOLD : "");
    for (size_t c = 0; c < h->columns; c++) {
        widths[c] = column_width(h, c);
        buf_str(b, "  ");
        const size_t from = b->n;
        buf_str(b, snapshot_service(h->s, c)->name);
        pad(b, from, c + 1 < h->columns ? widths[c] : 0);
    }
    buf_str(b, colour ? PLAIN "\n" : "\n");
    for (size_t row = 0; row < h->rows; row++) {
        const size_t from = b->n;
        caller_name(h, row, b);
        pad(b, from, first);
        for (size_t c = 0; c < h->columns; c++) {
            buf_str(b, "  ");
            put_cell(h, row, c, c + 1 < h->columns ? widths[c] : 0, colour, b);
        }
        buf_char(b, '\n');
    }
    free(widths);
}

static void put_markdown(const sheet *h, buf *b)
{
    buf_str(b, "| caller |");
    for (size_t c = 0; c < h->columns; c++)
        buf_fmt(b, " %s |", snapshot_service(h->s, c)->name);
    buf_str(b, "\n|---|");
    for (size_t c = 0; c < h->columns; c++)
        buf_str(b, "---|");
    for (size_t row = 0; row < h->rows; row++) {
        buf_str(b, "\n| ");
        caller_name(h, row, b);
        buf_str(b, " |");
        for (size_t c = 0; c < h->columns; c++) {
            buf_char(b, ' ');
            put_cell(h, row, c, 0, false, b);
            buf_str(b, " |");
        }
    }
    buf_char(b, '\n');
}

/* ---- JSON ---- */

static void put_verdict(const sheet *h, size_t row, size_t column, buf *b)
{
    const decision d = judge(h, row, column);
    const reason_row *info = reason_info(d.reason);
    buf_json(b, span_of(snapshot_service(h->s, column)->name));
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

static void put_json(const sheet *h, buf *b)
{
    buf_str(b, "{\"callers\":[");
    for (size_t row = 0; row < h->rows; row++) {
        const char *email = caller_email(h, row);
        auto_buf buf name = buf_make(CELL_MAX);
        caller_name(h, row, &name);
        buf_str(b, row ? ",{\"caller\":" : "{\"caller\":");
        buf_json(b, buf_view(&name));
        buf_str(b, ",\"email\":");
        if (email)
            buf_json(b, span_of(email));
        else
            buf_str(b, "null");
        buf_str(b, ",\"services\":{");
        for (size_t c = 0; c < h->columns; c++) {
            if (c)
                buf_char(b, ',');
            put_verdict(h, row, c, b);
        }
        buf_str(b, "}}");
    }
    buf_str(b, "]}\n");
}

static int print(const snapshot *s, const char *output)
{
    const sheet h = sheet_of(s, clock_wall_us());
    auto_buf buf b = buf_make(TEXT_MAX);
    if (!output || strcmp(output, "table") == 0)
        put_table(&h, cli_colour(stdout), &b);
    else if (strcmp(output, "markdown") == 0)
        put_markdown(&h, &b);
    else
        put_json(&h, &b);
    if (buf_ok(&b))
        return cli_print(&b, CLI_OK);
    error e = {0};
    error_set(&e, ERR_LIMIT, "%zu callers x %zu services make too large a table; ask 'invoker why'",
              h.rows, h.columns);
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
