/* Which audiences a service accepts ("Custom audiences" and "Authenticating service-to-service" in
 * Cloud Run's docs), and what a refused one nearly was. */
#include "base/buf.h"
#include "policy/snapshot_internal.h"

enum { ACCEPTED_MAX = 64 * 1024 };

/* OAuth clients of gcloud and of application-default user logins: the audience of every ID token
 * that a person gets from them. Cloud Run trusts both. */
static const char *const trusted_clients[] = {
    "32555940559.apps.googleusercontent.com",
    "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com",
};

bool url_split(span url, url_parts *out)
{
    const size_t colon = span_find(url, ':');
    const span scheme = {url.p, colon};
    if (!span_eq_str(scheme, "http") && !span_eq_str(scheme, "https"))
        return false;
    if (!span_starts(span_from(url, colon), SPAN_LIT("://")))
        return false;
    const span behind = span_from(url, colon + 3);
    const size_t slash = span_find(behind, '/'), query = span_find(behind, '?');
    const size_t fragment = span_find(behind, '#');
    size_t end = slash < query ? slash : query;
    end = fragment < end ? fragment : end;
    *out = (url_parts){.scheme = scheme, .rest = span_from(behind, end)};
    authority_split((span){behind.p, end}, &out->host, &out->port);
    return true;
}

static bool is_loopback(span host)
{
    return span_eq_str(host, "localhost") || span_eq_str(host, "127.0.0.1") ||
           span_eq_str(host, "[::1]");
}

bool url_same_host(span a, span b)
{
    return span_eq(a, b) || (is_loopback(a) && is_loopback(b));
}

static bool same_origin_host(const url_form *form, span host, span port)
{
    return span_eq(form->port, port) && url_same_host(form->host, host);
}

/* A path is tolerated: senders of push messages use the whole target URL. */
static bool has_query(span rest)
{
    return span_find(rest, '?') < rest.n || span_find(rest, '#') < rest.n;
}

static bool in_list(const char *const *list, span text)
{
    for (; *list; list++) {
        if (span_eq_str(text, *list))
            return true;
    }
    return false;
}

/* What stands behind "TAG---"; empty when there is no tag. */
static span without_tag(span host)
{
    for (size_t i = 1; i + 3 < host.n; i++) {
        if (memcmp(host.p + i, "---", 3) == 0)
            return span_from(host, i + 3);
    }
    return (span){host.p, 0};
}

/* Against the service's own URLs; AUDIENCE_FOREIGN when none of them is even near. */
static audience_verdict against_own(const service_urls *urls, const url_parts *aud)
{
    audience_verdict nearest = AUDIENCE_FOREIGN;
    const span untagged = without_tag(aud->host);
    for (size_t i = 0; i < urls->count; i++) {
        const url_form *form = &urls->forms[i];
        audience_verdict v = AUDIENCE_FOREIGN;
        if (same_origin_host(form, aud->host, aud->port))
            v = !span_eq(form->scheme, aud->scheme) ? AUDIENCE_WRONG_SCHEME
                : has_query(aud->rest)              ? AUDIENCE_HAS_QUERY
                                                    : AUDIENCE_OK;
        else if (form->run_app && untagged.n && same_origin_host(form, untagged, aud->port))
            v = AUDIENCE_TAG_URL;
        if (v < nearest)
            nearest = v;
    }
    return nearest;
}

static bool bare_host_of(const service_urls *urls, span host, span port)
{
    for (size_t i = 0; i < urls->count; i++) {
        if (url_same_host(urls->forms[i].host, host) &&
            (port.n == 0 || span_eq(urls->forms[i].port, port)))
            return true;
    }
    return false;
}

/* "host:port" with the loopback names made one; the key of snapshot.audiences. */
static bool origin_key(span host, span port, char out[KEY_TEXT_MAX], span *out_key)
{
    const span name = is_loopback(host) ? SPAN_LIT("localhost") : host;
    if (name.n + port.n > KEY_TEXT_MAX)
        return false;
    memcpy(out, name.p, name.n);
    if (port.n)
        memcpy(out + name.n, port.p, port.n);
    *out_key = (span){out, name.n + port.n};
    return true;
}

static const service *owner_of(const snapshot *s, span host, span port)
{
    char text[KEY_TEXT_MAX];
    span key;
    return host.n && origin_key(host, port, text, &key) ? strmap_get(s->audiences, key) : NULL;
}

/* Somebody's host without a scheme, or another service's URL or custom audience. */
static audience_verdict against_all(const snapshot *s, const service *svc, span aud,
                                    const service **out_other)
{
    url_parts url = {.rest = {NULL, 0}};
    const bool is_url = url_split(aud, &url);
    if (!is_url)
        authority_split((span){aud.p, span_find(aud, '/')}, &url.host, &url.port);
    if (!is_url && bare_host_of(&s->urls[svc->index], url.host, url.port))
        return AUDIENCE_BARE_HOST;
    const service *owner = strmap_get(s->audiences, aud);
    if (!owner)
        owner = owner_of(s, url.host, url.port);
    if (!owner)
        owner = owner_of(s, without_tag(url.host), url.port);
    if (!owner || owner == svc)
        return AUDIENCE_FOREIGN;
    *out_other = owner;
    return AUDIENCE_OTHER_SERVICE;
}

/* Custom audiences count letter by letter. */
static bool is_nearly(span aud, span custom)
{
    url_parts url;
    if (span_ieq(aud, custom))
        return true;
    if (url_split(aud, &url)) {
        const span behind = span_from(aud, url.scheme.n + 3);
        if (span_starts(behind, custom) && is_nearly(behind, custom))
            return true;
    }
    const bool longer = aud.n > custom.n;
    const span big = longer ? aud : custom, small = longer ? custom : aud;
    return small.n && span_starts(big, small) && strchr("/?#", big.p[small.n]) &&
           (longer || big.n == small.n + 1);
}

static bool is_nearly_custom(const service *svc, span aud)
{
    for (const char *const *a = svc->custom_audiences; *a; a++) {
        if (is_nearly(aud, span_of(*a)))
            return true;
    }
    return false;
}

/* A right URL but for its case; else one of our hosts at another port. */
static audience_verdict against_own_loosely(const service_urls *urls, span aud)
{
    char text[KEY_TEXT_MAX];
    span lower;
    url_parts url;
    if (!key_lower(aud, text, &lower) || !url_split(lower, &url))
        return AUDIENCE_FOREIGN;
    if (against_own(urls, &url) == AUDIENCE_OK)
        return AUDIENCE_WRONG_CASE;
    return bare_host_of(urls, url.host, SPAN_LIT("")) ? AUDIENCE_WRONG_PORT : AUDIENCE_FOREIGN;
}

static bool is_custom_domain(const service *svc, span aud)
{
    url_parts url;
    if (!url_split(aud, &url))
        authority_split((span){aud.p, span_find(aud, '/')}, &url.host, &url.port);
    for (const char *const *h = svc->hosts; *h; h++) {
        if (span_ieq_str(url.host, *h))
            return true;
    }
    return false;
}

audience_verdict snapshot_audience(const snapshot *s, const service *svc, span aud,
                                   const service **out_other)
{
    const service *ignored = NULL;
    const service **other = out_other ? out_other : &ignored;
    *other = NULL;
    if (in_list(svc->custom_audiences, aud))
        return AUDIENCE_OK;
    url_parts url;
    if (url_split(aud, &url)) {
        const audience_verdict own = against_own(&s->urls[svc->index], &url);
        if (own != AUDIENCE_FOREIGN)
            return own;
    }
    for (size_t i = 0; i < countof(trusted_clients); i++) {
        if (span_eq_str(aud, trusted_clients[i]))
            return AUDIENCE_OK;
    }
    const audience_verdict loosely = against_own_loosely(&s->urls[svc->index], aud);
    if (loosely == AUDIENCE_WRONG_CASE)
        return loosely;
    if (is_nearly_custom(svc, aud))
        return AUDIENCE_NEARLY_CUSTOM;
    if (is_custom_domain(svc, aud))
        return AUDIENCE_CUSTOM_DOMAIN;
    const audience_verdict all = against_all(s, svc, aud, other);
    return all == AUDIENCE_FOREIGN ? loosely : all;
}

/* ---- building ---- */

static void add_form(snapshot *s, service *svc, const char *url, bool run_app)
{
    url_parts parts;
    if (!url || !url_split(span_of(url), &parts))
        return;
    service_urls *urls = &s->urls[svc->index];
    urls->forms[urls->count++] = (url_form){parts.scheme, parts.host, parts.port, run_app};
    char text[KEY_TEXT_MAX];
    span key;
    if (origin_key(parts.host, parts.port, text, &key))
        strmap_put(s->audiences, key, svc);
}

/* http://NAME.localhost:PORT of the shared ingress. */
static const char *localhost_url(snapshot *s, const service *svc)
{
    if (!s->project.ingress_listen)
        return NULL;
    span host, port;
    authority_split(span_of(s->project.ingress_listen), &host, &port);
    auto_buf buf b = buf_make(KEY_TEXT_MAX);
    buf_fmt(&b, "http://%s.localhost", svc->name);
    if (!span_eq_str(port, ":80"))
        buf_span(&b, port);
    return textpool_span(s->pool, buf_view(&b));
}

static void add_urls(snapshot *s, service *svc, buf *accepted)
{
    const char *const urls[] = {svc->url, svc->deterministic_url, svc->hash_url,
                                localhost_url(s, svc)};
    buf_clear(accepted);
    for (size_t i = 0; i < countof(urls); i++) {
        add_form(s, svc, urls[i], urls[i] == svc->deterministic_url || urls[i] == svc->hash_url);
        if (urls[i] && !(i && span_eq_str(span_of(urls[i]), urls[0])))
            buf_fmt(accepted, "%s%s", accepted->n ? "\n" : "", urls[i]);
    }
    for (const char *const *a = svc->custom_audiences; *a; a++)
        buf_fmt(accepted, "%s%s", accepted->n ? "\n" : "", *a);
    svc->accepted = textpool_span(s->pool, buf_view(accepted));
}

void snapshot_index_audiences(snapshot *s)
{
    auto_buf buf accepted = buf_make(ACCEPTED_MAX);
    for (size_t i = 0; i < s->service_count; i++)
        add_urls(s, &s->services[i], &accepted);
    for (size_t i = 0; i < s->service_count; i++) {
        for (const char *const *a = s->services[i].custom_audiences; *a; a++)
            strmap_put(s->audiences, span_of(*a), &s->services[i]);
        for (const char *const *h = s->services[i].hosts; *h; h++)
            strmap_put(s->audiences, span_of(*h), &s->services[i]);
    }
}
