/* Playing a lesson: story, question, request, what came, why, and what mends it. */
#ifndef CLI_LESSON_PLAY_H
#define CLI_LESSON_PLAY_H

#include <jansson.h>

#include "cli/lesson.h"
#include "cli/lesson_reader.h"
#include "cli/tell.h"

typedef struct play_options {
    const lesson *lesson;
    size_t index;
    bool automatic; /* answers, edits and requests by itself */
    const teller *tell;
} play_options;

/* The exit status: CLI_OK when all came out as the lesson says and was answered rightly, CLI_FAILED
 * when not, 128 + the signal that ended it. *out_result (nullable): what came, step by step; the
 * caller's. */
int lesson_play(const play_options *o, json_t **out_result);

#endif
