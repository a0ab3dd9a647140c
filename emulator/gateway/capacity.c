/* Two atomics a request, and those only where a limit was set. */
#include "gateway/capacity.h"

#include <stdatomic.h>
#include <stdlib.h>

struct capacity {
    atomic_uint refs;
    atomic_uint in_flight;
};

capacity *capacity_new(void)
{
    capacity *c = malloc(sizeof *c);
    if (!c)
        abort();
    atomic_init(&c->refs, 1);
    atomic_init(&c->in_flight, 0);
    return c;
}

capacity *capacity_ref(capacity *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void capacity_unref(capacity *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        free(c);
}

/* Never above the limit, not even for a moment: another worker would refuse because of it. */
bool capacity_take(capacity *c, uint32_t most)
{
    unsigned now = atomic_load_explicit(&c->in_flight, memory_order_relaxed);
    do {
        if (now >= most)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&c->in_flight, &now, now + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    (void)capacity_ref(c);
    return true;
}

void capacity_give(capacity *c)
{
    (void)atomic_fetch_sub_explicit(&c->in_flight, 1, memory_order_relaxed);
    capacity_unref(c);
}
