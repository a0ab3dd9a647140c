/* Following the decisions of all workers as they are made. While nobody follows, it costs nothing;
 * each follower's questions are answered by the workers several times a second. Main thread. */
#ifndef GATEWAY_FOLLOW_H
#define GATEWAY_FOLLOW_H

#include "gateway/process.h"

typedef struct follower follower;

typedef struct follow_options {
    recent_query query; /* what is told; its limit: how many of those that there are already */
    /* Go on behind the request with this id (the first part of its insertId), in place of the
     * query's limit. When nobody remembers it, all that are remembered are told. */
    bool resumes;
    uint64_t after;
    /* In the order in which requests ended; the items are freed afterwards. missed: so many
     * decisions, matching or not, were gone before they could be asked for; gap: nobody knows how
     * many. */
    void (*on_decisions)(void *ctx, const recent_item *items, size_t count, uint64_t missed,
                         bool gap);
    void *ctx;
} follow_options;

follower *process_follow(process *p, const follow_options *o);
/* Nothing is called any more. */
void process_unfollow(follower *f);

#endif
