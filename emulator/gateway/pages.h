/* The pages that Cloud Run's front end answers with by itself, byte for byte. */
#ifndef GATEWAY_PAGES_H
#define GATEWAY_PAGES_H

#include "base/buf.h"
#include "decision/reasons.h"

typedef enum error_page {
    ERROR_401,
    ERROR_403,
    ERROR_404,
    ERROR_404_ROBOT, /* answered in front of Cloud Run: without its server and trace fields */
    ERROR_405_ROBOT, /* TRACE and CONNECT never reach a container */
    ERROR_413,
    ERROR_429,
    ERROR_500,
    ERROR_503,
    ERROR_504,
    ERROR_PAGE_COUNT_
} error_page;

enum { PAGE_BODY_MAX = 256 * 1024 };

typedef struct error_page_info {
    const char *content_type;
    const char *log_text; /* production's textPayload where no reason has one; NULL: none */
    unsigned status;
    bool robot;
} error_page_info;

const error_page_info *pages_info(error_page p);

/* Which page goes with a refusal; reason_info(r)->page must not be PAGE_NONE. */
error_page pages_of_reason(reason r);

/* Appends the body. path is what {PATH} shows: the request's path without its query. */
void pages_body(buf *b, error_page p, span path);

#define PAGE_SERVER  "Google Frontend"
#define PAGE_ALT_SVC "h3=\":443\"; ma=2592000"
#define PAGE_CHALLENGE                                                                             \
    "Bearer error=\"invalid_token\" error_description=\"The access token could not be verified\""

#endif
