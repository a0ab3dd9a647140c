/* Counted by the one thread that there is; shown as Prometheus wants it. */
#include "metadata/meters.h"

#include <stdlib.h>

#include "base/counts.h"
#include "base/metrics.h"
#include "metadata/answer.h"
#include "metadata/room.h"

enum { CELLS_MAX = 4096, PAGE_MAX = 16 * 1024 * 1024 };

struct meters {
    int64_t started_us; /* wall clock */
    counts *minted;     /* kind; account */
    counts *answers;    /* status; group */
    uint64_t remembered, asked;
};

meters *meters_new(void)
{
    meters *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->started_us = clock_wall_us();
    t->minted = counts_new(CELLS_MAX);
    t->answers = counts_new(CELLS_MAX);
    return t;
}

void meters_free(meters *t)
{
    if (!t)
        return;
    counts_free(t->minted);
    counts_free(t->answers);
    free(t);
}

/* ---- counting ---- */

void meters_minted(meters *t, minted_kind kind, const char *email)
{
    const counts_key k = {.number = kind, .texts = {span_of(email)}};
    (void)counts_add(t->minted, &k, 0);
}

void meters_access_minted(void *t, const char *email)
{
    meters_minted(t, MINTED_ACCESS, email);
}

void meters_identity_asked(meters *t, bool remembered)
{
    t->asked++;
    t->remembered += remembered;
}

/* Paths are the caller's to choose, so they are told apart by what they are for. */
static span group_of(span path)
{
    static const struct {
        span head, tail, group;
    } groups[] = {
        {{"/computeMetadata/", 17}, {"/identity", 9}, {"identity", 8}},
        {{"/computeMetadata/", 17}, {"/token", 6}, {"access_token", 12}},
        {{"/computeMetadata", 16}, {"", 0}, {"tree", 4}},
        {{"/oauth2/", 8}, {"/certs", 6}, {"certificates", 12}},
        {{"/.well-known/", 13}, {"", 0}, {"certificates", 12}},
        {{"/tokeninfo", 10}, {"", 0}, {"tokeninfo", 9}},
        {{"/oauth2/", 8}, {"/tokeninfo", 10}, {"tokeninfo", 9}},
        {{"/token", 6}, {"", 0}, {"oauth_token", 11}},
        {{"/o", 2}, {"/token", 6}, {"oauth_token", 11}},
        {{"/v1/projects/", 13}, {"", 0}, {"iam_credentials", 15}},
        {{"/invoker/", 9}, {"", 0}, {"invoker", 7}},
        {{"/metrics", 8}, {"", 0}, {"metrics", 7}},
    };
    if (span_eq_str(path, "/"))
        return SPAN_LIT("tree");
    for (size_t i = 0; i < countof(groups); i++)
        if (span_starts(path, groups[i].head) && span_ends(path, groups[i].tail))
            return groups[i].group;
    return SPAN_LIT("other");
}

void meters_answered(void *ctx, const http_request *r, unsigned status)
{
    const metadata *m = ctx;
    const counts_key k = {.number = status, .texts = {group_of(http_path(r))}};
    (void)counts_add(m->meters->answers, &k, 0);
}

/* ---- showing ---- */

static void add_minted(buf *b, const meters *t)
{
    static const char name[] = "invoker_tokens_minted_total";
    static const span kinds[] = {[MINTED_IDENTITY] = {"identity", 8},
                                 [MINTED_ACCESS] = {"access", 6},
                                 [MINTED_JWT] = {"jwt", 3},
                                 [MINTED_BLOB] = {"blob", 4}};
    const counts_cell **all = counts_sorted(t->minted);
    metric_family(b, name, METRIC_COUNTER,
                  "Tokens and signatures that were made, by account and kind: identity and access "
                  "tokens, JWTs and blobs signed for callers.");
    for (size_t i = 0; i < counts_size(t->minted); i++) {
        const metric_label labels[] = {
            {"account", counts_text(all[i], 0)}, {"kind", kinds[all[i]->number]}, {0}};
        metric_sample(b, name, labels, all[i]->count);
    }
    free(all);
    static const char cache[] = "invoker_identity_cache_total";
    metric_family(b, cache, METRIC_COUNTER,
                  "Identity tokens that were asked of the metadata server: hit, minted before "
                  "within the same second.");
    metric_sample(b, cache, (metric_label[]){{"result", SPAN_LIT("hit")}, {0}}, t->remembered);
    metric_sample(b, cache, (metric_label[]){{"result", SPAN_LIT("miss")}, {0}},
                  t->asked - t->remembered);
}

static void add_answers(buf *b, const meters *t)
{
    static const char name[] = "invoker_metadata_requests_total";
    const counts_cell **all = counts_sorted(t->answers);
    metric_family(b, name, METRIC_COUNTER,
                  "Requests that were answered, by what they were for and status.");
    for (size_t i = 0; i < counts_size(t->answers); i++) {
        auto_buf buf status = buf_make(16);
        buf_u64(&status, all[i]->number);
        const metric_label labels[] = {
            {"group", counts_text(all[i], 0)}, {"status", buf_view(&status)}, {0}};
        metric_sample(b, name, labels, all[i]->count);
    }
    free(all);
    metric_single(b, "invoker_metadata_overflow_total", METRIC_COUNTER,
                  "What is missing above, as too many things were to be told apart.",
                  counts_overflow(t->minted) + counts_overflow(t->answers));
}

static void add_keys(buf *b, keystore *keys)
{
    static const char name[] = "invoker_signing_key_created_timestamp_seconds";
    error ignored = {0};
    (void)keystore_refresh(keys, &ignored); /* another process may have rotated them */
    metric_single(b, "invoker_signing_keys", METRIC_GAUGE, "Keys that are published.",
                  keystore_count(keys));
    metric_family(b, name, METRIC_GAUGE, "When each published key was made; the newest signs.");
    for (size_t i = 0; i < keystore_count(keys); i++) {
        const key_info info = keystore_info(keys, i);
        const metric_label labels[] = {
            {"kid", span_of(info.kid)},
            {"signing", info.signing ? SPAN_LIT("true") : SPAN_LIT("false")},
            {0}};
        metric_seconds(b, name, labels, info.created_s * 1000000);
    }
}

static void answer(const metadata *m, http_request *r)
{
    static const http_field fields[] = {
        {"Content-Type", METRICS_TYPE}, {"Cache-Control", "no-store"}, {0}};
    auto_buf buf b = buf_make(PAGE_MAX);
    add_minted(&b, m->meters);
    add_answers(&b, m->meters);
    add_keys(&b, m->keys);
    live_metrics(m->live, &b);
    metrics_of_process(&b, m->meters->started_us);
    http_respond(r, 200, fields, buf_view(&b), false);
}

bool meters_serve(metadata *m, http_request *r)
{
    const door *d = http_tag(r);
    if (d->service || !span_eq_str(http_path(r), "/metrics") || http_has_header(r, "Origin") ||
        http_has_header(r, "X-Forwarded-For"))
        return false;
    if (span_eq_str(http_method(r), "GET") || span_eq_str(http_method(r), "HEAD"))
        answer(m, r);
    else
        answer_bad_method(r);
    return true;
}
