/* Names that are nobody's here get no certificate: the answer to a typing error is an alert, not a
 * page of a service that was not meant. */
#include "gateway/certificates.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "config/values.h"
#include "pki/ca.h"

/* Leaves are good for more than a year; whoever runs for half of one makes them anew. */
enum { LEAF_S = 180 * 24 * 3600, LEAVES_MAX = 256, NAME_MAX_BYTES = 253 };

typedef struct leaf {
    struct leaf *next;
    X509 *cert;
    int64_t made_s;
} leaf;

struct certificates {
    const char *ca_dir;
    ca *ca; /* NULL until somebody asks, or as long as it cannot be opened */
    clock_source clock;
    view *view;
    strmap *by_name; /* lower-case name, or a local address → leaf */
    leaf *all;
};

static void forget_all(certificates *c)
{
    while (c->all) {
        leaf *next = c->all->next;
        X509_free(c->all->cert);
        free(c->all);
        c->all = next;
    }
    strmap_free(c->by_name);
    c->by_name = strmap_new();
}

certificates *certificates_new(const char *ca_dir, clock_source clock, view *first)
{
    certificates *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    *c = (certificates){.ca_dir = ca_dir, .clock = clock, .view = first, .by_name = strmap_new()};
    return c;
}

void certificates_free(certificates *c)
{
    if (!c)
        return;
    forget_all(c);
    strmap_free(c->by_name);
    view_unref(c->view);
    ca_close(c->ca);
    free(c);
}

void certificates_take_view(certificates *c, view *v)
{
    if (v->snap != c->view->snap)
        forget_all(c);
    view_unref(c->view);
    c->view = v;
}

/* Several services may share the host of their url:, each with a port of its own: then the name
 * routes nowhere, and is the topology's all the same. */
static bool is_host_of_a_url(const snapshot *s, span name)
{
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        origin o;
        const char *url = snapshot_service(s, i)->url;
        if (url && value_origin(span_of(url), &o) && span_ieq(o.host, name))
            return true;
    }
    return false;
}

static bool is_ours(const certificates *c, span name)
{
    const snapshot *s = c->view->snap;
    return span_eq_str(name, "localhost") || snapshot_route_host(s, name, NULL) ||
           is_host_of_a_url(s, name);
}

static leaf *remember(certificates *c, span key, X509 *cert, int64_t now_s)
{
    leaf *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    *l = (leaf){c->all, cert, now_s};
    c->all = l;
    (void)strmap_put(c->by_name, key, l);
    return l;
}

static X509 *leaf_for(certificates *c, span key, const char *const *names, size_t n)
{
    const int64_t now_s = clock_now_us(c->clock) / 1000000;
    leaf *l = strmap_get(c->by_name, key);
    if (l && now_s - l->made_s < LEAF_S)
        return l->cert;
    if (l || strmap_count(c->by_name) >= LEAVES_MAX)
        forget_all(c);
    error e = {0};
    if (!c->ca)
        c->ca = ca_open(c->ca_dir, false, c->clock, &e);
    X509 *cert = c->ca ? ca_leaf(c->ca, names, n, &e) : NULL;
    if (cert)
        return remember(c, key, cert, now_s)->cert;
    log_at(LOG_ERROR, "cannot make a certificate", LOG_V("name", key), LOG_S("error", e.text));
    return NULL;
}

static X509 *leaf_for_address(certificates *c, const net_addr *local)
{
    char ip[NET_ADDR_TEXT_MAX] = "";
    if (local->len)
        (void)net_addr_ip(local, ip);
    const char *const names[] = {"localhost", "127.0.0.1", "::1", ip};
    const bool other = ip[0] && !net_addr_is_loopback(local);
    return leaf_for(c, other ? span_of(ip) : SPAN_LIT("127.0.0.1"), names, other ? 4 : 3);
}

static X509 *leaf_for_name(certificates *c, span name)
{
    char lower[NAME_MAX_BYTES + 1];
    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < name.n; i++)
        lower[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    lower[name.n] = '\0';
    const span key = {lower, name.n};
    const char *const names[] = {lower};
    return is_ours(c, key) ? leaf_for(c, key, names, 1) : NULL;
}

bool certificates_find(void *ctx, span name, const net_addr *local, X509 **out_cert,
                       EVP_PKEY **out_key)
{
    certificates *c = ctx;
    net_cidr address;
    X509 *cert = name.n == 0 || net_cidr_parse(name, &address, NULL) ? leaf_for_address(c, local)
                                                                     : leaf_for_name(c, name);
    if (!cert)
        return false;
    *out_cert = cert;
    *out_key = ca_leaf_key(c->ca);
    return true;
}
