/* From options to the facts of a request. Nothing is sent; a given token is verified for real. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/unique_id.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/why.h"
#include "decision/credential.h"
#include "gateway/token_state.h"
#include "jose/jws.h"

#define COMMAND "why"

enum { TOKEN_TEXT_MAX = 64 * 1024 };

static const int64_t HOUR_S = 3600;

/* What gcloud puts into the ID tokens of people; they cannot choose. */
static const char GCLOUD_CLIENT[] = "32555940559.apps.googleusercontent.com";

/* ---- which service ---- */

static int unknown_service(const snapshot *s, const char *name)
{
    const size_t count = snapshot_service_count(s);
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        abort();
    for (size_t i = 0; i < count; i++)
        names[i] = snapshot_service(s, i)->name;
    const char *near = did_you_mean(span_of(name), names);
    const int status =
        near ? cli_usage_error(COMMAND, "no service '%s' in %s; did you mean '%s'?", name,
                               snapshot_project(s)->file, near)
             : cli_usage_error(COMMAND, "no service '%s' in %s", name, snapshot_project(s)->file);
    free(names);
    return status;
}

static int find_target(const why_options *o, const snapshot *s, why_case *c)
{
    c->path = o->path ? o->path : "/";
    if (c->path[0] != '/')
        return cli_usage_error(COMMAND, "--path begins with '/', not '%s'", c->path);
    if (o->host) {
        host_kind kind = HOST_OWN;
        c->facts.service = snapshot_route_host(s, span_of(o->host), &kind);
        c->facts.by_run_app_host = c->facts.service && kind == HOST_RUN_APP;
        const span path = {c->path, strcspn(c->path, "?#")};
        c->facts.reserved_path = c->facts.by_run_app_host && decide_reserved_path(path);
    } else if (o->to) {
        c->facts.service = snapshot_find_service(s, span_of(o->to));
        if (!c->facts.service)
            return unknown_service(s, o->to);
    } else {
        return cli_usage_error(COMMAND, "which service is called? --to SERVICE is missing");
    }
    c->facts.internal = o->internal;
    return -1;
}

/* ---- a given token ---- */

static jwks *read_keys(const why_options *o, const snapshot *s, error *e)
{
    auto_free char *dir = cli_keys_dir(o->keys, s);
    keystore *store = keystore_open(dir, false, clock_system(), e);
    if (!store)
        return NULL;
    jwks *keys = jwks_parse(keystore_jwks(store), e);
    keystore_close(store);
    return keys;
}

static void verify(const why_options *o, const snapshot *s, span token, why_case *c)
{
    error e = {0};
    jwks *keys = read_keys(o, s, &e);
    if (!keys) {
        fprintf(stderr, "invoker why: the token cannot be verified: %s\n", e.text);
        c->facts.token = TOKEN_NO_KEYS;
        return;
    }
    c->facts.token = token_state_of(jws_verify(keys, token, &c->parsed, NULL));
    c->facts.claims = c->parsed;
    jwks_unref(keys);
}

static bool read_token(const char *option, char **out, error *e)
{
    if (strcmp(option, "-") != 0) {
        *out = span_dup(span_of(option));
        return true;
    }
    char *text = calloc(1, TOKEN_TEXT_MAX + 1);
    if (!text)
        abort();
    size_t n = fread(text, 1, TOKEN_TEXT_MAX, stdin);
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        text[--n] = '\0';
    *out = text;
    return n < TOKEN_TEXT_MAX ||
           error_set(e, ERR_LIMIT, "the token on standard input has more than %d bytes",
                     TOKEN_TEXT_MAX);
}

static int use_token(const why_options *o, const snapshot *s, bool serverless, why_case *c)
{
    error e = {0};
    if (!read_token(o->token, &c->text, &e))
        return cli_failed(COMMAND, &e);
    auto_buf buf value = buf_make(TOKEN_TEXT_MAX + 16);
    /* A whole header value may be given as well. */
    if (!strchr(c->text, ' '))
        buf_str(&value, "Bearer ");
    buf_str(&value, c->text);
    const span v = buf_view(&value);
    const span none = {NULL, 0};
    const credential found =
        credential_find(!serverless, serverless ? none : v, serverless, serverless ? v : none);
    c->facts.header = found.header;
    c->facts.token = found.state;
    if (found.state == TOKEN_UNCHECKED)
        verify(o, s, found.token, c);
    return -1;
}

/* ---- a made-up one ---- */

static token_state made_up_state(const why_options *o)
{
    return o->way[WAY_ACCESS_TOKEN]  ? TOKEN_ACCESS
           : o->way[WAY_UNSIGNED]    ? TOKEN_BAD_ALG
           : o->way[WAY_FOREIGN_KEY] ? TOKEN_UNKNOWN_KEY
           : o->way[WAY_TAMPERED]    ? TOKEN_BAD_SIGNATURE
           : o->way[WAY_REPEATED]    ? TOKEN_REPEATED_HEADER
                                     : TOKEN_VERIFIED;
}

/* The e-mail that --as means, or NULL after a message. */
static const char *caller_email(const why_options *o, const snapshot *s)
{
    const account *a = snapshot_resolve_account(s, span_of(o->as));
    if (a)
        return a->email;
    const service *svc = snapshot_find_service(s, span_of(o->as));
    if (svc)
        cli_usage_error(COMMAND, "'%s' is a service; it runs as --as %s", o->as,
                        svc->account->email);
    else if (!strchr(o->as, '@'))
        cli_usage_error(COMMAND, "no service account '%s' in %s", o->as, snapshot_project(s)->file);
    else
        return o->as;
    return NULL;
}

static void spoil(const why_options *o, claims *c)
{
    if (o->way[WAY_EXPIRED]) {
        c->iat_s -= 2 * HOUR_S;
        c->exp_s -= 2 * HOUR_S;
    } else if (o->way[WAY_EARLY]) {
        c->iat_s += HOUR_S;
        c->exp_s += HOUR_S;
    } else if (o->way[WAY_WRONG_ISSUER]) {
        c->iss = "https://issuer.invalid";
    } else if (o->way[WAY_NO_EMAIL]) {
        c->email = NULL;
        c->email_verified = false;
    }
}

static int make_up(const why_options *o, const snapshot *s, int64_t now_us, why_case *c)
{
    const char *email = caller_email(o, s);
    if (!email)
        return CLI_USAGE;
    account_unique_id(span_of(email), c->id);
    const bool person = member_kind_of_email(span_of(email)) == MEMBER_USER;
    const char *url = c->facts.service ? c->facts.service->url : "";
    c->aud[0] = o->audience ? o->audience : person ? GCLOUD_CLIENT : url;
    c->made_up = (claims){.iss = "https://accounts.google.com",
                          .sub = c->id,
                          .azp = c->id,
                          .email = email,
                          .email_verified = true,
                          .aud = c->aud,
                          .aud_count = 1,
                          .has_exp = true,
                          .has_iat = true,
                          .iat_s = now_us / 1000000,
                          .exp_s = now_us / 1000000 + HOUR_S};
    spoil(o, &c->made_up);
    c->facts.token = made_up_state(o);
    c->facts.claims = o->way[WAY_ACCESS_TOKEN] ? NULL : &c->made_up;
    return -1;
}

/* ---- all ---- */

static int check_caller(const why_options *o)
{
    const int who = (o->as != NULL) + (o->token != NULL) + o->anonymous;
    if (who == 0)
        return cli_usage_error(COMMAND, "who calls? --as ACCOUNT, --token TOKEN or --anonymous");
    if (who > 1)
        return cli_usage_error(COMMAND, "--as, --token and --anonymous exclude each other");
    if (o->audience && !o->as)
        return cli_usage_error(COMMAND, "--audience goes with --as");
    return -1;
}

static int check_ways(const why_options *o)
{
    size_t ways = 0;
    for (size_t i = 0; i < WAY_COUNT; i++)
        ways += o->way[i];
    if (ways > 1)
        return cli_usage_error(COMMAND, "a token is wrong in one way at a time");
    if (ways && !o->as)
        return cli_usage_error(COMMAND, "a way to be wrong goes with --as");
    return -1;
}

static int check_header(const why_options *o, bool *out_serverless)
{
    *out_serverless = o->header && strcmp(o->header, "serverless") == 0;
    if (!o->header || *out_serverless || strcmp(o->header, "authorization") == 0)
        return -1;
    return cli_usage_error(COMMAND, "--header is 'authorization' or 'serverless', not '%s'",
                           o->header);
}

int why_case_make(const why_options *o, const snapshot *s, int64_t now_us, why_case *out)
{
    bool serverless = false;
    int status = check_caller(o);
    if (status < 0)
        status = check_ways(o);
    if (status < 0)
        status = check_header(o, &serverless);
    if (status < 0)
        status = find_target(o, s, out);
    if (status >= 0 || o->anonymous)
        return status;
    if (o->token)
        return use_token(o, s, serverless, out);
    out->facts.header = serverless ? HEADER_SERVERLESS : HEADER_AUTHORIZATION;
    return make_up(o, s, now_us, out);
}

void why_case_free(why_case *c)
{
    claims_free(c->parsed);
    free(c->text);
}
