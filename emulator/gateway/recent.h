/* The last decisions of one worker, for the control listener. Written and read on the worker's own
 * thread, so that a request pays no lock for it. */
#ifndef GATEWAY_RECENT_H
#define GATEWAY_RECENT_H

#include "gateway/record.h"

typedef struct recent recent;

enum { RECENT_ENTRIES = 256 };

recent *recent_new(void);
void recent_free(recent *r); /* NULL is fine */
void recent_add(recent *r, const record *rec);

/* What an answer may be narrowed down to. */
typedef struct recent_query {
    size_t limit;
    bool refused;     /* refusals and failures of the gateway only */
    char service[64]; /* empty: all */
} recent_query;

/* One remembered decision as JSON, with the time it is sorted by. */
typedef struct recent_item {
    int64_t wall_us;
    char *json; /* malloc'ed */
} recent_item;

/* Appends the newest that match, at most q->limit, to the array at *items, which grows. */
void recent_collect(const recent *r, const recent_query *q, recent_item **items, size_t *count);

/* Newest first. */
void recent_sort(recent_item *items, size_t count);

#endif
