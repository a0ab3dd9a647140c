#include "id_token.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fetch.h"
#include "jwt.h"

enum {
    CACHE_MAX = 16,
    URL_MAX = 4096,
    REFRESH_EARLY_S = 300, /* the margin of the client libraries */
    TIMEOUT_MS = 3000,
    ATTEMPTS = 3,
    FIRST_DELAY_MS = 100,
};

static const char IDENTITY_PATH[] =
    "/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience=";

typedef struct kept_token {
    char *audience;
    char *token;
    time_t expires;
} kept_token;

static struct {
    pthread_mutex_t mutex;
    struct {
        kept_token kept[CACHE_MAX];
    } locked;
} g_cache = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void kept_clear(kept_token *k)
{
    free(k->audience);
    free(k->token);
    *k = (kept_token){0};
}

static kept_token *find_locked(const char *audience)
{
    for (size_t i = 0; i < CACHE_MAX; i++) {
        kept_token *k = &g_cache.locked.kept[i];
        if (k->audience && strcmp(k->audience, audience) == 0) {
            return k;
        }
    }
    return NULL;
}

static char *cached(const char *audience)
{
    pthread_mutex_lock(&g_cache.mutex);
    const kept_token *k = find_locked(audience);
    char *token = k && time(NULL) < k->expires - REFRESH_EARLY_S ? strdup(k->token) : NULL;
    pthread_mutex_unlock(&g_cache.mutex);
    return token;
}

/* The place of this audience, a free one, or the one that expires first. */
static kept_token *place_locked(const char *audience)
{
    kept_token *place = find_locked(audience);
    if (place) {
        return place;
    }
    place = &g_cache.locked.kept[0];
    for (size_t i = 1; i < CACHE_MAX; i++) {
        if (g_cache.locked.kept[i].expires < place->expires) {
            place = &g_cache.locked.kept[i];
        }
    }
    return place;
}

static void keep(const char *audience, const char *token, time_t expires)
{
    kept_token fresh = {.audience = strdup(audience), .token = strdup(token), .expires = expires};
    if (!fresh.audience || !fresh.token) {
        kept_clear(&fresh);
        return;
    }
    pthread_mutex_lock(&g_cache.mutex);
    kept_token *place = place_locked(audience);
    kept_clear(place);
    *place = fresh;
    pthread_mutex_unlock(&g_cache.mutex);
}

void id_token_forget(const char *audience, const char *token)
{
    pthread_mutex_lock(&g_cache.mutex);
    kept_token *k = find_locked(audience);
    if (k && strcmp(k->token, token) == 0) {
        kept_clear(k);
    }
    pthread_mutex_unlock(&g_cache.mutex);
}

void id_token_stop(void)
{
    pthread_mutex_lock(&g_cache.mutex);
    for (size_t i = 0; i < CACHE_MAX; i++) {
        kept_clear(&g_cache.locked.kept[i]);
    }
    pthread_mutex_unlock(&g_cache.mutex);
}

static bool identity_url(text *url, const char *audience, problem *p)
{
    const char *host = getenv("GCE_METADATA_HOST");
    char *escaped = curl_easy_escape(NULL, audience, 0);
    text_str(url, "http://");
    text_str(url, host && *host ? host : "metadata.google.internal");
    text_str(url, IDENTITY_PATH);
    text_str(url, escaped ? escaped : "");
    const bool fits = escaped && !url->overflow;
    curl_free(escaped);
    return fits || problem_set(p, "the audience or GCE_METADATA_HOST is too long");
}

static bool worth_another_try(long status)
{
    return status == 408 || status == 429 || status == 500 || status == 503 || status == 504;
}

static void pause_before_retry(int attempt)
{
    const long ms = (long)FIRST_DELAY_MS << attempt;
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static bool ask(const char *url, answer *out_answer, problem *p)
{
    const fetch_request request = {.url = url,
                                   .method = "GET",
                                   .headers = {"Metadata-Flavor: Google"},
                                   .timeout_ms = TIMEOUT_MS,
                                   .answer_max = JWT_SIZE_MAX,
                                   .no_proxy = true};
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) {
            pause_before_retry(attempt - 1);
        }
        answer a;
        if (!fetch(&request, &a, p)) {
            continue;
        }
        if (a.status == 200) {
            *out_answer = a;
            return true;
        }
        problem_set(p, "the metadata server answered %ld: %.200s", a.status, text_cstr(&a.body));
        const bool again = worth_another_try(a.status);
        answer_free(&a);
        if (!again) {
            return false;
        }
    }
    return false;
}

/* When the token expires, or 0 when this is no token. */
static time_t token_expiry(const char *token)
{
    json_t *claims = jwt_payload(token);
    const json_t *exp = json_object_get(claims, "exp");
    const time_t expires = json_is_integer(exp) ? (time_t)json_integer_value(exp) : 0;
    json_decref(claims);
    return expires > 0 ? expires : 0;
}

bool id_token_fetch(const char *audience, char **out_token, problem *p)
{
    char *token = cached(audience);
    if (token) {
        *out_token = token;
        return true;
    }
    AUTO_TEXT url = text_make(URL_MAX);
    AUTO_ANSWER a = {0};
    if (!identity_url(&url, audience, p) || !ask(text_cstr(&url), &a, p)) {
        return false;
    }
    if (strcmp(a.metadata_flavor, "Google") != 0) {
        return problem_set(p, "what answers at the metadata server's address is none: its answer "
                              "lacks \"Metadata-Flavor: Google\"");
    }
    const time_t expires = token_expiry(text_cstr(&a.body));
    if (expires == 0) {
        return problem_set(p, "the metadata server's answer is not an ID token");
    }
    keep(audience, text_cstr(&a.body), expires);
    *out_token = text_take(&a.body);
    return true;
}
