/* A service's variables in the syntax of a shell. */
#ifndef CLI_ENV_SHELL_H
#define CLI_ENV_SHELL_H

#include "base/buf.h"
#include "cli/up_env.h"

typedef enum env_shell {
    ENV_SH,
    ENV_FISH,
    ENV_POWERSHELL,
    ENV_CMD,
    ENV_DOTENV,
    ENV_JSON
} env_shell;

#define ENV_SHELL_LIST  "sh, fish, powershell, cmd, dotenv or json"
#define ENV_SHELL_NAMES "sh (default), fish, powershell, cmd, dotenv or json"

/* "sh" (also bash, zsh, dash), "fish", "powershell" (pwsh), "cmd", "dotenv", "json". */
bool env_shell_parse(span name, env_shell *out);

/* Appends statements that set (or take out) each variable, with its note as a comment. false: one
 * of the values cannot be written in this shell; *e names it. */
bool env_shell_write(buf *out, env_shell shell, const service_vars *vars, error *e);

/* Appends a statement that fails, so that `eval` of a command that failed does not go on as if it
 * had not; nothing where the format has no statements. */
void env_shell_fail(buf *out, env_shell shell);

/* Appends a line that the shell skips; nothing in JSON. */
void env_shell_remark(buf *out, env_shell shell, const char *text);

#endif
