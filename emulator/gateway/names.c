/* The names in use, each with the address it had last. */
#include "gateway/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/resolver.h"

enum { NAMES_MAX = 4096, AGAIN_KNOWN_US = 5 * 1000 * 1000, AGAIN_UNKNOWN_US = 500 * 1000 };

typedef struct name {
    struct name *next;
    char *text; /* without the port */
    net_addr address;
    bool known, asked, complained;
} name;

struct host_names {
    loop *loop;
    resolver *resolver; /* made with the first name */
    void (*on_change)(void *ctx);
    void *ctx;
    name *first;
    size_t count;
    loop_timer again;
};

static void take_answer(host_names *all, name *n, const net_addr *addresses, size_t count)
{
    n->asked = false;
    if (count == 0) {
        if (!n->complained)
            log_at(LOG_WARN, "upstream name not resolved yet", LOG_S("name", n->text));
        n->complained = true;
        return;
    }
    n->complained = false;
    bool same = n->known && net_addr_same_ip(&n->address, &addresses[0]);
    n->address = addresses[0];
    n->known = true;
    if (!same)
        all->on_change(all->ctx);
}

static void on_result(void *ctx, const char *text, const net_addr *addresses, size_t count)
{
    host_names *all = ctx;
    for (name *n = all->first; n; n = n->next)
        if (strcmp(n->text, text) == 0)
            take_answer(all, n, addresses, count);
}

static void ask(host_names *all, name *n)
{
    if (!all->resolver)
        all->resolver = resolver_open(all->loop, on_result, all, NULL);
    if (!n->asked && all->resolver)
        n->asked = resolver_ask(all->resolver, n->text);
}

static void ask_all(loop_timer *t)
{
    host_names *all = container_of(t, host_names, again);
    bool known = true;
    for (name *n = all->first; n; n = n->next) {
        ask(all, n);
        known &= n->known;
    }
    int64_t wait_us = known ? AGAIN_KNOWN_US : AGAIN_UNKNOWN_US;
    loop_timer_set(all->loop, t, loop_now_us(all->loop) + wait_us);
}

host_names *host_names_open(loop *l, void (*on_change)(void *ctx), void *ctx)
{
    host_names *all = calloc(1, sizeof *all);
    if (!all)
        abort();
    *all = (host_names){.loop = l, .on_change = on_change, .ctx = ctx, .again.fire = ask_all};
    return all;
}

void host_names_close(host_names *all)
{
    if (!all)
        return;
    loop_timer_cancel(all->loop, &all->again);
    resolver_close(all->resolver);
    while (all->first) {
        name *next = all->first->next;
        free(all->first->text);
        free(all->first);
        all->first = next;
    }
    free(all);
}

static name *find_or_add(host_names *all, span text)
{
    for (name *n = all->first; n; n = n->next)
        if (span_eq_str(text, n->text))
            return n;
    if (all->count >= NAMES_MAX)
        return NULL;
    name *n = calloc(1, sizeof *n);
    if (!n)
        abort();
    n->text = span_dup(text);
    n->next = all->first;
    all->first = n;
    all->count++;
    ask(all, n);
    if (!all->again.slot)
        loop_timer_set(all->loop, &all->again, loop_now_us(all->loop) + AGAIN_UNKNOWN_US);
    return n;
}

bool host_names_find(host_names *all, span text, net_addr *out)
{
    if (net_addr_parse(text, out, NULL))
        return true;
    span host;
    uint64_t port;
    if (!span_cut(&text, ':', &host) || !span_u64(text, UINT16_MAX, &port))
        return false;
    const name *n = find_or_add(all, host);
    if (!n || !n->known)
        return false;
    *out = n->address;
    net_addr_set_port(out, (uint16_t)port);
    return true;
}
