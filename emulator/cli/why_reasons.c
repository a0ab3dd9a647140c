/* `invoker why --reasons`: the table of outcomes; its markdown is the README's table of refusals.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/why.h"
#include "gateway/pages.h"

enum { TABLE_MAX = 256 * 1024, TEXTS_MAX = 8 };

/* Production has few log texts for many causes; the table refers to each by a letter. */
typedef struct log_texts {
    const char *text[TEXTS_MAX];
    size_t count;
} log_texts;

static char letter_of(log_texts *t, const char *text)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->text[i], text) == 0)
            return (char)('A' + i);
    }
    if (t->count == TEXTS_MAX)
        return '?';
    t->text[t->count] = text;
    return (char)('A' + t->count++);
}

static void put_log(buf *b, log_texts *t, const reason_row *row)
{
    if (row->log_text)
        buf_char(b, letter_of(t, row->log_text));
    else
        buf_str(b, row->logged ? "no text" : "no entry");
}

/* A sentence stays one; a command is set as code. */
static void put_fix(buf *b, const char *fix)
{
    if (!fix)
        return;
    const bool sentence = fix[strlen(fix) - 1] == '.';
    buf_fmt(b, sentence ? "%s" : "`%s`", fix);
}

static void put_markdown(buf *b)
{
    log_texts texts = {.count = 0};
    buf_str(b, "| reason | status | challenge | log | what happened | what mends it |\n"
               "|---|---|---|---|---|---|\n");
    for (int r = 0; r < REASON_COUNT_; r++) {
        const reason_row *row = reason_info((reason)r);
        buf_fmt(b, "| `%s` | %s | %s | ", row->name, why_status_text((reason)r),
                row->challenge ? "yes" : "no");
        put_log(b, &texts, row);
        buf_fmt(b, " | %s | ", row->summary);
        put_fix(b, row->fix);
        buf_str(b, " |\n");
    }
    buf_str(b, "\nChallenge: `WWW-Authenticate: " PAGE_CHALLENGE "`. Production's log texts:\n\n");
    for (size_t i = 0; i < texts.count; i++)
        buf_fmt(b, "- %c: %s\n", (char)('A' + i), texts.text[i]);
}

static void put_table(buf *b)
{
    for (int r = 0; r < REASON_COUNT_; r++) {
        const reason_row *row = reason_info((reason)r);
        buf_fmt(b, "%-20s %-17s %s\n", row->name, why_status_text((reason)r), row->summary);
        if (row->fix)
            buf_fmt(b, "%-38s %s\n", "", row->fix);
    }
}

static void put_text(buf *b, const char *name, const char *text)
{
    buf_fmt(b, ",\"%s\":", name);
    if (text)
        buf_json(b, span_of(text));
    else
        buf_str(b, "null");
}

static void put_json(buf *b)
{
    buf_str(b, "{\"reasons\":[");
    for (int r = 0; r < REASON_COUNT_; r++) {
        const reason_row *row = reason_info((reason)r);
        buf_fmt(b, "%s{\"reason\":\"%s\",\"allowed\":%s,\"status\":%u", r ? "," : "", row->name,
                row->allows ? "true" : "false", why_status((reason)r));
        put_text(b, "www_authenticate", row->challenge ? PAGE_CHALLENGE : NULL);
        put_text(b, "log_text", row->log_text);
        buf_fmt(b, ",\"logged\":%s", row->logged ? "true" : "false");
        put_text(b, "summary", row->summary);
        put_text(b, "fix", row->fix);
        put_text(b, "learn_more", row->learn_more);
        buf_char(b, '}');
    }
    buf_str(b, "]}\n");
}

int why_reasons(const char *output)
{
    auto_buf buf b = buf_make(TABLE_MAX);
    if (!output || strcmp(output, "table") == 0 || strcmp(output, "text") == 0)
        put_table(&b);
    else if (strcmp(output, "markdown") == 0)
        put_markdown(&b);
    else if (strcmp(output, "json") == 0)
        put_json(&b);
    else
        return cli_usage_error("why", "--output is 'table', 'markdown' or 'json', not '%s'",
                               output);
    return cli_print(&b, CLI_OK);
}
