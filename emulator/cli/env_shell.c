/* Quoting per shell: whatever a value contains, evaluating the text sets exactly it. */
#include "cli/env_shell.h"

#include <string.h>

/* How a shell says things; formats take (name, quoted value) resp. (name). */
typedef struct dialect {
    const char *comment;
    const char *set_prefix, *set_middle, *set_suffix;
    const char *unset_prefix, *unset_suffix;
    void (*quote)(buf *out, span value);
    bool one_line; /* no newline, and no double quote, can be written */
} dialect;

static void quote_sh(buf *out, span v)
{
    buf_char(out, '\'');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\'')
            buf_str(out, "'\\''");
        else
            buf_char(out, v.p[i]);
    }
    buf_char(out, '\'');
}

static void quote_fish(buf *out, span v)
{
    buf_char(out, '\'');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\'' || v.p[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, v.p[i]);
    }
    buf_char(out, '\'');
}

/* PowerShell takes the typographic quotes U+2018 to U+201B for ' as well. */
static size_t powershell_quote_length(span rest)
{
    if (rest.p[0] == '\'')
        return 1;
    bool typographic = rest.n >= 3 && memcmp(rest.p, "\xE2\x80", 2) == 0 &&
                       (unsigned char)rest.p[2] >= 0x98 && (unsigned char)rest.p[2] <= 0x9B;
    return typographic ? 3 : 0;
}

static void quote_powershell(buf *out, span v)
{
    buf_char(out, '\'');
    for (size_t i = 0; i < v.n;) {
        size_t quote = powershell_quote_length(span_from(v, i));
        size_t n = quote ? quote : 1;
        buf_add(out, v.p + i, n);
        if (quote)
            buf_add(out, v.p + i, n);
        i += n;
    }
    buf_char(out, '\'');
}

/* Inside set "NAME=…" of a batch file only % means something. */
static void quote_cmd(buf *out, span v)
{
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '%')
            buf_char(out, '%');
        buf_char(out, v.p[i]);
    }
}

static bool plain(span v)
{
    static const char also[] = "_./:@,+=-";
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || !strchr(also, c)))
            return false;
    }
    return v.n > 0;
}

static void quote_dotenv(buf *out, span v)
{
    if (plain(v)) {
        buf_span(out, v);
        return;
    }
    buf_char(out, '"');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\n') {
            buf_str(out, "\\n");
            continue;
        }
        if (strchr("\"\\$", v.p[i]))
            buf_char(out, '\\');
        buf_char(out, v.p[i]);
    }
    buf_char(out, '"');
}

static const dialect *dialect_of(env_shell shell)
{
    static const dialect sh = {"# ", "export ", "=", "", "unset ", "", quote_sh, false};
    static const dialect fish = {"# ", "set -gx ", " ", "", "set -e ", "", quote_fish, false};
    static const dialect powershell = {"# ",
                                       "$env:",
                                       " = ",
                                       "",
                                       "Remove-Item Env:",
                                       " -ErrorAction SilentlyContinue",
                                       quote_powershell,
                                       false};
    static const dialect cmd = {"REM ", "set \"", "=", "\"", "set \"", "=\"", quote_cmd, true};
    static const dialect dotenv = {"# ",         "",   "=", "", "# ", " must not be set",
                                   quote_dotenv, false};
    switch (shell) {
    case ENV_SH:
        return &sh;
    case ENV_FISH:
        return &fish;
    case ENV_POWERSHELL:
        return &powershell;
    case ENV_CMD:
        return &cmd;
    case ENV_DOTENV:
    case ENV_JSON:
        return &dotenv;
    }
    abort();
}

bool env_shell_parse(span name, env_shell *out)
{
    static const struct {
        const char *name;
        env_shell shell;
    } names[] = {
        {"sh", ENV_SH},           {"bash", ENV_SH},   {"zsh", ENV_SH},
        {"dash", ENV_SH},         {"fish", ENV_FISH}, {"powershell", ENV_POWERSHELL},
        {"pwsh", ENV_POWERSHELL}, {"cmd", ENV_CMD},   {"dotenv", ENV_DOTENV},
        {"json", ENV_JSON},
    };
    for (size_t i = 0; i < countof(names); i++) {
        if (span_eq_str(name, names[i].name)) {
            *out = names[i].shell;
            return true;
        }
    }
    return false;
}

/* A name that a shell would take for something else must not reach eval. */
static bool is_identifier(const char *name)
{
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        bool digit = *c >= '0' && *c <= '9';
        if (!letter && !(digit && c != name))
            return false;
    }
    return *name != '\0';
}

static bool write_one(buf *out, const dialect *d, const service_var *v, error *e)
{
    if (!is_identifier(v->name))
        return error_set(e, ERR_INVALID, "'%s' is no variable that a shell could set", v->name);
    if (v->note)
        buf_fmt(out, "%s%s\n", d->comment, v->note);
    if (!v->value) {
        buf_fmt(out, "%s%s%s\n", d->unset_prefix, v->name, d->unset_suffix);
        return true;
    }
    if (d->one_line && strpbrk(v->value, "\"\r\n"))
        return error_set(e, ERR_INVALID,
                         "the value of %s cannot be written for cmd.exe: it has a "
                         "newline or a double quote",
                         v->name);
    buf_fmt(out, "%s%s%s", d->set_prefix, v->name, d->set_middle);
    d->quote(out, span_of(v->value));
    buf_fmt(out, "%s\n", d->set_suffix);
    return true;
}

static void write_json(buf *out, const service_vars *vars)
{
    buf_char(out, '{');
    for (size_t i = 0; i < vars->count; i++) {
        buf_str(out, i ? ",\n " : "");
        buf_json(out, span_of(vars->items[i].name));
        buf_str(out, ": ");
        if (vars->items[i].value)
            buf_json(out, span_of(vars->items[i].value));
        else
            buf_str(out, "null");
    }
    buf_str(out, "}\n");
}

bool env_shell_write(buf *out, env_shell shell, const service_vars *vars, error *e)
{
    if (shell == ENV_JSON) {
        write_json(out, vars);
        return true;
    }
    const dialect *d = dialect_of(shell);
    for (size_t i = 0; i < vars->count; i++)
        if (!write_one(out, d, &vars->items[i], e))
            return false;
    return true;
}

void env_shell_remark(buf *out, env_shell shell, const char *text)
{
    if (shell != ENV_JSON)
        buf_fmt(out, "%s%s\n", dialect_of(shell)->comment, text);
}

void env_shell_fail(buf *out, env_shell shell)
{
    static const char *const statements[] = {[ENV_SH] = "false\n",
                                             [ENV_FISH] = "false\n",
                                             [ENV_POWERSHELL] = "throw 'invoker failed'\n",
                                             [ENV_CMD] = "exit /b 1\n",
                                             [ENV_DOTENV] = "",
                                             [ENV_JSON] = ""};
    buf_str(out, statements[shell]);
}
