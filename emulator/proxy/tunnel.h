/* Two wires relayed to each other, both ways. Holds at most TUNNEL_HELD_MAX bytes for each way, and
 * no memory while nothing is held back: whoever does not read slows down whoever sends. */
#ifndef PROXY_TUNNEL_H
#define PROXY_TUNNEL_H

#include "proxy/wire.h"

enum { TUNNEL_HELD_MAX = 16 * 1024 };

typedef struct tunnel tunnel;

typedef struct tunnel_options {
    wire *a, *b; /* stay their owner's, who closes them; what happens to them is the tunnel's */
    /* b never ends its stream before it stops listening: its end is the end of it all once
     * everything before it was passed on. And it has no use for the rest of what a sent before
     * hanging up, when it is in no hurry to take it. */
    bool b_ends;
    /* Both streams have ended and their ends were passed on, or a side broke (its wire has an
     * error). Called once, never from within a function below; may close tunnel and wires. */
    void (*on_over)(void *owner);
    void (*on_moved)(void *owner); /* nullable: b got bytes from a */
    void *owner;
} tunnel_options;

/* Relays from the loop's next turn on, whatever the wires' flags say by then. */
tunnel *tunnel_open(loop *l, const tunnel_options *o);
void tunnel_close(tunnel *t);

/* b_ends from here on. Looked at with the next event. */
void tunnel_set_b_ends(tunnel *t, bool b_ends);

/* Bytes that were received before there was a tunnel, to be passed on first: once for each way,
 * before the first turn. */
void tunnel_preface(tunnel *t, bool to_a, const void *p, size_t n);

/* Passed on so far. */
uint64_t tunnel_moved(const tunnel *t, bool to_a);

#endif
