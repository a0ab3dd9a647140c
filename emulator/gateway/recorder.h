/* Every decision as a line of JSON in a file. Workers hand over copies of what they remember; a
 * thread of its own makes text of them and writes it, so that no request waits for a disk. */
#ifndef GATEWAY_RECORDER_H
#define GATEWAY_RECORDER_H

#include "gateway/record_file.h"
#include "gateway/record_queue.h"

typedef struct recorder recorder;

/* For that many workers. NULL and *e when the file cannot be written to, or there is no thread. */
recorder *recorder_open(const record_file_options *o, unsigned workers, error *e);

/* The worker's own, until recorder_close. */
record_queue *recorder_queue(recorder *r, unsigned worker);

/* The file may have been moved away. */
void recorder_reopen(recorder *r);

/* Decisions that were written, that came faster than they could be, and that could not be written
 * for another reason. Any thread. */
typedef struct recorder_counts {
    uint64_t written, dropped, failed;
} recorder_counts;
recorder_counts recorder_count(const recorder *r);

/* Writes what the workers, which are over, have handed in. NULL is fine. */
void recorder_close(recorder *r);

#endif
