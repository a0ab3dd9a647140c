/* What a worker remembers of its requests, on the way to whoever writes it down: one thread puts
 * in, one takes out, nothing is locked. Records travel in batches of a bounded number; when those
 * are full, records are dropped and counted, and the request does not wait. */
#ifndef GATEWAY_RECORD_QUEUE_H
#define GATEWAY_RECORD_QUEUE_H

#include "base/loop.h"
#include "base/span.h"

typedef struct record_queue record_queue;

enum {
    RECORD_BATCH_BYTES = 128 * 1024, /* bounds a record, too */
    RECORD_BATCHES = 64
};

/* wake(ctx) is called on the worker's thread when there is a batch to take. */
record_queue *record_queue_new(void (*wake)(void *ctx), void *ctx);
void record_queue_free(record_queue *q); /* when both ends are over; NULL is fine */

/* ---- the worker's end ---- */

/* Batches that are not full are handed over by a timer of this loop, some milliseconds late. */
void record_queue_attach(record_queue *q, loop *l);
/* Hands over what there is; the loop is not used any more. */
void record_queue_detach(record_queue *q);
/* record is copied. */
void record_queue_add(record_queue *q, span record);

/* ---- the other end ---- */

/* The records of the oldest batch, aligned for anything; false: none is waiting. */
bool record_queue_take(record_queue *q, void (*each)(void *ctx, span record), void *ctx);
/* How many were dropped so far. */
uint64_t record_queue_dropped(record_queue *q);

#endif
