/* Each round asks every worker for what ended before one and the same moment, so that the rounds,
 * each sorted, are one sequence, in which any of its requests marks a place to go on from. */
#include "gateway/follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "gateway/process_impl.h"

enum {
    ROUND_US = 100 * 1000,
    ROUND_MAX = 512 /* requests of one worker; a burst beyond that is counted, not told */
};

typedef enum stage {
    STAGE_FIND,       /* where the request is that it goes on from */
    STAGE_REMEMBERED, /* what there is already */
    STAGE_LIVE
} stage;

/* One worker's part of a round. Whoever is at work on it is the only one that touches it. */
typedef struct part {
    follower *owner;
    recent_step step;
    recent_item *items;
    size_t count;
    recent_mark mark; /* STAGE_FIND: found there */
    bool found;
    uint64_t lost;
    bool gap; /* some that ended behind the mark are gone, nobody knows how many */
} part;

struct follower {
    process *process;
    follow_options o;
    stage stage;
    loop_timer timer;
    unsigned outstanding; /* parts */
    bool unfollowed;
    bool has_mark, gap;
    recent_mark mark;
    unsigned part_count;
    part parts[];
};

/* ---- on a worker's thread ---- */

static void return_part(void *ctx, void *arg);

static void find(void *ctx, const recent *r)
{
    part *a = ctx;
    a->found = recent_find_mark(r, a->owner->o.after, &a->mark);
    a->lost = recent_lost(r);
    mailbox_post(a->owner->process->mailbox, return_part, a->owner, NULL);
}

static void collect(void *ctx, const recent *r)
{
    part *a = ctx;
    const follower *f = a->owner;
    if (f->stage == STAGE_REMEMBERED) {
        a->step.next = f->has_mark ? recent_number_at(r, &f->mark) : 0;
        a->gap = f->has_mark && !recent_reaches(r, &f->mark);
    }
    recent_follow(r, &f->o.query, &a->step, &a->items, &a->count);
    mailbox_post(f->process->mailbox, return_part, a->owner, NULL);
}

/* ---- on the main thread ---- */

static size_t limit_of(const follower *f)
{
    if (f->stage == STAGE_LIVE)
        return ROUND_MAX;
    return f->o.resumes ? RECENT_ENTRIES : f->o.query.limit;
}

static void next_round(follower *f)
{
    process *p = f->process;
    if (f->unfollowed || p->closing)
        return;
    const int64_t now = clock_mono_us();
    f->outstanding = f->part_count;
    for (unsigned i = 0; i < f->part_count; i++) {
        part *a = &f->parts[i];
        a->step.before_us = now;
        a->step.limit = limit_of(f);
        a->step.missed = 0;
        worker_visit_recent(p->workers[i], now, f->stage == STAGE_FIND ? find : collect, a);
    }
}

/* The request was found, or not: then it was another process', whose successor knows all that came
 * since, or it is gone. */
static void take_mark(follower *f)
{
    uint64_t lost = 0;
    for (unsigned i = 0; i < f->part_count; i++) {
        const part *a = &f->parts[i];
        lost += a->lost;
        if (!a->found)
            continue;
        f->has_mark = true;
        f->mark = a->mark;
    }
    f->gap = !f->has_mark && lost;
}

static recent_item *gather(follower *f, size_t *out_count, uint64_t *out_missed)
{
    size_t count = 0;
    for (unsigned i = 0; i < f->part_count; i++)
        count += f->parts[i].count;
    recent_item *all = calloc(count ? count : 1, sizeof *all);
    if (!all)
        abort();
    *out_count = 0;
    for (unsigned i = 0; i < f->part_count; i++) {
        part *a = &f->parts[i];
        if (a->count)
            memcpy(all + *out_count, a->items, a->count * sizeof *all);
        *out_count += a->count;
        *out_missed += a->step.missed;
        f->gap |= a->gap;
        a->gap = false;
        free(a->items);
        a->items = NULL;
        a->count = 0;
    }
    recent_sort_by_end(all, *out_count);
    return all;
}

/* How many at the front are not wanted: known already, beyond the limit, or asked for just before a
 * reset. */
static size_t unwanted(const follower *f, const recent_item *all, size_t count)
{
    size_t n = 0;
    while (n < count && all[n].ended_us < f->process->reset_us)
        n++;
    if (f->stage != STAGE_REMEMBERED)
        return n;
    if (!f->o.resumes)
        return count > f->o.query.limit + n ? count - f->o.query.limit : n;
    while (f->has_mark && n < count && !recent_is_behind(all[n].request, &f->mark))
        n++;
    return n;
}

static void tell(follower *f)
{
    size_t count = 0;
    uint64_t missed = 0;
    recent_item *all = gather(f, &count, &missed);
    if (f->gap || (f->stage == STAGE_REMEMBERED && !f->o.resumes))
        missed = 0; /* unknown; or older ones were not asked for */
    const size_t skipped = unwanted(f, all, count);
    if (!f->unfollowed && (count > skipped || missed || f->gap))
        f->o.on_decisions(f->o.ctx, all + skipped, count - skipped, missed, f->gap);
    f->gap = false;
    for (size_t i = 0; i < count; i++)
        free(all[i].request);
    free(all);
}

static void end_round(follower *f)
{
    switch (f->stage) {
    case STAGE_FIND:
        take_mark(f);
        f->stage = STAGE_REMEMBERED;
        break;
    case STAGE_REMEMBERED:
        tell(f);
        f->stage = STAGE_LIVE;
        break;
    case STAGE_LIVE:
        tell(f);
        break;
    }
}

static void return_part(void *ctx, void *arg)
{
    (void)arg;
    follower *f = ctx;
    if (f->outstanding > 1) {
        f->outstanding--;
        return;
    }
    end_round(f); /* which may unfollow: it still counts as outstanding */
    f->outstanding = 0;
    if (f->unfollowed) {
        free(f);
        return;
    }
    if (f->stage == STAGE_REMEMBERED)
        next_round(f);
    else
        loop_timer_set(f->process->loop, &f->timer, clock_mono_us() + ROUND_US);
}

static void on_timer(loop_timer *t)
{
    next_round(container_of(t, follower, timer));
}

follower *process_follow(process *p, const follow_options *o)
{
    follower *f = calloc(1, sizeof *f + p->worker_count * sizeof f->parts[0]);
    if (!f)
        abort();
    f->process = p;
    f->o = *o;
    f->stage = o->resumes ? STAGE_FIND : STAGE_REMEMBERED;
    f->timer.fire = on_timer;
    f->part_count = p->worker_count;
    for (unsigned i = 0; i < f->part_count; i++)
        f->parts[i].owner = f;
    next_round(f);
    return f;
}

void process_unfollow(follower *f)
{
    loop_timer_cancel(f->process->loop, &f->timer);
    f->unfollowed = true;
    if (f->outstanding == 0)
        free(f);
}
