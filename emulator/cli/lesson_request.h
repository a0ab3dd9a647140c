/* The requests of lessons: sent, and written as what one types to send them. */
#ifndef CLI_LESSON_REQUEST_H
#define CLI_LESSON_REQUEST_H

#include "cli/http_call.h"
#include "cli/lesson_scene.h"

/* Fetches the tokens that it needs, and sends it. *out has to be zero, and is released with
 * http_call_free if this is true. */
bool lesson_send(const scene *s, const lesson_request *r, http_call *out, error *e);

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
