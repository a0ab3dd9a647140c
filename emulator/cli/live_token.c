/* Tokens for calls over the network. */
#include "cli/live_token.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/http_call.h"
#include "cli/mint.h"
#include "cli/up_env.h"

enum { TOKEN_MAX = 64 * 1024, PATIENCE_US = 10 * 1000 * 1000, KEY_MAX = 32 * 1024 };

void live_tokens_open(live_tokens *t, const snapshot *s, const char *keys_dir)
{
    *t = (live_tokens){.s = s, .keys_dir = keys_dir, .mem = arena_new(), .known = strmap_new()};
}

void live_tokens_close(live_tokens *t)
{
    if (t->keys)
        keystore_close(t->keys);
    strmap_free(t->known);
    arena_free(t->mem);
    *t = (live_tokens){.s = NULL};
}

/* ---- from a metadata server ---- */

/* The metadata server whose caller is this account, or NULL. */
static const char *metadata_of(const snapshot *s, const char *email)
{
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *svc = snapshot_service(s, i);
        if (svc->metadata && strcmp(svc->account->email, email) == 0)
            return svc->metadata;
    }
    return NULL;
}

static bool looks_like_token(span body)
{
    return body.n && body.n < TOKEN_MAX && span_starts(body, SPAN_LIT("ey")) &&
           span_find(body, '.') < body.n;
}

static char *fetch(const char *metadata, const char *audience, error *e)
{
    auto_free char *address = reachable_address(metadata);
    auto_buf buf request = buf_make(KEY_MAX);
    buf_str(&request, "GET /computeMetadata/v1/instance/service-accounts/default/identity"
                      "?audience=");
    buf_percent(&request, span_of(audience));
    buf_fmt(&request, " HTTP/1.1\r\nHost: %s\r\nMetadata-Flavor: Google\r\n", address);
    buf_str(&request, "Connection: close\r\n\r\n");
    http_call c = {.request = buf_view(&request),
                   .reply_max = TOKEN_MAX,
                   .connect_us = PATIENCE_US,
                   .idle_us = PATIENCE_US};
    if (!net_addr_resolve(span_of(address), &c.to, e))
        return NULL;
    http_calls_run(&c, 1);
    char *token = NULL;
    auto_buf buf trouble = buf_make(KEY_MAX);
    http_call_trouble(&c, &trouble);
    if (c.outcome != HTTP_ANSWERED)
        error_set(e, ERR_UNAVAILABLE, "the metadata server at %s: %s", address, trouble.p);
    else if (c.status != 200 || !looks_like_token(c.body))
        error_set(e, ERR_INVALID, "the metadata server at %s answers %u instead of a token",
                  address, c.status);
    else
        token = span_dup(c.body);
    http_call_free(&c);
    return token;
}

/* ---- minted ---- */

static bool open_keys(live_tokens *t, error *e)
{
    if (!t->keys)
        t->keys = keystore_open(t->keys_dir, false, clock_system(), e);
    return t->keys || error_wrap(e, "no token can be minted");
}

static char *mint_for(live_tokens *t, const hypothesis_options *o, const hypothesis *h,
                      int64_t now_us, error *e)
{
    const emulation *m = snapshot_emulation(t->s);
    if (!open_keys(t, e))
        return NULL;
    return mint_token(&(mint){.keys = t->keys,
                              .email = span_of(h->owned_email),
                              .unique_id = span_of(h->claims.sub),
                              .audience = span_of(h->owned_audience),
                              .now_s = now_us / 1000000,
                              .lifetime_s = m->token_lifetime_s,
                              .skew_s = m->clock_skew_s,
                              .way = o->way},
                      NULL, e);
}

const char *live_token(live_tokens *t, const hypothesis_options *o, const hypothesis *h,
                       int64_t now_us, error *e)
{
    auto_buf buf key = buf_make(KEY_MAX);
    buf_fmt(&key, "%d\n%s\n%s", (int)o->way, h->owned_email, h->owned_audience);
    const char *known = strmap_get(t->known, buf_view(&key));
    if (known)
        return known;
    const char *metadata =
        o->way == WAY_NONE && *h->owned_audience ? metadata_of(t->s, h->owned_email) : NULL;
    auto_free char *token =
        metadata ? fetch(metadata, h->owned_audience, e) : mint_for(t, o, h, now_us, e);
    if (!token)
        return NULL;
    char *kept = arena_dup(t->mem, span_of(token));
    (void)strmap_put(t->known, buf_view(&key), kept);
    return kept;
}
