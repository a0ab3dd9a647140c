/* One HTTP exchange with libcurl, with limits on everything. Any thread; connections are kept alive
 * in a small pool of handles. */
#ifndef COMMON_FETCH_H
#define COMMON_FETCH_H

#include "problem.h"
#include "text.h"

enum { FETCH_HEADERS_MAX = 8 };

typedef struct fetch_request {
    const char *url;
    const char *method;
    const char *headers[FETCH_HEADERS_MAX]; /* "Name: value"; ends at the first NULL */
    const char *body;                       /* NULL for none */
    size_t body_size;
    long timeout_ms;
    size_t answer_max;
    bool no_proxy; /* link-local: never through a proxy */
} fetch_request;

typedef struct answer {
    long status;
    text body;
    char content_type[96];
    char metadata_flavor[32];
    char www_authenticate[256];
} answer;

/* True whatever the status is, once the whole answer is there. The caller frees out_answer. */
bool fetch(const fetch_request *request, answer *out_answer, problem *p);
bool answer_is_json(const answer *a);
void answer_free(answer *a);

#define AUTO_ANSWER __attribute__((cleanup(answer_free))) answer

/* Around everything else, on the main thread. */
void fetch_start(void);
void fetch_stop(void);

#endif
