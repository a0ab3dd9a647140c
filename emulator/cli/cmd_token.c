/* `invoker token --as SA --audience URL`: a token as the metadata server would mint it, or one that
 * is wrong in exactly one way. */
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/mint.h"
#include "decision/lookup.h"

#define COMMAND "token"

enum { TOKEN_MAX = 128 * 1024, REPORT_MAX = 256 * 1024, LIFETIME_MAX_S = 10 * 366 * 86400 };

/* A way to be wrong, and which options then make no sense. */
typedef struct way {
    token_way id;
    const char *help; /* NULL: as everywhere */
    bool opaque;      /* an ID token it is not */
    bool sets_audience, sets_issuer, sets_times;
} way;

static const way ways[] = {
    {.id = WAY_EXPIRED, .help = "ended five minutes ago"},
    {.id = WAY_EARLY, .help = "issued an hour from now (a clock that is ahead)"},
    {.id = WAY_WRONG_AUDIENCE, .sets_audience = true},
    {.id = WAY_NO_AUDIENCE, .sets_audience = true},
    {.id = WAY_WRONG_ISSUER, .sets_issuer = true},
    {.id = WAY_SELF_SIGNED, .sets_issuer = true},
    {.id = WAY_NO_EMAIL},
    {.id = WAY_FOREIGN_KEY},
    {.id = WAY_SAME_KID},
    {.id = WAY_UNSIGNED},
    {.id = WAY_HS256},
    {.id = WAY_TAMPERED, .help = "payload changed after signing"},
    {.id = WAY_SIGNATURE_REMOVED},
    {.id = WAY_ACCESS_TOKEN,
     .help = "an OAuth access token instead of an ID token",
     .opaque = true,
     .sets_audience = true,
     .sets_issuer = true,
     .sets_times = true},
};

typedef struct token_options {
    const char *as, *audience, *issuer, *config, *keys, *output;
    int64_t lifetime_s;
    bool chosen[countof(ways)];
} token_options;

static const int64_t LIFETIME_UNSET = INT64_MIN;

/* ---- printing it ---- */

static void add_member(buf *b, const char *name, span value)
{
    buf_str(b, name);
    buf_json(b, value);
}

static int print_json(const mint *m, const way *w, const char *token, const id_token_claims *c)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    add_member(&b, "{\"token\":", span_of(token));
    add_member(&b, ",\"account\":", m->email);
    if (w && w->opaque) {
        buf_str(&b,
                ",\"kind\":\"access_token\",\"audience\":null,\"issued\":null,\"expires\":null");
    } else {
        add_member(&b, ",\"kind\":\"id_token\",\"audience\":", c->audience);
        buf_str(&b, ",\"issued\":\"");
        cli_add_time(&b, c->iat_s);
        buf_str(&b, "\",\"expires\":\"");
        cli_add_time(&b, c->iat_s + c->lifetime_s);
        buf_char(&b, '"');
    }
    if (w)
        add_member(&b, ",\"way\":", span_of(token_way_name(w->id)));
    else
        buf_str(&b, ",\"way\":null");
    buf_str(&b, "}\n");
    return cli_print(&b, CLI_OK);
}

static int print_token(const mint *m, const way *w, bool json)
{
    error e = {0};
    id_token_claims c;
    auto_free char *token = mint_token(m, &c, &e);
    if (!token)
        return cli_failed(COMMAND, &e);
    if (json)
        return print_json(m, w, token, &c);
    auto_buf buf b = buf_make(TOKEN_MAX);
    buf_fmt(&b, "%s\n", token);
    return cli_print(&b, CLI_OK);
}

/* ---- settling what was asked for ---- */

static int choose_way(const token_options *o, const way **out)
{
    *out = NULL;
    for (size_t i = 0; i < countof(ways); i++) {
        if (!o->chosen[i])
            continue;
        if (*out)
            return cli_usage_error(COMMAND, "--%s and --%s exclude each other",
                                   token_way_name((*out)->id), token_way_name(ways[i].id));
        *out = &ways[i];
    }
    const way *w = *out;
    if (w && w->sets_issuer && o->issuer)
        return cli_usage_error(COMMAND, "--%s and --issuer exclude each other",
                               token_way_name(w->id));
    if (w && w->sets_times && o->lifetime_s != LIFETIME_UNSET)
        return cli_usage_error(COMMAND, "--%s and --lifetime exclude each other",
                               token_way_name(w->id));
    return -1;
}

static int check_options(const token_options *o, const way *w)
{
    if (!o->as)
        return cli_usage_error(COMMAND, "whose token? --as ACCOUNT is missing");
    if (!(o->audience && *o->audience) && !(w && w->sets_audience))
        return cli_usage_error(COMMAND, "for which service? --audience URL is missing");
    if (o->lifetime_s != LIFETIME_UNSET && (o->lifetime_s < 1 || o->lifetime_s > LIFETIME_MAX_S))
        return cli_usage_error(COMMAND, "--lifetime wants 1 to %d seconds%s", LIFETIME_MAX_S,
                               o->lifetime_s < 1 ? "; a token that has ended: --expired" : "");
    return -1;
}

static int run(const token_options *o, const way *w, const snapshot *s, bool json)
{
    error e = {0};
    const account *a = lookup_account(s, o->as, &e);
    if (!a)
        return cli_usage_error(COMMAND, "%s", e.text);
    mint m = {
        .email = span_of(a->email),
        .unique_id = span_of(a->unique_id),
        .audience = span_of(o->audience),
        .issuer = span_of(o->issuer),
        .way = w ? w->id : WAY_NONE,
        .lifetime_s = o->lifetime_s == LIFETIME_UNSET ? snapshot_emulation(s)->token_lifetime_s
                                                      : o->lifetime_s,
        .skew_s = snapshot_emulation(s)->clock_skew_s,
        .now_s = clock_now_s(clock_system()),
    };
    auto_free char *dir = cli_keys_dir(o->keys, s);
    keystore *keys = keystore_open(dir, true, clock_system(), &e);
    if (!keys)
        return cli_failed(COMMAND, &e);
    m.keys = keys;
    const int status = print_token(&m, w, json);
    keystore_close(keys);
    return status;
}

static int parse(int argc, char **argv, token_options *o)
{
    cli_option options[9 + countof(ways)] = {
        {"as", 0, CLI_STRING, "ACCOUNT", "the service account, short name or e-mail", &o->as},
        {"audience", 'a', CLI_STRING, "URL", "the service that is to be called", &o->audience},
        {"config", 'c', CLI_STRING, "FILE", "the topology", &o->config},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys", &o->keys},
        {"lifetime", 0, CLI_INT, "SECONDS", "instead of the topology's token_lifetime",
         &o->lifetime_s},
        {"issuer", 0, CLI_STRING, "URL", "instead of " GOOGLE_ISSUER, &o->issuer},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &o->output},
        {"format", 0, CLI_STRING, "FORMAT", "the same as --output", &o->output},
    };
    for (size_t i = 0; i < countof(ways); i++)
        options[8 + i] = (cli_option){token_way_name(ways[i].id),
                                      0,
                                      CLI_FLAG,
                                      NULL,
                                      ways[i].help ? ways[i].help : token_way_meaning(ways[i].id),
                                      &o->chosen[i]};
    char **operands = NULL;
    const int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status < 0 && operands[0])
        return cli_usage_error(COMMAND, "unexpected operand '%s'", operands[0]);
    return status;
}

int cmd_token(int argc, char **argv)
{
    token_options o = {.lifetime_s = LIFETIME_UNSET};
    const way *w = NULL;
    bool json = false;
    int status = parse(argc, argv, &o);
    if (status < 0)
        status = cli_output_json(COMMAND, o.output, &json);
    if (status < 0)
        status = choose_way(&o, &w);
    if (status < 0)
        status = check_options(&o, w);
    if (status >= 0)
        return status;
    snapshot *s = cli_load(cli_config_path(o.config), NULL);
    if (!s)
        return CLI_USAGE;
    if (!snapshot_resolve_account(s, span_of(o.as)))
        s = control_load_instead(NULL, cli_config_path(o.config), s);
    status = run(&o, w, s, json);
    snapshot_unref(s);
    return status;
}
