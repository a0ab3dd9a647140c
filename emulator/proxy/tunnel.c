/* Each way is a pump of its own; an end or a failure of one is weighed when both have rested. */
#include "proxy/tunnel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

/* Others wait while a tunnel is busy: the rest is moved in the next turn. */
enum { ROUNDS_PER_TURN = 16 };

typedef struct way {
    wire *from, *to;
    char *held; /* what `to` did not take yet; NULL: nothing */
    size_t held_from, held_n;
    uint64_t moved;
    bool ended;   /* from's stream did, by itself or by a failure */
    bool failed;  /* by a failure: its end is not passed on */
    bool refused; /* `to` is broken */
    bool done;    /* nothing more will be passed on */
} way;

struct tunnel {
    loop *loop;
    tunnel_options o;
    loop_timer next_turn;
    way to_a, to_b;
};

/* ---- one way ---- */

static void hold(way *w, const char *p, size_t n)
{
    w->held = malloc(n);
    if (!w->held)
        abort();
    memcpy(w->held, p, n);
    w->held_from = 0;
    w->held_n = n;
}

static void drop_held(way *w)
{
    free(w->held);
    w->held = NULL;
    w->held_from = w->held_n = 0;
}

static void give_up(way *w)
{
    drop_held(w);
    w->done = w->refused = true;
}

/* How much of p was taken; a failure ends the way. */
static size_t pass(way *w, const char *p, size_t n)
{
    const ssize_t sent = wire_send(w->to, p, n);
    if (sent < 0) {
        give_up(w);
        return 0;
    }
    w->moved += (uint64_t)sent;
    return (size_t)sent;
}

/* true: nothing is held any more. */
static bool pass_held(way *w)
{
    if (!w->held)
        return true;
    const size_t sent = pass(w, w->held + w->held_from, w->held_n);
    if (w->done)
        return false;
    w->held_from += sent;
    w->held_n -= sent;
    if (w->held_n)
        return false;
    drop_held(w);
    return true;
}

static void pass_end(way *w)
{
    if (w->failed || wire_shut(w->to))
        w->done = true;
}

/* true: there may be more at once. */
static bool take(way *w)
{
    char block[TUNNEL_HELD_MAX];
    const ssize_t got = wire_recv(w->from, block, sizeof block);
    if (got < 0) {
        w->ended = true;
        w->failed = got == WIRE_BROKEN;
        return true;
    }
    if (got == 0)
        return false;
    const size_t n = (size_t)got;
    const size_t sent = pass(w, block, n);
    if (w->done || sent == n)
        return !w->done;
    hold(w, block + sent, n - sent);
    return false;
}

/* true: it moved all it may in one turn, and there is more. */
static bool pump(way *w)
{
    for (unsigned rounds = 0; rounds < ROUNDS_PER_TURN; rounds++) {
        if (w->done || (w->held && !w->to->writable) || !pass_held(w))
            return false;
        if (w->ended) {
            pass_end(w);
            return false;
        }
        if (!w->from->readable || !take(w))
            return false;
    }
    return true;
}

/* ---- both ---- */

static bool is_over(const tunnel *t)
{
    if (t->to_b.failed)
        return true; /* whoever broke off waits for nothing any more */
    if (t->o.b_ends && t->to_b.held && t->o.a->hung_up)
        return true; /* nor does who hung up, though b does not come to see it */
    return t->to_a.done && (t->to_b.done || t->o.b_ends || t->to_a.failed || t->to_a.refused);
}

static void run(tunnel *t)
{
    const uint64_t before = t->to_b.moved;
    bool more = pump(&t->to_b);
    more |= pump(&t->to_a);
    if (t->to_b.moved != before && t->o.on_moved)
        t->o.on_moved(t->o.owner);
    if (is_over(t)) {
        wire_own(t->o.a, NULL, NULL);
        wire_own(t->o.b, NULL, NULL);
        loop_timer_cancel(t->loop, &t->next_turn);
        t->o.on_over(t->o.owner);
        return;
    }
    if (more)
        loop_timer_set(t->loop, &t->next_turn, loop_now_us(t->loop) + 1);
}

static void on_wire(void *owner)
{
    run(owner);
}

static void on_next_turn(loop_timer *timer)
{
    run(container_of(timer, tunnel, next_turn));
}

tunnel *tunnel_open(loop *l, const tunnel_options *o)
{
    tunnel *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    *t = (tunnel){.loop = l,
                  .o = *o,
                  .next_turn.fire = on_next_turn,
                  .to_a = {.from = o->b, .to = o->a},
                  .to_b = {.from = o->a, .to = o->b}};
    wire_own(o->a, on_wire, t);
    wire_own(o->b, on_wire, t);
    loop_timer_set(l, &t->next_turn, loop_now_us(l) + 1);
    return t;
}

void tunnel_close(tunnel *t)
{
    if (!t)
        return;
    wire_own(t->o.a, NULL, NULL);
    wire_own(t->o.b, NULL, NULL);
    loop_timer_cancel(t->loop, &t->next_turn);
    drop_held(&t->to_a);
    drop_held(&t->to_b);
    free(t);
}

void tunnel_set_b_ends(tunnel *t, bool b_ends)
{
    t->o.b_ends = b_ends;
}

void tunnel_preface(tunnel *t, bool to_a, const void *p, size_t n)
{
    way *w = to_a ? &t->to_a : &t->to_b;
    assert(!w->held);
    if (n)
        hold(w, p, n);
}

uint64_t tunnel_moved(const tunnel *t, bool to_a)
{
    return to_a ? t->to_a.moved : t->to_b.moved;
}
