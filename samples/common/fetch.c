#include "fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { POOL_MAX = 16 };

/* Idle handles with their kept-alive connections. */
static struct {
    pthread_mutex_t mutex;
    struct {
        CURL *idle[POOL_MAX];
        size_t count;
    } locked;
} g_pool = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void fetch_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void fetch_stop(void)
{
    pthread_mutex_lock(&g_pool.mutex);
    while (g_pool.locked.count > 0) {
        curl_easy_cleanup(g_pool.locked.idle[--g_pool.locked.count]);
    }
    pthread_mutex_unlock(&g_pool.mutex);
    curl_global_cleanup();
}

static CURL *handle_get(void)
{
    CURL *handle = NULL;
    pthread_mutex_lock(&g_pool.mutex);
    if (g_pool.locked.count > 0) {
        handle = g_pool.locked.idle[--g_pool.locked.count];
    }
    pthread_mutex_unlock(&g_pool.mutex);
    return handle ? handle : curl_easy_init();
}

static void handle_put(CURL *handle)
{
    curl_easy_reset(handle); /* forgets the options, keeps the connections */
    pthread_mutex_lock(&g_pool.mutex);
    if (g_pool.locked.count < POOL_MAX) {
        g_pool.locked.idle[g_pool.locked.count++] = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&g_pool.mutex);
    if (handle) {
        curl_easy_cleanup(handle);
    }
}

static size_t on_body(char *bytes, size_t one, size_t count, void *context)
{
    return text_add(context, bytes, one * count) ? one * count : 0;
}

static void set_limits(CURL *handle, const fetch_request *request, text *body)
{
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L); /* a token goes to no other host */
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, 5L); /* containers come back elsewhere */
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, body);
    if (request->no_proxy) {
        curl_easy_setopt(handle, CURLOPT_PROXY, "");
    }
}

static void set_request(CURL *handle, const fetch_request *request)
{
    curl_easy_setopt(handle, CURLOPT_URL, request->url);
    if (request->body) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body);
    }
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
}

static struct curl_slist *header_list(const fetch_request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* small bodies: no 100 dance */
    for (size_t i = 0; i < FETCH_HEADERS_MAX && request->headers[i]; i++) {
        list = curl_slist_append(list, request->headers[i]);
    }
    return list;
}

static void keep_header(CURL *handle, const char *name, char *out, size_t out_size)
{
    struct curl_header *header = NULL;
    out[0] = '\0';
    if (curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
        snprintf(out, out_size, "%s", header->value);
    }
}

static bool perform(CURL *handle, const fetch_request *request, answer *a, problem *p)
{
    char reason[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
    const CURLcode code = curl_easy_perform(handle);
    if (code != CURLE_OK) {
        if (a->body.overflow) {
            return problem_set(p, "the answer of %.200s is larger than %zu bytes", request->url,
                               request->answer_max);
        }
        return problem_set(p, "%s %.200s: %s", request->method, request->url,
                           reason[0] ? reason : curl_easy_strerror(code));
    }
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &a->status);
    keep_header(handle, "Content-Type", a->content_type, sizeof a->content_type);
    keep_header(handle, "Metadata-Flavor", a->metadata_flavor, sizeof a->metadata_flavor);
    keep_header(handle, "WWW-Authenticate", a->www_authenticate, sizeof a->www_authenticate);
    return true;
}

bool fetch(const fetch_request *request, answer *out_answer, problem *p)
{
    CURL *handle = handle_get();
    if (!handle) {
        return problem_set(p, "out of memory");
    }
    answer a = {.body = text_make(request->answer_max)};
    struct curl_slist *headers = header_list(request);
    set_limits(handle, request, &a.body);
    set_request(handle, request);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    const bool done = perform(handle, request, &a, p);
    curl_slist_free_all(headers);
    handle_put(handle);
    if (!done) {
        answer_free(&a);
        return false;
    }
    *out_answer = a;
    return true;
}

bool answer_is_json(const answer *a)
{
    static const char JSON_TYPE[] = "application/json";
    const size_t size = sizeof JSON_TYPE - 1;
    return strncasecmp(a->content_type, JSON_TYPE, size) == 0 &&
           (a->content_type[size] == '\0' || strchr("; ", a->content_type[size]));
}

void answer_free(answer *a)
{
    text_free(&a->body);
}
