/* Which service a Host header names at the shared ingress. */
#include "base/buf.h"
#include "policy/snapshot_internal.h"

void authority_split(span authority, span *out_host, span *out_port)
{
    size_t end;
    if (authority.n && authority.p[0] == '[') {
        const size_t close = span_find(authority, ']');
        end = close < authority.n ? close + 1 : close;
    } else {
        end = span_find(authority, ':');
    }
    *out_host = (span){authority.p, end};
    *out_port = span_from(authority, end);
}

static bool host_key(span host, char out[KEY_TEXT_MAX], span *out_key)
{
    span name, port;
    authority_split(host, &name, &port);
    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    return name.n > 0 && key_lower(name, out, out_key);
}

const service *snapshot_route_host(const snapshot *s, span host, host_kind *out_kind)
{
    char text[KEY_TEXT_MAX];
    span key;
    if (!host_key(host, text, &key))
        return NULL;
    const host_entry *entry = strmap_get(s->hosts, key);
    if (!entry || !entry->service)
        return NULL;
    if (out_kind)
        *out_kind = entry->kind;
    return entry->service;
}

/* The first claim stands. A weak claim (the host of `url:`, whose port is not looked at) that meets
 * another service's weak claim voids both. */
static void claim(snapshot *s, span host, const service *svc, host_kind kind, bool weak)
{
    char text[KEY_TEXT_MAX];
    span key;
    if (!host_key(host, text, &key))
        return;
    host_entry *entry = strmap_get(s->hosts, key);
    if (!entry) {
        entry = textpool_alloc(s->pool, sizeof *entry);
        *entry = (host_entry){svc, kind};
        strmap_put(s->hosts, key, entry);
    } else if (weak && entry->kind == HOST_OWN && entry->service != svc) {
        entry->service = NULL;
    }
}

static void claim_default_names(snapshot *s, const service *svc)
{
    auto_buf buf local = buf_make(KEY_TEXT_MAX);
    buf_fmt(&local, "%s.localhost", svc->name);
    claim(s, buf_view(&local), svc, HOST_OWN, false);
    const service_urls *urls = &s->urls[svc->index];
    for (size_t i = 0; i < urls->count; i++) {
        if (urls->forms[i].run_app)
            claim(s, urls->forms[i].host, svc, HOST_RUN_APP, false);
    }
}

void snapshot_index_hosts(snapshot *s)
{
    for (size_t i = 0; i < s->service_count; i++)
        claim_default_names(s, &s->services[i]);
    for (size_t i = 0; i < s->service_count; i++) {
        for (const char *const *h = s->services[i].hosts; *h; h++)
            claim(s, span_of(*h), &s->services[i], HOST_CUSTOM, false);
    }
    /* Loopback names belong to the listener, not to any one service. */
    for (size_t i = 0; i < s->service_count; i++) {
        url_parts url;
        if (s->services[i].url && url_split(span_of(s->services[i].url), &url) &&
            !url_same_host(url.host, SPAN_LIT("localhost")))
            claim(s, url.host, &s->services[i], HOST_OWN, true);
    }
}
