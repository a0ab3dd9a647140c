/* A lesson's request as lines for the reader's own shell, by curl. */
#include <stdio.h>

#include "cli/lesson_request.h"
#include "cli/up_env.h"

enum { LINE_MAX_COLUMNS = 80, AUDIENCE_SHOWN_MAX = 36, TEXT_MAX = 16 * 1024 };

/* A command that is broken in front of a word where the line would be too long. */
typedef struct command {
    buf *out;
    size_t column;
} command;

static void begin(command *c, buf *out)
{
    *c = (command){out, 2};
    buf_str(out, "  ");
}

static void word(command *c, const char *text)
{
    const size_t n = strlen(text);
    /* Two for the " \" of the break behind it. */
    if (c->column > 2 && c->column + 1 + n + 2 > LINE_MAX_COLUMNS) {
        buf_str(c->out, " \\\n    ");
        c->column = 4;
    } else if (c->column > 2) {
        buf_char(c->out, ' ');
        c->column++;
    }
    buf_str(c->out, text);
    c->column += n;
}

static void end(command *c)
{
    buf_char(c->out, '\n');
}

static void put_url(buf *out, const void *ctx, const char *name)
{
    (void)ctx;
    buf_char(out, '$');
    env_variable(out, name, "URL");
}

/* "\"$FRONTEND_METADATA/identity?audience=…\"" */
static void word_metadata(command *c, const char *name, const char *target, span audience,
                          const char *close)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    buf_str(&b, "\"$");
    env_variable(&b, name, "METADATA");
    buf_fmt(&b, "/%s%.*s\"%s", target, SPAN_ARG(audience), close);
    word(c, b.p);
}

static void put_mint(command *c, const char *variable, const carried *by, span audience)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    buf_fmt(&b, "%s=$(invoker token --as %s", variable, by->from);
    word(c, b.p);
    for (size_t i = 0; i < LESSON_OPTIONS_MAX && by->options[i]; i++)
        word(c, by->options[i]);
    buf_clear(&b);
    buf_fmt(&b, "--audience \"%.*s\")", SPAN_ARG(audience));
    word(c, b.p);
}

static void put_received(command *c, const char *variable, const carried *by)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    buf_fmt(&b, "%s=$(curl -s", variable);
    word(c, b.p);
    buf_clear(&b);
    buf_str(&b, "\"$");
    env_variable(&b, by->by, "URL");
    buf_str(&b, "/received/authorization\"");
    word(c, b.p);
    word(c, "-H \"Authorization: Bearer $TOKEN\")");
}

/* What is too long for a line gets a variable in front. */
static span short_audience(buf *out, span audience)
{
    if (audience.n <= AUDIENCE_SHOWN_MAX)
        return audience;
    buf_fmt(out, "  AUDIENCE=\"%.*s\"\n", SPAN_ARG(audience));
    return SPAN_LIT("$AUDIENCE");
}

/* VARIABLE=$(…), in one or two commands. */
static void put_token(buf *out, const lesson_request *r, const char *variable, const carried *by)
{
    auto_buf buf audience = buf_make(TEXT_MAX);
    auto_buf buf first = buf_make(TEXT_MAX);
    lesson_audience(&audience, r, by, put_url, NULL);
    const span aud = short_audience(out, buf_view(&audience));
    buf_fmt(&first, "%s=$(curl -sH 'Metadata-Flavor: Google'",
            by->kind == CARRIED_RECEIVED ? "TOKEN" : variable);
    command c;
    begin(&c, out);
    if (by->kind == CARRIED_MINTED) {
        put_mint(&c, variable, by, aud);
    } else if (by->kind == CARRIED_ACCESS) {
        word(&c, first.p);
        word_metadata(&c, by->from, "token", (span){0}, " |");
        word(&c, "sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')");
    } else {
        word(&c, first.p);
        word_metadata(&c, by->from, "identity?audience=", aud, ")");
    }
    end(&c);
    if (by->kind != CARRIED_RECEIVED)
        return;
    begin(&c, out);
    put_received(&c, variable, by);
    end(&c);
}

static bool is_fetched(const carried *c)
{
    return c->kind != CARRIED_NOTHING && c->kind != CARRIED_TEXT;
}

static void word_header(command *c, const char *name, const char *variable, const carried *by)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    if (by->kind == CARRIED_NOTHING)
        return;
    if (by->kind == CARRIED_TEXT)
        buf_fmt(&b, "-H '%s: %s'", name, by->from);
    else
        buf_fmt(&b, "-H \"%s: %s$%s\"", name, by->kind == CARRIED_RECEIVED ? "" : "Bearer ",
                variable);
    word(c, b.p);
}

static void put_curl(buf *out, const lesson_request *r, const char *first, const char *second)
{
    command c;
    auto_buf buf b = buf_make(TEXT_MAX);
    begin(&c, out);
    word(&c, "curl -i");
    if (r->method) {
        buf_fmt(&b, "-X %s", r->method);
        word(&c, b.p);
        buf_clear(&b);
    }
    buf_str(&b, r->host ? "\"http://$INVOKER_INGRESS" : "\"$");
    if (!r->host)
        env_variable(&b, r->to, "URL");
    buf_fmt(&b, "%s\"", lesson_path(r));
    word(&c, b.p);
    if (r->host) {
        buf_clear(&b);
        buf_fmt(&b, "-H 'Host: %s'", r->host);
        word(&c, b.p);
    }
    word_header(&c, "Authorization", first, &r->authorization);
    word_header(&c, "X-Serverless-Authorization", second, &r->serverless);
    for (size_t i = 0; i < LESSON_FIELDS_MAX && r->fields[i]; i++) {
        buf_clear(&b);
        buf_fmt(&b, "-H '%s'", r->fields[i]);
        word(&c, b.p);
    }
    end(&c);
}

void lesson_shell(buf *out, const lesson_request *r)
{
    const bool both = is_fetched(&r->authorization) && is_fetched(&r->serverless);
    const char *first = r->authorization.kind == CARRIED_RECEIVED ? "RECEIVED"
                        : both                                    ? "AUTHORIZATION"
                                                                  : "TOKEN";
    const char *second = both ? "SERVERLESS" : "TOKEN";
    if (is_fetched(&r->authorization))
        put_token(out, r, first, &r->authorization);
    if (is_fetched(&r->serverless))
        put_token(out, r, second, &r->serverless);
    put_curl(out, r, first, second);
}
