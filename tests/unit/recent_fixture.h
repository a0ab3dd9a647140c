/* A ring of requests, and what was taken out of it. */
#ifndef RECENT_FIXTURE_H
#define RECENT_FIXTURE_H

#include <stdlib.h>

#include "gateway/recent.h"
#include "record_fixture.h"

static recent *ring;
static recent_item *items;
static size_t count;

static inline void ring_forget(void)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].request);
    free(items);
    items = NULL;
    count = 0;
}

static inline void ring_setup(void)
{
    record_setup();
    ring = recent_new();
    items = NULL;
    count = 0;
}

static inline void ring_teardown(void)
{
    ring_forget();
    recent_free(ring);
    record_teardown();
}

#endif
