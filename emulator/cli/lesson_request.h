/* The requests of lessons: sent, and written as what one types to send them. */
#ifndef CLI_LESSON_REQUEST_H
#define CLI_LESSON_REQUEST_H

#include "cli/control_client.h"
#include "cli/lesson_scene.h"

/* What came of a request that was sent here. Release with lesson_answer_free. */
typedef struct lesson_answer {
    control_reply reply;
    buf head;
} lesson_answer;
void lesson_answer_free(lesson_answer *a);

/* A field of the answer's head; false when it is not there. */
bool lesson_answer_field(const lesson_answer *a, const char *name, span *out);

/* Fetches the tokens that it needs, and sends it. */
bool lesson_send(const scene *s, const lesson_request *r, lesson_answer *out, error *e);

/* The same as lines for a shell that has read the scene's env file; each is indented and at most
 * 80 columns wide. */
void lesson_shell(buf *out, const lesson_request *r);

/* "GET /items at backend-api" */
void lesson_request_text(buf *out, const lesson_request *r);

const char *lesson_method(const lesson_request *r);
const char *lesson_path(const lesson_request *r);

/* The audience that is asked for, with {SERVICE} as url() has it. */
void lesson_audience(buf *out, const lesson_request *r, const carried *c,
                     void (*url)(buf *out, const void *ctx, const char *name), const void *ctx);

#endif
