/* `invoker token --as SA --audience URL`: a token as the metadata server would mint it, or one that
 * is wrong in exactly one way. */
#include <string.h>

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "decision/lookup.h"
#include "jose/b64url.h"
#include "jose/forge.h"
#include "jose/id_token.h"

#define COMMAND "token"

enum {
    TOKEN_MAX = 128 * 1024,
    REPORT_MAX = 256 * 1024,
    ACCESS_TOKEN_BYTES = 120,
    EXPIRED_FOR_S = 300,
    EARLY_BY_S = 3600,
    LIFETIME_MAX_S = 10 * 366 * 86400
};

/* What was asked for, settled. */
typedef struct request {
    const account *account;
    const char *audience, *issuer;
    int64_t lifetime_s, skew_s, now_s;
    const keystore *keys;
} request;

/* ---- claims that are wrong ---- */

static void make_expired(id_token_claims *c, const request *r)
{
    c->iat_s = r->now_s - r->skew_s - EXPIRED_FOR_S - c->lifetime_s;
}
static void make_early(id_token_claims *c, const request *r)
{
    c->iat_s = r->now_s + r->skew_s + EARLY_BY_S;
}
static void make_wrong_audience(id_token_claims *c, const request *r)
{
    (void)r;
    c->audience = SPAN_LIT("https://another-service.invalid");
}
static void make_wrong_issuer(id_token_claims *c, const request *r)
{
    (void)r;
    c->issuer = SPAN_LIT("https://issuer.invalid");
}
static void leave_out_email(id_token_claims *c, const request *r)
{
    (void)r;
    c->email = (span){0};
}

/* ---- ways ---- */

typedef struct way {
    const char *name, *help;
    void (*change)(id_token_claims *c, const request *r);
    char *(*sign)(const keystore *k, span payload, error *e); /* NULL: as it should be */
    bool tampered, opaque;
    bool sets_audience, sets_issuer, sets_times; /* then the option for it makes no sense */
} way;

static const way ways[] = {
    {.name = "expired", .help = "ended five minutes ago", .change = make_expired},
    {.name = "not-yet-valid",
     .help = "issued an hour from now (a clock that is ahead)",
     .change = make_early},
    {.name = "wrong-audience",
     .help = "made for another service",
     .change = make_wrong_audience,
     .sets_audience = true},
    {.name = "wrong-issuer",
     .help = "issued by somebody else than Google",
     .change = make_wrong_issuer,
     .sets_issuer = true},
    {.name = "no-email", .help = "without e-mail claims", .change = leave_out_email},
    {.name = "foreign-key",
     .help = "signed by a key that is not published",
     .sign = forge_foreign_key},
    {.name = "foreign-key-same-kid",
     .help = "signed by another key under a published kid",
     .sign = forge_foreign_signature},
    {.name = "unsigned", .help = "alg none, no signature", .sign = forge_unsigned},
    {.name = "hs256",
     .help = "HMAC with the public key as the secret (algorithm confusion)",
     .sign = forge_hs256},
    {.name = "tampered", .help = "payload changed after signing", .tampered = true},
    {.name = "access-token",
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

/* ---- making one ---- */

static char *access_token(error *e)
{
    uint8_t bytes[ACCESS_TOKEN_BYTES];
    random_bytes(bytes, sizeof bytes);
    auto_buf buf b = buf_make(TOKEN_MAX);
    buf_str(&b, "ya29.c.");
    b64url_encode(&b, bytes, sizeof bytes);
    (void)e;
    return buf_take(&b);
}

/* The lie in a tampered token is a later end: what somebody with an old token would want. */
static char *tamper(const request *r, id_token_claims c, span payload, error *e)
{
    auto_free char *good = keystore_sign_jwt(r->keys, payload, e);
    if (!good)
        return NULL;
    c.lifetime_s += 86400;
    auto_buf buf changed = buf_make(TOKEN_MAX);
    id_token_payload(&changed, &c);
    return forge_tampered(span_of(good), buf_view(&changed), e);
}

static char *make_token(const request *r, const way *w, id_token_claims *out_claims, error *e)
{
    id_token_claims c = {
        .audience = span_of(r->audience),
        .email = span_of(r->account->email),
        .unique_id = span_of(r->account->unique_id),
        .iat_s = r->now_s,
        .lifetime_s = r->lifetime_s,
        .issuer = span_of(r->issuer),
    };
    if (w && w->change)
        w->change(&c, r);
    *out_claims = c;
    if (w && w->opaque)
        return access_token(e);
    auto_buf buf payload = buf_make(TOKEN_MAX);
    id_token_payload(&payload, &c);
    if (w && w->tampered)
        return tamper(r, c, buf_view(&payload), e);
    return (w && w->sign ? w->sign : keystore_sign_jwt)(r->keys, buf_view(&payload), e);
}

/* ---- printing it ---- */

static void add_member(buf *b, const char *name, span value)
{
    buf_str(b, name);
    buf_json(b, value);
}

static int print_json(const request *r, const way *w, const char *token, const id_token_claims *c)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    add_member(&b, "{\"token\":", span_of(token));
    add_member(&b, ",\"account\":", span_of(r->account->email));
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
        add_member(&b, ",\"way\":", span_of(w->name));
    else
        buf_str(&b, ",\"way\":null");
    buf_str(&b, "}\n");
    return cli_print(&b, CLI_OK);
}

static int print_token(const request *r, const way *w, bool json)
{
    error e = {0};
    id_token_claims c;
    auto_free char *token = make_token(r, w, &c, &e);
    if (!token)
        return cli_failed(COMMAND, &e);
    if (json)
        return print_json(r, w, token, &c);
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
            return cli_usage_error(COMMAND, "--%s and --%s exclude each other", (*out)->name,
                                   ways[i].name);
        *out = &ways[i];
    }
    const way *w = *out;
    if (w && w->sets_issuer && o->issuer)
        return cli_usage_error(COMMAND, "--%s and --issuer exclude each other", w->name);
    if (w && w->sets_times && o->lifetime_s != LIFETIME_UNSET)
        return cli_usage_error(COMMAND, "--%s and --lifetime exclude each other", w->name);
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
    request r = {
        .account = lookup_account(s, o->as, &e),
        .audience = o->audience ? o->audience : "",
        .issuer = o->issuer,
        .lifetime_s = o->lifetime_s == LIFETIME_UNSET ? snapshot_emulation(s)->token_lifetime_s
                                                      : o->lifetime_s,
        .skew_s = snapshot_emulation(s)->clock_skew_s,
        .now_s = clock_now_s(clock_system()),
    };
    if (!r.account)
        return cli_usage_error(COMMAND, "%s", e.text);
    auto_free char *dir = cli_keys_dir(o->keys, s);
    keystore *keys = keystore_open(dir, true, clock_system(), &e);
    if (!keys)
        return cli_failed(COMMAND, &e);
    r.keys = keys;
    const int status = print_token(&r, w, json);
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
        options[8 + i] = (cli_option){ways[i].name, 0, CLI_FLAG, NULL, ways[i].help, &o->chosen[i]};
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
