/* The last requests of one worker, for the control listener. Written and read on the worker's own
 * thread, so that a request pays no lock for it; an answer is a copy of what was asked for, which
 * is turned into text elsewhere. */
#ifndef GATEWAY_RECENT_H
#define GATEWAY_RECENT_H

#include <jansson.h>

#include "base/buf.h"
#include "gateway/record.h"

typedef struct recent recent;

/* As many as that, unless their texts are so long that fewer find room. */
enum { RECENT_ENTRIES = 1024, RECENT_BYTES = 2 * 1024 * 1024 };
enum { RECENT_CALLER_MAX = 256, RECENT_REASON_MAX = 47 };

recent *recent_new(void);
void recent_free(recent *r); /* NULL is fine */
/* Returns what is remembered of it, a recent_request: valid until the next one. */
span recent_add(recent *r, const record *rec);
void recent_clear(recent *r);

/* What an answer may be narrowed down to. */
typedef struct recent_query {
    size_t limit;
    bool refused;                       /* refusals and failures of the gateway only */
    bool allowed;                       /* what was decided to be allowed only */
    bool logged;                        /* only what Cloud Run writes a log entry for */
    int64_t from_us, till_us;           /* when they came, both inclusive; till_us 0: no bounds */
    char service[64];                   /* empty: all */
    char caller[RECENT_CALLER_MAX + 1]; /* an e-mail, what stands in front of its '@', or
                                           "anonymous"; empty: all */
    char reason[RECENT_REASON_MAX + 1]; /* or the failure; empty: all */
    char id[INSERT_ID_LEN + 1];         /* or how it begins; empty: all */
} recent_query;

/* A copy of a remembered request. */
typedef struct recent_request recent_request;

typedef struct recent_item {
    int64_t wall_us, ended_us;
    recent_request *request; /* malloc'ed */
} recent_item;

/* Appends the newest that match, at most q->limit, to the array at *items, which grows (and which
 * nobody else lets grow). */
void recent_collect(const recent *r, const recent_query *q, recent_item **items, size_t *count);

/* Newest first. */
void recent_sort(recent_item *items, size_t count);

/* ---- following, in the order in which requests ended ---- */

/* A place in that order. */
typedef struct recent_mark {
    int64_t ended_us;
    uint64_t id; /* the first part of its insertId */
} recent_mark;

/* One step of somebody who follows the ring. */
typedef struct recent_step {
    uint64_t next;     /* the first one that was not looked at yet, counted since the ring began;
                          moved behind the last one that was */
    int64_t before_us; /* looks at what ended before that */
    size_t limit;      /* at most so many that match: the newest */
    uint64_t missed;   /* grows by those that gave way too soon, or were beyond the limit */
} recent_step;
/* Appends what matches; q->limit does not count. */
void recent_follow(const recent *r, const recent_query *q, recent_step *step, recent_item **items,
                   size_t *count);

/* The place of a request that is still there. */
bool recent_find_mark(const recent *r, uint64_t id, recent_mark *out);
/* The number of the first one that ended at the mark's time or later. */
uint64_t recent_number_at(const recent *r, const recent_mark *m);
/* Whether all that ended behind the mark is still there. */
bool recent_reaches(const recent *r, const recent_mark *m);
/* How many gave way so far. */
uint64_t recent_lost(const recent *r);

/* Oldest first, by their marks. */
void recent_sort_by_end(recent_item *items, size_t count);
bool recent_is_behind(const recent_request *r, const recent_mark *m);

/* ---- as JSON; any thread ---- */
void recent_insert_id(const recent_request *r, char out[INSERT_ID_LEN + 1]);
/* Appends one object: what GET /invoker/v1/decisions lists. */
void recent_decision(const recent_request *r, buf *out);
/* A new LogEntry (of the log run.googleapis.com/requests, as the request log has them); what
 * production does not say is among its labels: "invoker/reason", "invoker/explanation" … */
json_t *recent_log_entry(const recent_request *r, const project *p);

/* No container was there to take it. Then what to do about it is an entry too, among the lines of
 * the container that is not there: 'gcloud run services logs read' shows nothing else. Without an
 * insertId. */
bool recent_is_unserved(const recent_request *r);
json_t *recent_advice_entry(const recent_request *r, const project *p);

#endif
