/* Tries fast while there are no keys at all (both processes start together), calmly afterwards. */
#include "gateway/keys_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum {
    RETRY_FIRST_US = 2 * 1000,
    RETRY_MAX_US = 1000 * 1000,
    RETRY_WITH_KEYS_US = 5 * 1000 * 1000,
    COMPLAIN_AFTER_US = 1000 * 1000,
    ASK_EACH_US = 3 * 1000 * 1000,
    ANSWER_TIMEOUT_US = 2 * 1000 * 1000,
    KEEP_MIN_S = 10,
    KEEP_MAX_S = 24 * 3600,
    KEEP_UNSTATED_S = 300,
    FILE_KEEP_S = 60
};

struct keys_fetch {
    keys_fetch_options o;
    char *source;
    bool is_url;
    span authority, target; /* of the URL; views of source */
    fetch *running;
    loop_timer next;
    int64_t retry_us;
    int64_t failing_since_us; /* 0: the last attempt was good */
    int64_t last_end_us;
    bool have_keys, complained;
};

static void attempt(keys_fetch *f);

static void on_timer(loop_timer *t)
{
    attempt(container_of(t, keys_fetch, next));
}

keys_fetch *keys_fetch_new(const keys_fetch_options *o)
{
    keys_fetch *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->o = *o;
    f->next.fire = on_timer;
    return f;
}

void keys_fetch_free(keys_fetch *f)
{
    if (!f)
        return;
    fetch_cancel(f->running);
    loop_timer_cancel(f->o.loop, &f->next);
    free(f->source);
    free(f);
}

static void again_in(keys_fetch *f, int64_t us)
{
    loop_timer_set(f->o.loop, &f->next, clock_mono_us() + us);
}

static void succeeded(keys_fetch *f, jwks *keys, int64_t keep_s)
{
    if (f->complained)
        log_at(LOG_INFO, "verification keys are here", LOG_S("source", f->source),
               LOG_I("keys", jwks_count(keys)));
    f->have_keys = true;
    f->complained = false;
    f->failing_since_us = 0;
    f->retry_us = RETRY_FIRST_US;
    f->last_end_us = clock_mono_us();
    again_in(f, keep_s * 1000000);
    f->o.on_attempt(f->o.ctx, keys);
}

static void failed(keys_fetch *f, const char *why)
{
    int64_t now = clock_mono_us();
    f->last_end_us = now;
    if (!f->failing_since_us)
        f->failing_since_us = now;
    if (!f->complained && (f->have_keys || now - f->failing_since_us >= COMPLAIN_AFTER_US)) {
        f->complained = true;
        log_at(LOG_WARN,
               f->have_keys ? "cannot refresh the verification keys: the former ones stay"
                            : "no verification keys yet: no token can be accepted",
               LOG_S("source", f->source), LOG_S("error", why));
    }
    if (f->have_keys) {
        again_in(f, RETRY_WITH_KEYS_US);
    } else {
        again_in(f, f->retry_us);
        f->retry_us = f->retry_us * 2 < RETRY_MAX_US ? f->retry_us * 2 : RETRY_MAX_US;
    }
    f->o.on_attempt(f->o.ctx, NULL);
}

static void take_document(keys_fetch *f, span json, int64_t keep_s)
{
    error e = {0};
    jwks *keys = jwks_parse(json, &e);
    if (keys)
        succeeded(f, keys, keep_s);
    else
        failed(f, e.text);
}

int64_t cache_control_max_age(span value, int64_t fallback)
{
    span item;
    for (bool more = true; more;) {
        more = span_cut(&value, ',', &item);
        item = span_trim(item);
        uint64_t seconds = 0;
        if (span_ieq_str(item, "no-store") || span_ieq_str(item, "no-cache"))
            return 0;
        if (item.n > 8 && span_ieq((span){item.p, 8}, SPAN_LIT("max-age=")) &&
            span_u64(span_from(item, 8), INT32_MAX, &seconds))
            return (int64_t)seconds;
    }
    return fallback;
}

static int64_t keep_seconds(const fetch *f)
{
    int64_t s = cache_control_max_age(fetch_header(f, "Cache-Control"), KEEP_UNSTATED_S);
    if (s < KEEP_MIN_S)
        return KEEP_MIN_S;
    return s < KEEP_MAX_S ? s : KEEP_MAX_S;
}

static void on_result(void *ctx, unsigned status, span body, const error *e)
{
    keys_fetch *f = ctx;
    const fetch *done = f->running;
    f->running = NULL;
    if (e) {
        failed(f, e->text);
    } else if (status != 200) {
        error bad;
        error_set(&bad, ERR_UNAVAILABLE, "answered %u instead of 200", status);
        failed(f, bad.text);
    } else {
        take_document(f, body, keep_seconds(done));
    }
}

static void attempt_file(keys_fetch *f)
{
    error e = {0};
    size_t n = 0;
    auto_free char *text = file_read(f->source, JWKS_TEXT_MAX, &n, &e);
    if (text)
        take_document(f, (span){text, n}, FILE_KEEP_S);
    else
        failed(f, e.text);
}

static void attempt(keys_fetch *f)
{
    if (f->running)
        return;
    loop_timer_cancel(f->o.loop, &f->next);
    if (!f->is_url) {
        attempt_file(f);
        return;
    }
    net_addr a;
    if (!host_names_find(f->o.names, f->authority, &a)) {
        failed(f, "the host's name is not resolved yet");
        return;
    }
    f->running = proxy_fetch(f->o.proxy, &(fetch_request){.to = &a,
                                                          .host = f->authority,
                                                          .target = f->target,
                                                          .answer_max = JWKS_TEXT_MAX,
                                                          .timeout_us = ANSWER_TIMEOUT_US,
                                                          .on_result = on_result,
                                                          .ctx = f});
}

/* Cuts http://HOST:PORT/PATH; a port is put in where none stands. */
static bool take_url(keys_fetch *f, const char *url, error *e)
{
    static const span scheme = {"http://", 7};
    span rest = span_from(span_of(url), scheme.n);
    size_t slash = span_find(rest, '/');
    span authority = {rest.p, slash};
    bool has_port = span_find(authority, ':') < authority.n;
    if (authority.n == 0 || span_find(authority, '@') < authority.n)
        return error_set(e, ERR_INVALID, "%s: expected http://HOST:PORT/PATH", url);
    auto_buf buf b = buf_make(8192);
    buf_span(&b, authority);
    if (!has_port)
        buf_str(&b, ":80");
    size_t authority_n = b.n;
    buf_span(&b, slash < rest.n ? span_from(rest, slash) : SPAN_LIT("/"));
    if (!buf_ok(&b))
        return error_set(e, ERR_LIMIT, "the URL of the keys is too long");
    free(f->source);
    f->source = buf_take(&b);
    f->authority = (span){f->source, authority_n};
    f->target = span_of(f->source + authority_n);
    f->is_url = true;
    return true;
}

static bool same_source(const keys_fetch *f, const char *source)
{
    const char *bare = strncmp(source, "http://", 7) == 0 ? source + 7 : source;
    return f->source && strcmp(f->source, bare) == 0;
}

bool keys_fetch_source(keys_fetch *f, const char *source, error *e)
{
    if (same_source(f, source))
        return true;
    if (strncmp(source, "https://", 8) == 0)
        return error_set(e, ERR_INVALID,
                         "%s: only http:// is fetched here; for other keys save the document and "
                         "name the file",
                         source);
    if (strncmp(source, "http://", 7) == 0) {
        if (!take_url(f, source, e))
            return false;
    } else {
        free(f->source);
        f->source = span_dup(span_of(source));
        f->is_url = false;
    }
    fetch_cancel(f->running);
    f->running = NULL;
    f->retry_us = RETRY_FIRST_US;
    attempt(f);
    return true;
}

void keys_fetch_ask(keys_fetch *f)
{
    if (f->have_keys && clock_mono_us() - f->last_end_us >= ASK_EACH_US)
        attempt(f);
}

void keys_fetch_now(keys_fetch *f)
{
    if (f->source)
        attempt(f);
}
