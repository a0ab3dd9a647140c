/* What became of a request, as the scene's own gateway tells, and whether that is what the lesson
 * says. */
#ifndef CLI_LESSON_OUTCOME_H
#define CLI_LESSON_OUTCOME_H

#include <jansson.h>

#include "cli/lesson_request.h"

enum { OUTCOME_TIME_MAX = 40, OUTCOME_MISMATCH_MAX = 1024 };

/* Of whatever was decided up to now at the service: what comes later is news. */
typedef struct outcome_mark {
    char time[OUTCOME_TIME_MAX];
} outcome_mark;

bool outcome_mark_now(const scene *s, const char *name, outcome_mark *out, error *e);

/* The oldest decision after the mark, which moves on to it; a new reference. NULL: none yet, or
 * *e. */
json_t *outcome_next(const scene *s, const char *name, outcome_mark *mark, error *e);

/* The decision about a request that was answered with `a`; a new reference. NULL and *e. */
json_t *outcome_of_answer(scene *s, const char *name, outcome_mark *mark, const http_call *a,
                          error *e);

/* Whether it is about this request: the same method and path. */
bool outcome_is_about(const json_t *d, const lesson_request *r);

unsigned outcome_status(const json_t *d);
const char *outcome_reason(const json_t *d);

/* Whether status and cause are what the step says; if not, *why says what differs. With an answer
 * (nullable), its status, challenge and body are looked at as well. */
bool outcome_grade(const json_t *d, const http_call *a, const lesson_step *step,
                   char why[OUTCOME_MISMATCH_MAX]);

#endif
