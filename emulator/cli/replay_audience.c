/* Audiences that are addresses of listeners: `up --ephemeral-ports` has others each time. */
#include <string.h>

#include "cli/replay.h"

enum { KEY_MAX = 300, ORIGINS_MAX = 100000 };

typedef struct owner {
    const service *service;
} owner;

/* ---- addresses ---- */

static bool is_digits(span s, const char *others)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < '0' || s.p[i] > '9') && (s.p[i] == '\0' || !strchr(others, s.p[i])))
            return false;
    return s.n > 0;
}

/* "HOST:PORT" of an authority; the port may be missing. */
static span host_of(span authority)
{
    if (authority.n && authority.p[0] == '[')
        return (span){authority.p, span_find(authority, ']') + 1};
    return (span){authority.p, span_find(authority, ':')};
}

/* localhost, NAME.localhost or a literal IP address: nobody writes such a thing as url: of a
 * service that others find by name. */
static bool is_address(span authority)
{
    const span host = host_of(authority);
    return host.n <= authority.n &&
           (span_eq_str(host, "localhost") || span_ends(host, SPAN_LIT(".localhost")) ||
            (host.n > 2 && host.p[0] == '[') || is_digits(host, "."));
}

/* Of "http://HOST:PORT/…" with such a host; *out_rest: from the path on. */
static bool address_url(span url, span *out_authority, span *out_rest)
{
    const span scheme = SPAN_LIT("http://");
    if (!url.p || !span_starts(url, scheme))
        return false;
    const span behind = span_from(url, scheme.n);
    size_t end = behind.n;
    for (const char *c = "/?#"; *c; c++) {
        const size_t at = span_find(behind, *c);
        end = at < end ? at : end;
    }
    *out_authority = (span){behind.p, end};
    *out_rest = span_from(behind, end);
    return is_address(*out_authority);
}

/* This machine's names are one. */
static span key_of(span authority, char text[KEY_MAX])
{
    const span host = host_of(authority);
    const bool here = span_eq_str(host, "127.0.0.1") || span_eq_str(host, "[::1]");
    const span name = here ? SPAN_LIT("localhost") : host;
    const span port = span_from(authority, host.n);
    if (name.n + port.n > KEY_MAX)
        return (span){0};
    memcpy(text, name.p, name.n);
    if (port.n)
        memcpy(text + name.n, port.p, port.n);
    return (span){text, name.n + port.n};
}

/* ---- whose they were ---- */

/* overwrite: the port may have been somebody else's in an earlier run. */
static void note_owner(replay *p, span authority, const service *svc, bool overwrite)
{
    char text[KEY_MAX];
    const span key = key_of(authority, text);
    owner *o = key.n ? strmap_get(p->origins, key) : NULL;
    if (o && overwrite)
        o->service = svc;
    if (o || !key.n || strmap_count(p->origins) == ORIGINS_MAX)
        return;
    o = arena_alloc(p->mem, sizeof *o);
    o->service = svc;
    (void)strmap_put(p->origins, key, o);
}

static const service *owner_of(const replay *p, span authority)
{
    char text[KEY_MAX];
    const span key = key_of(authority, text);
    const owner *o = key.n ? strmap_get(p->origins, key) : NULL;
    return o ? o->service : NULL;
}

/* The audience is checked before whom the token names and what they may. */
static bool was_accepted(const recorded *r)
{
    static const bool behind[REASON_COUNT_] = {
        [REASON_GRANTED] = true,        [REASON_NO_PRINCIPAL] = true,
        [REASON_DENIED] = true,         [REASON_ACCOUNT_DISABLED] = true,
        [REASON_NO_GRANT] = true,       [REASON_CONDITION_NOT_MET] = true,
        [REASON_NOT_PROPAGATED] = true,
    };
    return r->facts.token == TOKEN_VERIFIED && behind[r->reason];
}

void replay_note_addresses(replay *p, const recorded *r, const service *svc, bool overwrite)
{
    const span host = span_of(r->host);
    const claims *c = r->facts.claims;
    span authority, rest;
    if (is_address(host) && *r->service)
        note_owner(p, host, svc, overwrite);
    if (c && c->aud_count == 1 && was_accepted(r) &&
        address_url(span_of(c->aud[0]), &authority, &rest))
        note_owner(p, authority, svc, overwrite);
}

/* ---- as they are now ---- */

static const char *moved(const service *to, span rest, arena *mem)
{
    span authority, none;
    if (!address_url(span_of(to->url), &authority, &none))
        return NULL; /* its URL is another by intent */
    return arena_fmt(mem, "http://%.*s%.*s", SPAN_ARG(authority), SPAN_ARG(rest));
}

static const char *audience_now(const replay *p, const char *aud, arena *mem)
{
    span authority, rest;
    if (!address_url(span_of(aud), &authority, &rest))
        return aud;
    const service *to = owner_of(p, authority);
    const char *now = to ? moved(to, rest, mem) : NULL;
    return now ? now : aud;
}

void replay_audiences(const replay *p, claims *c, arena *mem)
{
    if (!c->aud_count)
        return;
    const char **list = arena_alloc(mem, c->aud_count * sizeof *list);
    for (size_t i = 0; i < c->aud_count; i++)
        list[i] = audience_now(p, c->aud[i], mem);
    c->aud = list;
}
