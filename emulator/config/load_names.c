/* Names that lead to one service only: hosts at the shared ingress, peers at the shared metadata
 * listener. Two owners would make the answer a matter of luck. */
#include "base/net.h"
#include "config/load.h"

enum { KEY_MAX = 320 };

/* ASCII lower case. */
static span host_key(const char *name, char out[KEY_MAX])
{
    size_t n = 0;
    for (; name[n] && n + 1 < KEY_MAX; n++) {
        out[n] = name[n];
        if (name[n] >= 'A' && name[n] <= 'Z')
            out[n] = (char)(name[n] | 0x20);
    }
    out[n] = '\0';
    return (span){out, n};
}

/* The same for 10.0.0.1 and 10.0.0.1/32; host bits behind the prefix do not count. */
static span peer_key(const char *name, char out[KEY_MAX])
{
    net_cidr c;
    if (!net_cidr_parse(span_of(name), &c, NULL))
        return host_key(name, out);
    for (size_t i = 0; i < sizeof c.bytes; i++) {
        size_t used = i * 8 >= c.bits ? 0 : c.bits - i * 8;
        unsigned mask = used >= 8 ? 0xFFu : (0xFF00u >> used) & 0xFFu;
        out[i] = (char)(c.bytes[i] & mask);
    }
    out[sizeof c.bytes] = (char)c.bits;
    return (span){out, sizeof c.bytes + 1};
}

static void claim_all(loader *l, strmap *owners, service_draft *s, const char *key,
                      const node *list, span (*key_of)(const char *, char *))
{
    for (size_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++) {
        const node *item = list->items[i];
        if (item->kind != NODE_SCALAR)
            continue; /* was reported */
        char text[KEY_MAX];
        span k = key_of(item->text.p, text);
        const service_draft *owner = strmap_get(owners, k);
        if (!owner)
            (void)strmap_put(owners, k, s);
        else if (owner != s)
            diag_at(l->diags, item->at, "%s: %s belongs to service '%s' already", key,
                    found_text(l, item), owner->value.name);
    }
}

void settle_names(loader *l)
{
    strmap *hosts = strmap_new();
    strmap *peers = strmap_new();
    for (size_t i = 0; i < l->services.count; i++) {
        service_draft *s = l->services.items[i];
        claim_all(l, hosts, s, "hosts", s->hosts, host_key);
        claim_all(l, peers, s, "addresses", s->addresses, peer_key);
    }
    strmap_free(hosts);
    strmap_free(peers);
}
