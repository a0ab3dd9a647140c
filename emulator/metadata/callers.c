/* The address map: fixed ranges sorted by width, then names with what the name service last said.
 */
#include "metadata/callers.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/log.h"

typedef struct range {
    net_cidr cidr;
    const service *service;
} range;

typedef struct name {
    char *text;
    const service *service;
    net_cidr found[RESOLVED_MAX];
    size_t count;
    int64_t fresh_until_us; /* 0: never asked */
    bool asking;
} name;

struct callers {
    loop *loop;
    resolver *resolver;
    void (*on_news)(void *ctx);
    void *ctx;
    range *ranges;
    size_t range_count;
    name *names;
    size_t name_count;
};

static void on_result(void *ctx, const char *text, const net_addr *addresses, size_t count);

callers *callers_open(loop *l, void (*on_news)(void *ctx), void *ctx, error *e)
{
    callers *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    *c = (callers){.loop = l, .on_news = on_news, .ctx = ctx};
    c->resolver = resolver_open(l, on_result, c, e);
    if (c->resolver)
        return c;
    free(c);
    return NULL;
}

static void free_names(name *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i].text);
    free(names);
}

void callers_close(callers *c)
{
    if (!c)
        return;
    resolver_close(c->resolver);
    free(c->ranges);
    free_names(c->names, c->name_count);
    free(c);
}

static void *grown(void *list, size_t count, size_t size)
{
    void *bigger = realloc(list, (count + 1) * size);
    if (!bigger)
        abort();
    return bigger;
}

static const name *known_name(const name *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].text, text) == 0)
            return &list[i];
    return NULL;
}

static void add_name(callers *c, const service *svc, const char *text, const name *known)
{
    c->names = grown(c->names, c->name_count, sizeof *c->names);
    name *n = &c->names[c->name_count++];
    *n = known ? *known : (name){0};
    n->text = span_dup(span_of(text));
    n->service = svc;
}

static int narrowest_first(const void *a, const void *b)
{
    const range *x = a;
    const range *y = b;
    return (y->cidr.bits > x->cidr.bits) - (y->cidr.bits < x->cidr.bits);
}

void callers_use(callers *c, const snapshot *s)
{
    name *old = c->names;
    size_t old_count = c->name_count;
    c->names = NULL;
    c->name_count = 0;
    c->range_count = 0;
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *svc = snapshot_service(s, i);
        for (size_t k = 0; svc->addresses && svc->addresses[k]; k++) {
            range r = {.service = svc};
            if (net_cidr_parse(span_of(svc->addresses[k]), &r.cidr, NULL)) {
                c->ranges = grown(c->ranges, c->range_count, sizeof *c->ranges);
                c->ranges[c->range_count++] = r;
            } else {
                add_name(c, svc, svc->addresses[k], known_name(old, old_count, svc->addresses[k]));
            }
        }
    }
    if (c->range_count)
        qsort(c->ranges, c->range_count, sizeof *c->ranges, narrowest_first);
    free_names(old, old_count);
}

static bool to_cidr(const net_addr *a, net_cidr *out)
{
    char text[NET_ADDR_TEXT_MAX];
    return net_cidr_parse(span_of(net_addr_ip(a, text)), out, NULL);
}

static void on_result(void *ctx, const char *text, const net_addr *addresses, size_t count)
{
    callers *c = ctx;
    for (size_t i = 0; i < c->name_count; i++) {
        name *n = &c->names[i];
        if (strcmp(n->text, text) != 0)
            continue;
        n->asking = false;
        n->count = 0;
        for (size_t k = 0; k < count; k++)
            if (to_cidr(&addresses[k], &n->found[n->count]))
                n->count++;
        n->fresh_until_us = loop_now_us(c->loop) + (n->count ? CALLERS_TTL_US : CALLERS_RETRY_US);
        if (n->count == 0)
            log_at(LOG_DEBUG, "address name is unknown", LOG_S("name", text),
                   LOG_S("service", n->service->name));
    }
    c->on_news(c->ctx);
}

/* Whether the name needs no (further) look-up. */
static bool settled(callers *c, name *n)
{
    if (n->fresh_until_us > loop_now_us(c->loop))
        return true;
    if (!n->asking && !(n->asking = resolver_ask(c->resolver, n->text)))
        return true; /* the resolver is swamped: judge by what is known */
    return false;
}

static bool name_has(const name *n, const net_addr *peer)
{
    for (size_t i = 0; i < n->count; i++)
        if (net_cidr_has(&n->found[i], peer))
            return true;
    return false;
}

/* What is written down needs no look-up, and a name service that hangs must not delay it. */
caller_match callers_find(callers *c, const net_addr *peer, const service **out)
{
    for (size_t i = 0; i < c->range_count; i++) {
        if (net_cidr_has(&c->ranges[i].cidr, peer)) {
            *out = c->ranges[i].service;
            return CALLER_KNOWN;
        }
    }
    bool unsure = false;
    for (size_t i = 0; i < c->name_count; i++) {
        if (!settled(c, &c->names[i])) {
            unsure = true;
        } else if (name_has(&c->names[i], peer)) {
            *out = c->names[i].service;
            return CALLER_KNOWN;
        }
    }
    return unsure ? CALLER_UNSURE : CALLER_UNMAPPED;
}
