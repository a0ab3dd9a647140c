/* `invoker learn`: from recorded decisions to the least matrix that they need. */
#ifndef CLI_LEARN_H
#define CLI_LEARN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "cli/recorded.h"

enum { LEARN_NEEDS_MAX = 100000, LEARN_TEXT_MAX = 64 * 1024 * 1024 };

/* One cell of the matrix that calls need, or would need. */
typedef struct need {
    const service *service;
    const char *member; /* "serviceAccount:…", "allUsers" */
    size_t count;
    size_t audited; /* of them: let pass by audit mode */
    size_t refused; /* of them: refused (learned with --refused) */
    size_t unnamed; /* of them: granted by a binding with a condition, which stays */
    size_t denied;  /* of them: a deny rule forbids it, whatever is granted */
    int64_t first_us, last_us;
    reason reason;     /* of the last one that was not allowed */
    const binding *by; /* what allows it now; NULL: nothing */
    bool covered;      /* allUsers may call the service, so that this need not be said */
} need;

/* Why calls do not end up in the matrix. */
typedef enum omission_kind {
    OMIT_CALLER,   /* no grant mends that */
    OMIT_SETTING,  /* nor that: the service's settings do */
    OMIT_REFUSED,  /* a grant would, but it was refused, and only what passed is learned */
    OMIT_GONE,     /* the topology has no such service */
    OMIT_NAMELESS, /* the topology has no such account, so that no matrix can name it */
    OMIT_COUNT_
} omission_kind;

typedef struct omission {
    omission_kind kind;
    bool decided;
    reason reason;
    const char *service, *caller, *fix;
    size_t count;
    int64_t last_us;
} omission;

typedef struct learned {
    const snapshot *s;
    bool with_refused;
    strmap *index; /* of both */
    arena *mem;
    need **needs; /* since learn_finish in the order of a matrix */
    size_t need_count, need_cap;
    omission **omissions;
    size_t omission_count, omission_cap;
    size_t calls, open_calls; /* open: to services whose IAM check is off */
    int64_t first_us, last_us;
} learned;

/* s outlives it. */
void learn_open(learned *l, const snapshot *s, bool with_refused);
void learn_close(learned *l);
/* A recording's `take`; ctx is the learned. */
bool learn_take(void *ctx, const recorded *r, error *e);
/* Sorts, and lets what is open to everybody cover its callers. */
void learn_finish(learned *l);

/* Does it belong into the matrix? */
bool need_counts(const need *n);
/* How a matrix calls the member: an account of the project by its bare name. */
void learn_caller(buf *b, const snapshot *s, const char *who);
/* "12 calls, last 2026-…" */
void learn_put_use(buf *b, const need *n);

/* learn_yaml.c: the matrix, with comments. title: where the calls were recorded. */
void learn_yaml(buf *b, const learned *l, const char *title);
/* learn_over.c: comments on what the topology grants beyond it. */
void learn_over(buf *b, const learned *l);
/* A line for each cell that only one of topology and learned matrix has; their number. */
size_t learn_diff(buf *b, const learned *l);
/* A grant that a matrix could have made: roles/run.invoker on a service, without a condition. */
bool learn_is_cell(const binding *g);

/* learn_export.c: the grants as gcloud commands, as Terraform, or in the whole topology. */
void learn_gcloud(buf *b, const learned *l, const char *title);
void learn_terraform(buf *b, const learned *l, const char *title);
void learn_whole(buf *b, const learned *l, const char *title);

#endif
