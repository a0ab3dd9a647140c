/* A resolver per name: each has a thread of its own, and is left behind when it does not answer. */
#include "cli/doctor_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/resolver.h"

enum { NAMES_MAX = 64 };

typedef struct one_name {
    struct doctor_names *all;
    char *text;
    resolver *resolver;
    net_addr address;
    name_state state;
} one_name;

struct doctor_names {
    one_name items[NAMES_MAX];
    size_t count, waiting;
    loop *loop;
    loop_timer timer;
};

doctor_names *doctor_names_new(void)
{
    doctor_names *n = calloc(1, sizeof *n);
    if (!n)
        abort();
    return n;
}

void doctor_names_free(doctor_names *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        free(n->items[i].text);
    free(n);
}

/* A numeric address with or without brackets, or "localhost". */
static bool numeric(span host, net_addr *out)
{
    char text[NET_ADDR_TEXT_MAX + 4];
    const bool bare_v6 = host.n && host.p[0] != '[' && span_find(host, ':') < host.n;
    if (host.n >= NET_ADDR_TEXT_MAX - 4)
        return false;
    const int n = snprintf(text, sizeof text, bare_v6 ? "[%.*s]:0" : "%.*s:0", SPAN_ARG(host));
    return net_addr_parse((span){text, (size_t)n}, out, NULL);
}

static const one_name *find(const doctor_names *n, span host)
{
    for (size_t i = 0; n && i < n->count; i++)
        if (span_ieq_str(host, n->items[i].text))
            return &n->items[i];
    return NULL;
}

void doctor_names_want(doctor_names *n, span host)
{
    net_addr a;
    if (!host.n || numeric(host, &a) || find(n, host) || n->count == NAMES_MAX)
        return;
    n->items[n->count++] = (one_name){.all = n, .text = span_dup(host), .state = NAME_HANGS};
}

static void on_result(void *ctx, const char *name, const net_addr *addresses, size_t count)
{
    one_name *one = ctx;
    (void)name;
    one->state = count ? NAME_FOUND : NAME_UNKNOWN;
    if (count)
        one->address = addresses[0];
    for (size_t i = count; i-- > 0;)
        if (addresses[i].ss.ss_family == AF_INET)
            one->address = addresses[i];
    if (--one->all->waiting == 0)
        loop_stop(one->all->loop);
}

static void on_time(loop_timer *t)
{
    doctor_names *n = container_of(t, doctor_names, timer);
    loop_stop(n->loop);
}

void doctor_names_look_up(doctor_names *n, int64_t until_us)
{
    n->loop = loop_new(NULL);
    if (!n->loop)
        return;
    for (size_t i = 0; i < n->count; i++) {
        one_name *one = &n->items[i];
        one->resolver = resolver_open(n->loop, on_result, one, NULL);
        if (one->resolver && resolver_ask(one->resolver, one->text))
            n->waiting++;
    }
    n->timer.fire = on_time;
    if (n->waiting) {
        loop_timer_set(n->loop, &n->timer, until_us);
        loop_run(n->loop);
        loop_timer_cancel(n->loop, &n->timer);
    }
    for (size_t i = 0; i < n->count; i++)
        resolver_close(n->items[i].resolver);
    loop_free(n->loop);
    n->loop = NULL;
}

name_state doctor_names_find(const doctor_names *n, span host, net_addr *out_address)
{
    net_addr a;
    if (numeric(host, &a)) {
        if (out_address)
            *out_address = a;
        return NAME_FOUND;
    }
    const one_name *one = find(n, host);
    if (!one)
        return NAME_UNKNOWN;
    if (one->state == NAME_FOUND && out_address)
        *out_address = one->address;
    return one->state;
}

name_state doctor_names_address(const doctor_names *n, span text, uint16_t port,
                                net_addr *out_address)
{
    span host = text;
    uint64_t number = port;
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    if (colon && !(text.n && text.p[text.n - 1] == ']')) {
        host.n = (size_t)(colon - text.p);
        if (!span_u64(span_from(text, host.n + 1), UINT16_MAX, &number))
            return NAME_UNKNOWN;
    }
    net_addr a;
    const name_state state = doctor_names_find(n, host, &a);
    if (state != NAME_FOUND)
        return state;
    net_addr_set_port(&a, (uint16_t)number);
    *out_address = a;
    return NAME_FOUND;
}
