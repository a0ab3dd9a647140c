/* GNU long options from a table: --name=value, --name value, -n value, -nvalue, bundled flags. */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"

enum { OPTIONS_MAX = 64 };

typedef struct parser {
    const char *command;
    const cli_option *options;
    char **next;  /* the argument after the one at hand */
    char **end;   /* behind the last argument (or at "--") */
    char **place; /* where the next operand goes */
} parser;

enum { GO_ON = -1 };

static const cli_option *find_long(const parser *p, span name)
{
    for (const cli_option *o = p->options; o && o->name; o++) {
        if (span_eq_str(name, o->name)) {
            return o;
        }
    }
    return NULL;
}

static const cli_option *find_letter(const parser *p, char letter)
{
    for (const cli_option *o = p->options; o && o->name; o++) {
        if (o->letter == letter) {
            return o;
        }
    }
    return NULL;
}

static int unknown_long(const parser *p, span name)
{
    const char *names[OPTIONS_MAX + 2] = {"help"};
    size_t n = 1;
    for (const cli_option *o = p->options; o && o->name && n < OPTIONS_MAX; o++) {
        names[n++] = o->name;
    }
    const char *near = did_you_mean(name, names);
    if (near) {
        return cli_usage_error(p->command, "unknown option '--%.*s'; did you mean '--%s'?",
                               SPAN_ARG(name), near);
    }
    return cli_usage_error(p->command, "unknown option '--%.*s'", SPAN_ARG(name));
}

static bool parse_int(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    intmax_t v = strtoimax(text, &end, 10);
    bool digits = (*text >= '0' && *text <= '9') || (*text == '-' && text[1] != '\0');
    if (errno != 0 || !digits || *end != '\0' || v > INT64_MAX || v < INT64_MIN) {
        return false;
    }
    *out = (int64_t)v;
    return true;
}

/* value is NULL for flags. */
static int store(const parser *p, const cli_option *o, const char *value)
{
    switch (o->kind) {
    case CLI_FLAG:
        *(bool *)o->out = true;
        return GO_ON;
    case CLI_STRING:
        *(const char **)o->out = value;
        return GO_ON;
    case CLI_INT:
        if (!value || !parse_int(value, (int64_t *)o->out)) {
            return cli_usage_error(p->command, "--%s wants a whole number, not '%s'", o->name,
                                   value ? value : "");
        }
        return GO_ON;
    }
    abort();
}

/* attached: the value written in the same argument, or NULL. */
static int take_value(parser *p, const cli_option *o, const char *attached)
{
    if (attached) {
        return store(p, o, attached);
    }
    if (p->next == p->end) {
        return cli_usage_error(p->command, "--%s wants a value: --%s %s", o->name, o->name,
                               o->value ? o->value : "VALUE");
    }
    return store(p, o, *p->next++);
}

static int parse_long(parser *p, const char *text)
{
    span rest = span_of(text), name;
    bool has_value = span_cut(&rest, '=', &name);
    const cli_option *o = find_long(p, name);
    if (!o && span_eq_str(name, "help") && !has_value) {
        cli_print_help(stdout, p->command, p->options);
        return CLI_OK;
    }
    if (!o) {
        return unknown_long(p, name);
    }
    if (o->kind == CLI_FLAG) {
        return has_value ? cli_usage_error(p->command, "--%s takes no value", o->name)
                         : store(p, o, NULL);
    }
    return take_value(p, o, has_value ? rest.p : NULL);
}

static int parse_letters(parser *p, const char *letters)
{
    for (const char *c = letters; *c; c++) {
        const cli_option *o = find_letter(p, *c);
        if (!o && *c == 'h') {
            cli_print_help(stdout, p->command, p->options);
            return CLI_OK;
        }
        if (!o) {
            return cli_usage_error(p->command, "unknown option '-%c'", *c);
        }
        if (o->kind != CLI_FLAG) {
            return take_value(p, o, c[1] ? c + 1 : NULL);
        }
        int status = store(p, o, NULL);
        if (status != GO_ON) {
            return status;
        }
    }
    return GO_ON;
}

static char **find_separator(char **from, char **end)
{
    while (from < end && strcmp(*from, "--") != 0) {
        from++;
    }
    return from;
}

static int parse_one(parser *p)
{
    char *a = *p->next++;
    if (a[0] == '-' && a[1] == '-') {
        return parse_long(p, a + 2);
    }
    if (a[0] == '-' && a[1] != '\0') {
        return parse_letters(p, a + 1);
    }
    *p->place++ = a;
    return GO_ON;
}

int cli_parse(const char *command, int argc, char **argv, const cli_option *options,
              char ***out_operands, char ***out_rest)
{
    char **last = argv + argc;
    char **first = argv + (argc > 0 ? 1 : 0);
    char **separator = find_separator(first, last);
    parser p = {command, options, first, separator, first};
    while (p.next < p.end) {
        int status = parse_one(&p);
        if (status != GO_ON) {
            return status;
        }
    }
    if (!out_rest && separator < last) {
        for (char **a = separator + 1; a < last; a++) {
            *p.place++ = *a;
        }
    }
    /* There is always room: argv[argc] is NULL, and whatever was cut out left a gap. */
    *p.place = NULL;
    *out_operands = first;
    if (out_rest) {
        *out_rest = separator < last ? separator + 1 : NULL;
    }
    return GO_ON;
}
