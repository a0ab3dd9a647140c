/* The gateway's main thread as a client of the metadata process: whose an access token is, what
 * only that process can answer, and that there is a newer state to be read. One loop's thread.
 *
 * Each `done` is called exactly once, now or later; its views are valid during that call only. */
#ifndef GATEWAY_METADATA_LINK_H
#define GATEWAY_METADATA_LINK_H

#include "base/clock.h"
#include "base/loop.h"
#include "policy/snapshot.h"

typedef struct metadata_link metadata_link;

metadata_link *metadata_link_open(loop *l, clock_source clock, error *e);
/* Whoever waits, or asks from now on, is told that nobody answers. NULL is fine. */
void metadata_link_stop(metadata_link *m);
/* Stops it first. NULL is fine. */
void metadata_link_close(metadata_link *m);

/* Where the process is, by this snapshot, which lives until the next one is given here; what was
 * known of tokens is forgotten, as their accounts may have changed. */
void metadata_link_follow(metadata_link *m, const snapshot *s);

/* Whose access token is that? email is NULL with ERR_NOT_FOUND (nobody's, or no more) or
 * ERR_UNAVAILABLE (no answer). What is found is remembered until the token expires; each time the
 * snapshot is asked whether its service account is still there, the same one, and not disabled. */
enum { METADATA_LINK_TOKENS_MAX = 256 };
void metadata_link_identify(metadata_link *m, span token,
                            void (*done)(void *arg, const char *email, const error *e), void *arg);

/* host: one of the metadata process' addresses (a service's own, too) picks that one; any other
 * means the shared one. Empty fields are left out. */
typedef struct metadata_question {
    span method, target, host;
    span authorization, type, flavor; /* Authorization, Content-Type, Metadata-Flavor */
    span body;
} metadata_question;
typedef struct metadata_answer {
    unsigned status;
    span type, caching, flavor, challenge; /* Content-Type, Cache-Control, Metadata-Flavor,
                                              WWW-Authenticate */
    span body;
} metadata_answer;
/* a is NULL with *e when there is no answer. A 401 makes the bearer's token forgotten. */
void metadata_link_ask(metadata_link *m, const metadata_question *q,
                       void (*done)(void *arg, const metadata_answer *a, const error *e),
                       void *arg);

/* Tells it that the state with this serial is there, and waits until it has taken it, for a second
 * at the most: failing that is only logged. */
void metadata_link_sync(metadata_link *m, uint64_t serial, void (*done)(void *arg), void *arg);

/* For tests. */
size_t metadata_link_tokens(const metadata_link *m);

#endif
