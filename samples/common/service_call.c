#include "service_call.h"

#include <stdlib.h>

#include "id_token.h"
#include "jwt.h"

enum {
    TIMEOUT_MS = 10000,
    ANSWER_MAX = 1024 * 1024,
    URL_MAX = 4096,
    HEADER_MAX = JWT_SIZE_MAX + 64,
};

/* What a call sends beyond its body, with the texts that the request points at. */
typedef struct outgoing {
    text url;
    text lines[FETCH_HEADERS_MAX];
    size_t count;
    bool fits;
} outgoing;

static void outgoing_free(outgoing *o)
{
    text_free(&o->url);
    for (size_t i = 0; i < o->count; i++) {
        text_free(&o->lines[i]);
    }
}

static void add_header(outgoing *o, const char *prefix, const char *value)
{
    text *line = &o->lines[o->count++];
    *line = text_make(HEADER_MAX);
    o->fits = o->fits && text_str(line, prefix) && text_str(line, value);
}

static outgoing outgoing_make(const service_call *call, const char *token)
{
    outgoing o = {.url = text_make(URL_MAX)};
    o.fits = text_str(&o.url, call->url) && text_str(&o.url, call->path);
    if (call->user_authorization) {
        add_header(&o, "Authorization: ", call->user_authorization);
        add_header(&o, "X-Serverless-Authorization: Bearer ", token);
    } else {
        add_header(&o, "Authorization: Bearer ", token);
    }
    add_header(&o, "Accept: ", "application/json");
    if (call->trace) {
        add_header(&o, "X-Cloud-Trace-Context: ", call->trace);
    }
    if (call->body) {
        add_header(&o, "Content-Type: ", "application/json");
    }
    return o;
}

static bool send_with(const service_call *call, const char *token, answer *out_answer, problem *p)
{
    __attribute__((cleanup(outgoing_free))) outgoing o = outgoing_make(call, token);
    if (!o.fits) {
        return problem_set(p, "the URL or a header for %.200s is too long", call->url);
    }
    fetch_request request = {.url = text_cstr(&o.url),
                             .method = call->method ? call->method : "GET",
                             .body = call->body,
                             .body_size = call->body_size,
                             .timeout_ms = TIMEOUT_MS,
                             .answer_max = ANSWER_MAX};
    for (size_t i = 0; i < o.count; i++) {
        request.headers[i] = text_cstr(&o.lines[i]);
    }
    return fetch(&request, out_answer, p);
}

static bool call_once(const service_call *call, answer *out_answer, problem *p)
{
    char *token = NULL;
    problem why;
    if (!id_token_fetch(call->url, &token, &why)) {
        return problem_set(p, "no ID token for %.200s: %.280s", call->url, why.text);
    }
    const bool answered = send_with(call, token, out_answer, p);
    if (answered && out_answer->status == 401 && !answer_is_json(out_answer)) {
        id_token_forget(call->url, token);
    }
    free(token);
    return answered;
}

bool call_service(const service_call *call, answer *out_answer, problem *p)
{
    if (!call_once(call, out_answer, p)) {
        return false;
    }
    /* A JSON answer is the called program's own; a page is Cloud Run's, which did not pass the
     * request on, so that even a POST may be sent again. */
    if (out_answer->status != 401 || answer_is_json(out_answer)) {
        return true;
    }
    answer_free(out_answer);
    return call_once(call, out_answer, p);
}
