/* `invoker gcloud env` and `invoker gcloud -- ARGS…`: gcloud, unmodified, against the emulator. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/env_shell.h"
#include "cli/gcloud_home.h"
#include "cli/gcloud_key.h"
#include "cli/gcloud_login.h"
#include "cli/gcloud_vars.h"
#include "config/values.h"

#define COMMAND "gcloud"
#define NOBODY  "developer@example.com" /* where the topology knows no people */

enum { TEXT_MAX = 256 * 1024, EMAIL_MAX = 320, NOT_FOUND = 127, NOT_EXECUTABLE = 126 };

typedef struct gcloud_options {
    const char *config, *control, *as, *dir, *shell;
} gcloud_options;

typedef struct identity {
    char email[EMAIL_MAX];
    bool is_account; /* of a service; else a user */
} identity;

/* ---- who ---- */

static const char *first_user(const snapshot *s)
{
    return snapshot_user_count(s) ? snapshot_user(s, 0) : NOBODY;
}

/* "frontend-sa", also one that the topology does not know: gcloud may have made it. */
static void account_email(const snapshot *s, const char *project_id, span name, buf *out)
{
    const account *known =
        strcmp(snapshot_project(s)->id, project_id) == 0 ? snapshot_resolve_account(s, name) : NULL;
    buf_span(out, known ? span_of(known->email) : name);
    if (!known && span_find(name, '@') == name.n)
        buf_fmt(out, "@%s.iam.gserviceaccount.com", project_id);
}

/* Cuts "user:" or "serviceAccount:" off; without either the rest tells. false: another prefix. */
static bool parse_kind(span *text, bool *out_is_account)
{
    span rest = *text, kind;
    if (!span_cut(&rest, ':', &kind)) {
        *out_is_account = span_find(*text, '@') == text->n ||
                          member_kind_of_email(*text) == MEMBER_SERVICE_ACCOUNT;
        return true;
    }
    *text = rest;
    *out_is_account = span_eq_str(kind, "serviceAccount");
    return *out_is_account || span_eq_str(kind, "user");
}

static bool parse_identity(const snapshot *s, const char *project_id, const char *as, identity *out)
{
    span text = span_of(as ? as : first_user(s));
    auto_buf buf email = buf_make(EMAIL_MAX - 1);
    if (!parse_kind(&text, &out->is_account))
        return false;
    if (out->is_account)
        account_email(s, project_id, text, &email);
    else
        buf_span(&email, text);
    if (!buf_ok(&email) || !email.n || !value_is_email(buf_view(&email)) ||
        (member_kind_of_email(buf_view(&email)) == MEMBER_SERVICE_ACCOUNT) != out->is_account)
        return false;
    memcpy(out->email, email.p, email.n + 1);
    return true;
}

/* ---- what the command works with ---- */

typedef struct session {
    const snapshot *s;
    char *control, *project, *region; /* the running gateway's */
    char *dir;
    identity who;
} session;

static void session_end(session *n)
{
    free(n->control);
    free(n->project);
    free(n->region);
    free(n->dir);
}

static char *absolute(const char *dir)
{
    if (dir[0] == '/')
        return span_dup(span_of(dir));
    auto_free char *here = getcwd(NULL, 0);
    return file_join(here ? here : ".", dir);
}

/* "HOST:PORT", and no file is damaged by what --control says. */
static bool is_address(const char *control)
{
    span host;
    uint16_t port;
    return control && value_host_port(span_of(control), &host, &port) && port != 0;
}

/* CLI_OK, else the exit status after a message. */
static int session_begin(session *n, const gcloud_options *o)
{
    bool asked;
    error e = {0};
    n->control = control_address(o->control, n->s, &asked);
    if (!is_address(n->control) && asked)
        return cli_usage_error(COMMAND, "'%s' is not HOST:PORT", n->control);
    if (!is_address(n->control))
        return cli_usage_error(COMMAND, "the control listener's port is known to the running "
                                        "gateway only; give --control");
    if (!control_project(n->control, &n->project, &n->region, &e))
        return cli_failed(COMMAND, &e);
    if (!parse_identity(n->s, n->project, o->as, &n->who))
        return cli_usage_error(COMMAND,
                               "--as is user:E-MAIL or the name or e-mail of a service account, "
                               "not '%s'",
                               o->as ? o->as : first_user(n->s));
    n->dir = o->dir ? absolute(o->dir) : gcloud_home_default(n->control, n->who.email);
    return n->dir ? CLI_OK
                  : cli_usage_error(COMMAND, "there is no home folder; name a folder with --dir");
}

/* ---- the folder ---- */

/* Sees to it that gcloud has the credential. key_file NULL: a user's. */
static bool log_in(const gcloud_home *h, const char *login, const char *key_file, bool *out_missing,
                   error *e)
{
    return gcloud_home_is_logged_in(h, login) ||
           (gcloud_home_forget_login(h, e) &&
            gcloud_log_in(h->dir, h->account, key_file, out_missing, e) &&
            gcloud_home_write(h, e) && gcloud_home_note_login(h, login, e));
}

static bool fill(const session *n, bool *out_missing, error *e)
{
    const gcloud_home h = {.dir = n->dir,
                           .control = n->control,
                           .project = n->project,
                           .region = n->region,
                           .account = n->who.email};
    const char *user = n->who.is_account ? first_user(n->s) : n->who.email;
    auto_free char *token = gcloud_user_token(n->control, user, e);
    if (!token)
        return error_wrap(e, "cannot log %s in", user);
    if (!gcloud_home_write(&h, e))
        return false;
    if (!n->who.is_account)
        return log_in(&h, user, NULL, out_missing, e);
    auto_free char *file = file_join(n->dir, "key.json");
    auto_free char *id = gcloud_key_provide(
        &(gcloud_key){
            .control = n->control, .user_token = token, .email = n->who.email, .file = file},
        e);
    return id && log_in(&h, id, file, out_missing, e);
}

/* CLI_OK, else the exit status after a message. */
static int prepare(const session *n)
{
    error e = {0};
    bool missing = false;
    const int lock = gcloud_home_claim(n->dir, &e);
    const bool ok = lock >= 0 && fill(n, &missing, &e);
    if (lock >= 0)
        (void)close(lock);
    if (ok)
        return CLI_OK;
    const int status = cli_failed(COMMAND, &e);
    return missing ? NOT_FOUND : status;
}

/* ---- what it does ---- */

static int print_env(const char *dir, env_shell shell)
{
    error e = {0};
    auto_buf buf text = buf_make(TEXT_MAX);
    arena *names = arena_new();
    service_vars vars = gcloud_vars(dir, names);
    const bool ok = env_shell_write(&text, shell, &vars, &e);
    service_vars_free(&vars);
    arena_free(names);
    return ok ? cli_print(&text, CLI_OK) : cli_failed(COMMAND, &e);
}

static int cannot_run(void)
{
    if (errno != ENOENT) {
        fprintf(stderr, "invoker gcloud: cannot run gcloud: %s\n", strerror(errno));
        return NOT_EXECUTABLE;
    }
    fprintf(stderr, "invoker gcloud: " GCLOUD_MISSING "\n");
    return NOT_FOUND;
}

/* Becomes gcloud, so that its input, output and exit status are ours; returns only on failure. */
static int become_gcloud(const char *dir, char **args)
{
    size_t count = 0;
    while (args[count])
        count++;
    char name[] = "gcloud";
    char **argv = calloc(count + 2, sizeof *argv);
    if (!argv)
        abort();
    argv[0] = name;
    memcpy(argv + 1, args, count * sizeof *argv);
    envlist env = gcloud_environment(dir);
    execvpe(argv[0], argv, env.items);
    const int status = cannot_run();
    envlist_free(&env);
    free(argv);
    return status;
}

/* *out_shell: that of `env`, as soon as it is known; *out_args: NULL but for `-- ARG...`. */
static int serve(int argc, char **argv, env_shell *out_shell, char ***out_args)
{
    gcloud_options o = {.shell = "sh"};
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &o.config},
        {"control", 0, CLI_STRING, "ADDRESS",
         "the gateway's control listener ($INVOKER_CONTROL, else the topology's)", &o.control},
        {"as", 0, CLI_STRING, "WHO",
         "user:E-MAIL or a service account (the topology's first user, else " NOBODY ")", &o.as},
        {"dir", 0, CLI_STRING, "DIR",
         "gcloud's configuration folder ($XDG_STATE_HOME/invoker/gcloud/ADDRESS/WHO)", &o.dir},
        {"shell", 0, CLI_STRING, "SHELL", "env: " ENV_SHELL_NAMES, &o.shell},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, out_args);
    if (status >= 0)
        return status;
    const bool env = operands[0] && strcmp(operands[0], "env") == 0 && !operands[1];
    char **args = *out_args;
    if (args ? operands[0] != NULL : !env)
        return cli_usage_error(COMMAND, "expected 'env', or '--' and gcloud's own arguments");
    if (!env_shell_parse(span_of(o.shell), out_shell))
        return cli_usage_error(COMMAND, "--shell is " ENV_SHELL_LIST ", not '%s'", o.shell);
    snapshot *s = cli_load(cli_config_path(o.config), NULL);
    if (!s)
        return CLI_USAGE;
    session n = {.s = s};
    status = session_begin(&n, &o);
    if (status == CLI_OK)
        status = prepare(&n);
    if (status == CLI_OK)
        status = args ? become_gcloud(n.dir, args) : print_env(n.dir, *out_shell);
    session_end(&n);
    snapshot_unref(s);
    return status;
}

/* `eval "$(invoker gcloud env)"` has to fail when this fails: what follows would be done in
 * earnest, by the gcloud that the user has. */
int cmd_gcloud(int argc, char **argv)
{
    env_shell shell = ENV_SH;
    char **args = NULL;
    const int status = serve(argc, argv, &shell, &args);
    if (status != CLI_OK && !args) {
        auto_buf buf statement = buf_make(TEXT_MAX);
        env_shell_fail(&statement, shell);
        (void)cli_print(&statement, status);
    }
    return status;
}
