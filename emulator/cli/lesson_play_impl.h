/* A lesson that is being played. Private to lesson_play*.c. */
#ifndef CLI_LESSON_PLAY_IMPL_H
#define CLI_LESSON_PLAY_IMPL_H

#include "cli/lesson_outcome.h"
#include "cli/lesson_play.h"

typedef struct play {
    const play_options *o;
    const teller *tell;
    scene *scene;
    reader *reader; /* NULL: nobody to ask */
    size_t asked, right;
    bool left; /* the reader closed their input */
    json_t *steps;
} play;

/* What came of one step. Zero-initialise, release with came_free. */
typedef struct came {
    json_t *decision;
    http_call answer;
    bool answered; /* answer is there: the request was sent from here */
    bool passed;
    bool too_late; /* let in, for the reader waited too long: that is the next step already */
    char why_not[OUTCOME_MISMATCH_MAX];
} came;
void came_free(came *c);

/* Makes the request (again and again while a change spreads), or waits until the reader does. false
 * and *e: it could not be made, or the play is over. */
bool play_request(play *p, const lesson_step *step, outcome_mark *mark, came *out, error *e);

/* Lets the reader edit the topology; an automatic play does it. false and *e. */
bool play_edit(play *p, const lesson_step *step, error *e);

/* Which status, and why? Counts it as asked, and as right. */
void play_question(play *p, const lesson_step *step);

/* What one would do about it in production. */
void play_cure(const play *p, const lesson_step *step);

/* What came, check by check, and what to learn of it. */
void play_explain(const play *p, const lesson_step *step, const came *c);

#endif
