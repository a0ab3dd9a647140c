/* From the options of `invoker why` to the facts of a request; a given token is verified for real.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/why.h"
#include "decision/credential.h"
#include "gateway/token_state.h"
#include "jose/jws.h"
#include "jose/keystore.h"

#define COMMAND "why"

enum { TOKEN_TEXT_MAX = 64 * 1024 };

/* ---- a given token ---- */

static jwks *read_keys(const why_options *o, const snapshot *s)
{
    error e = {0};
    auto_free char *dir = cli_keys_dir(o->keys, s);
    keystore *store = keystore_open(dir, false, clock_system(), &e);
    jwks *keys = store ? jwks_parse(keystore_jwks(store), &e) : NULL;
    keystore_close(store);
    if (!keys)
        fprintf(stderr, "invoker why: the token cannot be verified: %s\n", e.text);
    return keys;
}

void why_case_token(why_case *c, bool serverless, const jwks *keys)
{
    auto_buf buf value = buf_make(TOKEN_TEXT_MAX + 16);
    /* A whole header value may be given as well. */
    if (!strchr(c->text, ' '))
        buf_str(&value, "Bearer ");
    buf_str(&value, c->text);
    const span v = buf_view(&value);
    const span none = {NULL, 0};
    const credential found =
        credential_find(!serverless, serverless ? none : v, serverless, serverless ? v : none);
    c->h.facts.header = found.header;
    c->h.facts.token = found.state;
    if (found.state != TOKEN_UNCHECKED)
        return;
    c->h.facts.token =
        keys ? token_state_of(jws_verify(keys, found.token, &c->parsed, NULL)) : TOKEN_NO_KEYS;
    c->h.facts.claims = c->parsed;
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
    why_case_token(c, serverless, NULL);
    if (c->h.facts.token != TOKEN_NO_KEYS)
        return -1; /* no key would tell more */
    jwks *keys = read_keys(o, s);
    if (keys)
        why_case_token(c, serverless, keys);
    jwks_unref(keys);
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

/* -1 to go on, with the one way that was chosen. */
static int choose_way(const why_options *o, token_way *out)
{
    for (size_t i = 1; i < WAY_COUNT; i++) {
        if (!o->way[i])
            continue;
        if (*out != WAY_NONE)
            return cli_usage_error(COMMAND, "a token is wrong in one way at a time");
        *out = (token_way)i;
    }
    if (*out != WAY_NONE && !o->as)
        return cli_usage_error(COMMAND, "a way to be wrong goes with --as");
    return -1;
}

int why_case_make(const why_options *o, const snapshot *s, int64_t now_us, why_case *out)
{
    error e = {0};
    hypothesis_options made_up = {.caller = o->as,
                                  .service = o->to,
                                  .host = o->host,
                                  .audience = o->audience,
                                  .path = o->path,
                                  .internal = o->internal};
    int status = check_caller(o);
    if (status < 0)
        status = choose_way(o, &made_up.way);
    if (status < 0 && !o->host && !o->to)
        status = cli_usage_error(COMMAND, "which service is called? --to SERVICE is missing");
    if (status >= 0)
        return status;
    if (!token_header_parse(o->header, &made_up.header, &e) ||
        !hypothesis_make(&made_up, s, now_us, &out->h, &e))
        return cli_usage_error(COMMAND, "%s", e.text);
    return o->token ? use_token(o, s, made_up.header == HEADER_SERVERLESS, out) : -1;
}

void why_case_free(why_case *c)
{
    hypothesis_free(&c->h);
    claims_free(c->parsed);
    free(c->text);
}
