/* `invoker replay`: recorded calls, decided again under another topology. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "cli/recorded.h"

enum { REPLAY_GROUPS_MAX = 10000, REPLAY_TEXT_MAX = 64 * 1024 * 1024 };

typedef enum replay_kind {
    REPLAY_REFUSED,  /* passed, and would be refused */
    REPLAY_ALLOWED,  /* was refused, and would pass */
    REPLAY_REASON,   /* passes or is refused as before, for another reason */
    REPLAY_UNJUDGED, /* cannot be judged again */
    REPLAY_SAME,
    REPLAY_KIND_COUNT_
} replay_kind;

/* Calls that have the same to be said of them. */
typedef struct replay_group {
    replay_kind kind;
    const char *service, *caller; /* "": an unknown host; nobody proven */
    bool anonymous;               /* there was no token */
    reason was, is;               /* is: unless REPLAY_UNJUDGED */
    bool audited;                 /* it was not allowed, but audit mode let it pass */
    bool decided;                 /* was: there is such a reason */
    const char *first_id;
    int64_t first_us, last_us;
    size_t count;
    /* Of the first one, under the new topology; "" where there is nothing to say. */
    const char *cause, *fix, *local_fix;
    const char *place; /* of the binding that allows it, or of what comes nearest */
} replay_group;

typedef struct replay {
    const snapshot *s;
    bool reasons; /* a changed reason is worth telling, too */
    bool shifted; /* the calls are made at at_us, with tokens as old as they were */
    int64_t at_us;
    strmap *index;   /* of groups */
    strmap *origins; /* "localhost:8082" → whose address that was when it was recorded */
    arena *mem;
    replay_group **groups; /* since replay_finish in the order in which they are told */
    size_t group_count, group_cap;
    size_t calls[REPLAY_KIND_COUNT_];
    size_t ungrouped; /* beyond REPLAY_GROUPS_MAX */
} replay;

/* s outlives it; set the options afterwards. */
void replay_open(replay *p, const snapshot *s);
void replay_close(replay *p);
/* A recording's `look` and `take`; ctx is the replay. */
bool replay_look(void *ctx, const recorded *r, error *e);
bool replay_take(void *ctx, const recorded *r, error *e);
void replay_finish(replay *p);
/* Did anything change that was asked for? */
bool replay_differs(const replay *p);

/* replay_audience.c: whose addresses the audiences and the host of a call were. */
void replay_note_addresses(replay *p, const recorded *r, const service *svc, bool overwrite);
/* The audiences of a recorded token as they are under the new topology, where
 * listeners may have other addresses. What was accepted as the address of the service counts as its
 * address now, and what was another service's as that one's. Texts live in mem. */
void replay_audiences(const replay *p, claims *c, arena *mem);

/* replay_report.c */
void replay_text(buf *b, const replay *p, bool colour);
void replay_json(buf *b, const replay *p);

#endif
