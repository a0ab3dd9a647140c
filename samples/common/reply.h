/* What a handler answers. */
#ifndef COMMON_REPLY_H
#define COMMON_REPLY_H

#include <jansson.h>
#include <stddef.h>

typedef struct reply {
    unsigned status;
    const char *content_type; /* static text; NULL: no body */
    char *body;               /* malloc'ed; the server frees it */
    size_t body_size;
    const char *allow; /* for 405: the methods, static text */
} reply;

/* Takes over the reference to body; a NULL body (something could not be built) answers 500. */
reply reply_json(unsigned status, json_t *body);

/* {"error": "..."} */
reply reply_error(unsigned status, const char *format, ...) __attribute__((format(printf, 2, 3)));

reply reply_text(unsigned status, const char *content_type, const char *body);
reply reply_empty(unsigned status);

#endif
