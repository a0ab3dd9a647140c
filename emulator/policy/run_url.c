/* Derived URLs. The hash cannot be production's (its recipe is not public), but has its shape and,
 * like it, is the same for all services of a project. */
#include "policy/run_url.h"

#include "base/buf.h"
#include "base/hash.h"

enum { DNS_LABEL_MAX = 63, URL_TEXT_MAX = 1024 };

/* Fixed keys: the URLs must be the same in every process and after every restart. */
static const hash_key URL_KEY = {0x72756e2e617070U, 1};
static const hash_key REVISION_KEY = {0x7265766973696f6eU, 1};

static const struct {
    const char *region, *code;
} region_codes[] = {
    {"asia-east1", "de"},
    {"asia-east2", "df"},
    {"asia-northeast1", "an"},
    {"asia-northeast2", "dt"},
    {"asia-northeast3", "du"},
    {"asia-south1", "el"},
    {"asia-south2", "em"},
    {"asia-southeast1", "as"},
    {"asia-southeast2", "et"},
    {"australia-southeast1", "ts"},
    {"australia-southeast2", "km"},
    {"europe-central2", "lm"},
    {"europe-north1", "lz"},
    {"europe-southwest1", "no"},
    {"europe-west1", "ew"},
    {"europe-west2", "nw"},
    {"europe-west3", "ey"},
    {"europe-west4", "ez"},
    {"europe-west6", "oa"},
    {"europe-west8", "oc"},
    {"europe-west9", "od"},
    {"me-west1", "zf"},
    {"northamerica-northeast1", "nn"},
    {"northamerica-northeast2", "pd"},
    {"southamerica-east1", "rj"},
    {"southamerica-west1", "tl"},
    {"us-central1", "uc"},
    {"us-east1", "ue"},
    {"us-east4", "uk"},
    {"us-east5", "ul"},
    {"us-south1", "vp"},
    {"us-west1", "uw"},
    {"us-west2", "wl"},
    {"us-west3", "wm"},
    {"us-west4", "wn"},
};

/* Regions newer than the table share a code that no region has. */
static const char *region_code(const char *region)
{
    for (size_t i = 0; i < countof(region_codes); i++) {
        if (strcmp(region_codes[i].region, region) == 0)
            return region_codes[i].code;
    }
    return "zz";
}

const char *run_url_deterministic(textpool *m, const project *p, const char *name)
{
    if (strlen(name) + 1 + strlen(p->number) > DNS_LABEL_MAX)
        return NULL;
    auto_buf buf b = buf_make(URL_TEXT_MAX);
    buf_fmt(&b, "https://%s-%s.%s.run.app", name, p->number, p->region);
    return textpool_span(m, buf_view(&b));
}

/* Ten characters of base32; the last carries a single bit, so it is "a" or "q". */
static void project_hash(const project *p, char out[11])
{
    static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint64_t bits = hash_bytes(URL_KEY, p->number, strlen(p->number));
    for (size_t i = 0; i < 9; i++, bits >>= 5)
        out[i] = base32[bits & 31];
    out[9] = bits & 1 ? 'q' : 'a';
    out[10] = '\0';
}

const char *run_url_hash(textpool *m, const project *p, const char *name)
{
    char hash[11];
    project_hash(p, hash);
    auto_buf buf b = buf_make(URL_TEXT_MAX);
    buf_fmt(&b, "https://%s-%s-%s.a.run.app", name, hash, region_code(p->region));
    return textpool_span(m, buf_view(&b));
}

const char *run_revision(textpool *m, const char *name)
{
    uint64_t h = hash_bytes(REVISION_KEY, name, strlen(name));
    char suffix[4] = {0};
    for (size_t i = 0; i < 3; i++, h /= 26)
        suffix[i] = (char)('a' + h % 26);
    auto_buf buf b = buf_make(URL_TEXT_MAX);
    buf_fmt(&b, "%s-00001-%s", name, suffix);
    return textpool_span(m, buf_view(&b));
}
