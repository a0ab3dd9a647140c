/* What a lesson is: a scene, requests, what comes of each and why. The table is the whole course;
 * the scenes' topologies are policies/lessons/NN-NAME.yaml, which are part of the program. */
#ifndef CLI_LESSON_H
#define CLI_LESSON_H

#include "base/attr.h"
#include "base/embedded.h"
#include "decision/reasons.h"

enum { LESSON_CHOICES_MAX = 4, LESSON_FIELDS_MAX = 3, LESSON_OPTIONS_MAX = 2 };

typedef enum carried_kind {
    CARRIED_NOTHING,
    CARRIED_IDENTITY, /* an ID token from the metadata server of the service `from` */
    CARRIED_ACCESS,   /* its access token */
    CARRIED_MINTED,   /* what `invoker token --as FROM` prints with these options */
    CARRIED_RECEIVED, /* what `by` receives as Authorization when `from` calls it */
    CARRIED_TEXT      /* this very value */
} carried_kind;

/* What one header carries. */
typedef struct carried {
    carried_kind kind;
    const char *from;
    const char *by;
    const char *audience; /* {SERVICE} stands for its URL; NULL: the called service's */
    const char *options[LESSON_OPTIONS_MAX];
} carried;

typedef struct lesson_request {
    const char *to;                        /* a service of the scene */
    const char *method, *path;             /* NULL: GET, / */
    const char *host;                      /* by this name, at the shared ingress; NULL: its URL */
    carried authorization, serverless;     /* Authorization, X-Serverless-Authorization */
    const char *fields[LESSON_FIELDS_MAX]; /* "Origin: https://…" */
} lesson_request;

/* A change of the scene's topology: `from` stands there exactly once. {tomorrow} in `to` is a
 * timestamp. */
typedef struct lesson_edit {
    const char *from, *to;
} lesson_edit;

typedef struct lesson_choice {
    unsigned status;
    reason cause;
    const char *text;
} lesson_choice;

/* One request. First what leads to it, and the change that it shows the effect of; then what comes,
 * and what to learn of it. In texts, lines that begin with a blank are left as they are. */
typedef struct lesson_step {
    const char *story;
    lesson_edit edit;
    lesson_request request;
    reason expected;
    const char *answer_has;   /* what the container's answer contains */
    const char *shows;        /* this header as the container got it */
    const char *answer_lacks; /* and what the answer, head or body, does not */
    bool eventually;          /* it takes some seconds until this comes */
    const char *too_late; /* said to a reader who is let in, for having waited too long; NULL: that
                             cannot be */
    lesson_choice choices[LESSON_CHOICES_MAX]; /* one is right; none: nothing is asked */
    const char *learned;
    const char *gcloud, *terraform; /* production's cure where the decision's is not all of it */
} lesson_step;

typedef struct lesson {
    const char *name, *title;
    const char *story;     /* what the developer did */
    const char *doc;       /* where to read on */
    lesson_edit unhurried; /* made first where a reader, who takes longer, plays */
    const lesson_step *steps;
    size_t count;
} lesson;

size_t lesson_count(void);
const lesson *lesson_get(size_t index); /* lesson 1 has index 0 */

/* By its number or name; NULL: there is none. *out_index is written then only. */
const lesson *lesson_find(const char *word, size_t *out_index);

/* The topology of the lesson with this index; NULL: it is missing. */
const embedded *lesson_topology(size_t index);

/* The choice that is right, or NULL when nothing is asked. */
const lesson_choice *lesson_right_choice(const lesson_step *step);

/* .steps and .count of a lesson from an array. */
#define LESSON_STEPS(array) .steps = (array), .count = countof(array)

/* The chapters that the course is put together from, each ended by a NULL name. */
extern const lesson lessons_tokens[], lessons_headers[], lessons_grants[], lessons_doors[],
    lessons_trust[], lessons_more[];

#endif
