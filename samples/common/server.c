#include "server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jwt.h"
#include "logline.h"
#include "route.h"
#include "text.h"

enum {
    PATH_MAX_BYTES = 1024,
    HEAD_MAX = 32 * 1024,
    DROPPED_MAX = 1024 * 1024,
    STACK_BYTES = 512 * 1024,
    CONNECTIONS_MAX = 512,
    IDLE_TIMEOUT_S = 75,
};

struct server {
    const service *service;
    struct MHD_Daemon *daemon;
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    struct {
        size_t running;
    } locked;
};

/* One request from its first header to its last byte. */
typedef struct exchange {
    text body;
    size_t dropped; /* bytes beyond the limit */
    struct timespec begun;
    bool done;
} exchange;

static void count_running(server *sv, bool begins)
{
    pthread_mutex_lock(&sv->mutex);
    sv->locked.running = begins ? sv->locked.running + 1 : sv->locked.running - 1;
    if (sv->locked.running == 0) {
        pthread_cond_broadcast(&sv->idle);
    }
    pthread_mutex_unlock(&sv->mutex);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static void log_request(const request *r, const reply *answer, const exchange *x)
{
    struct timespec now;
    char latency[32];
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(latency, sizeof latency, "%.6fs",
             (double)(now.tv_sec - x->begun.tv_sec) +
                 (double)(now.tv_nsec - x->begun.tv_nsec) / 1e9);
    json_t *fields = json_pack("{s:s, s:{s:s, s:s*, s:i, s:s}}", "caller", r->caller, "httpRequest",
                               "requestMethod", r->method, "requestUrl", r->path, "status",
                               (int)answer->status, "latency", latency);
    if (fields) {
        logline_add_trace(fields, r->trace);
    }
    const severity level = answer->status >= 500   ? SEVERITY_ERROR
                           : answer->status >= 400 ? SEVERITY_WARNING
                                                   : SEVERITY_INFO;
    logline_with(level, fields, "%.20s %.200s %u caller=%s", r->method, r->path, answer->status,
                 r->caller);
}

static enum MHD_Result send_reply(struct MHD_Connection *c, const reply *answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body_size, answer->body,
        answer->body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response) {
        free(answer->body);
        return MHD_NO;
    }
    if (answer->content_type) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    }
    if (answer->allow) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    const enum MHD_Result queued = MHD_queue_response(c, answer->status, response);
    MHD_destroy_response(response);
    return queued;
}

static request request_make(const server *sv, struct MHD_Connection *c, const char *path,
                            const char *method, const exchange *x)
{
    request r = {
        .method = strcmp(method, "HEAD") == 0 ? "GET" : method,
        .path = path,
        .authorization = header(c, "Authorization"),
        .trace = header(c, "X-Cloud-Trace-Context"),
        .body = text_cstr(&x->body),
        .body_size = x->body.size,
    };
    const char *serverless = header(c, "X-Serverless-Authorization");
    if (sv->service->is_public) {
        snprintf(r.caller, sizeof r.caller, "anonymous");
    } else {
        caller_email(serverless ? serverless : r.authorization, r.caller, sizeof r.caller);
    }
    return r;
}

static enum MHD_Result answer_now(struct MHD_Connection *c, exchange *x, const request *r,
                                  reply answer)
{
    x->done = true;
    log_request(r, &answer, x);
    return send_reply(c, &answer);
}

/* What can be refused before the body is read; status 0 is none of it. */
static reply early_refusal(struct MHD_Connection *c, const char *path)
{
    const char *length = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *coding = header(c, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    if (coding && (length || strcmp(coding, "chunked") != 0)) {
        return reply_error(400, "the request's length is not clear");
    }
    if (strnlen(path, PATH_MAX_BYTES + 1) > PATH_MAX_BYTES) {
        return reply_error(414, "the path is longer than %d bytes", PATH_MAX_BYTES);
    }
    if (length && strtoull(length, NULL, 10) > REQUEST_BODY_MAX) {
        return reply_error(413, "the body is larger than %d bytes", REQUEST_BODY_MAX);
    }
    return (reply){0};
}

static enum MHD_Result begin(server *sv, struct MHD_Connection *c, const char *path,
                             const char *method, void **state)
{
    exchange *x = calloc(1, sizeof *x);
    if (!x) {
        return MHD_NO;
    }
    x->body = text_make(REQUEST_BODY_MAX);
    clock_gettime(CLOCK_MONOTONIC, &x->begun);
    *state = x;
    count_running(sv, true);
    const reply refusal = early_refusal(c, path);
    if (refusal.status == 0) {
        return MHD_YES;
    }
    const request r = request_make(sv, c, path, method, x);
    return answer_now(c, x, &r, refusal);
}

static reply dispatch(const server *sv, request *r)
{
    reply refusal = {0};
    if (strcmp(r->path, "/ready") == 0 && strcmp(r->method, "GET") == 0) {
        return reply_json(200, json_pack("{s:s}", "ready", sv->service->name));
    }
    const route *found = route_find(sv->service->routes, r, &refusal);
    return found ? found->handle(r, sv->service->context) : refusal;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)version;
    server *sv = context;
    exchange *x = *state;
    if (!x) {
        return begin(sv, c, path, method, state);
    }
    if (x->done) {
        return MHD_YES;
    }
    if (*upload_size > 0) {
        /* No answer can leave while a chunked body is coming: what is too much is dropped here and
         * refused at its end; a body without end is cut off. */
        if (x->body.overflow || !text_add(&x->body, upload, *upload_size)) {
            x->dropped += *upload_size;
        }
        *upload_size = 0;
        return x->dropped > DROPPED_MAX ? MHD_NO : MHD_YES;
    }
    request r = request_make(sv, c, path, method, x);
    if (x->body.overflow) {
        return answer_now(c, x, &r,
                          reply_error(413, "the body is larger than %d bytes", REQUEST_BODY_MAX));
    }
    return answer_now(c, x, &r, dispatch(sv, &r));
}

static void on_completed(void *context, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode why)
{
    (void)c;
    (void)why;
    exchange *x = *state;
    if (!x) {
        return;
    }
    text_free(&x->body);
    free(x);
    *state = NULL;
    count_running(context, false);
}

static void on_library_message(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void on_library_message(void *context, const char *format, va_list arguments)
{
    (void)context;
    char message[256];
    vsnprintf(message, sizeof message, format, arguments);
    logline(SEVERITY_WARNING, "http: %.*s", (int)strcspn(message, "\n"), message);
}

/* Paths stay as they were sent: an escaped slash is no slash. */
static size_t keep_escapes(void *context, struct MHD_Connection *c, char *path)
{
    (void)context;
    (void)c;
    return strlen(path);
}

server *server_start(const service *s, int listening, problem *p)
{
    server *sv = calloc(1, sizeof *sv);
    if (!sv) {
        close(listening);
        problem_set(p, "out of memory");
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sv->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&sv->mutex, NULL);
    sv->service = s;
    sv->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
            MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, sv, MHD_OPTION_EXTERNAL_LOGGER, on_library_message, NULL,
        MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_NOTIFY_COMPLETED, on_completed, sv,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MAX, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_END);
    if (!sv->daemon) {
        close(listening);
        free(sv);
        problem_set(p, "the HTTP server does not start");
        return NULL;
    }
    return sv;
}

static bool wait_until_idle(server *sv, long grace_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += grace_ms / 1000;
    deadline.tv_nsec += grace_ms % 1000 * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000L;
    }
    int rc = 0;
    pthread_mutex_lock(&sv->mutex);
    while (sv->locked.running > 0 && rc == 0) {
        rc = pthread_cond_timedwait(&sv->idle, &sv->mutex, &deadline);
    }
    const bool idle = sv->locked.running == 0;
    pthread_mutex_unlock(&sv->mutex);
    return idle;
}

bool server_stop(server *sv, long grace_ms)
{
    const MHD_socket listening = MHD_quiesce_daemon(sv->daemon);
    if (listening != MHD_INVALID_SOCKET) {
        close(listening);
    }
    if (!wait_until_idle(sv, grace_ms)) {
        return false;
    }
    MHD_stop_daemon(sv->daemon);
    pthread_cond_destroy(&sv->idle);
    pthread_mutex_destroy(&sv->mutex);
    free(sv);
    return true;
}
