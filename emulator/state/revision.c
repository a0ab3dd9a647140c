#include "state/revision.h"

#include <string.h>

static const json_t *list(const json_t *entry)
{
    return json_object_get(entry, "revisions");
}

const char *revision_name(const json_t *revision)
{
    return json_string_value(json_object_get(json_object_get(revision, "metadata"), "name"));
}

json_t *revision_find(const json_t *entry, const char *name)
{
    for (size_t i = 0; i < json_array_size(list(entry)); i++) {
        json_t *r = json_array_get(list(entry), i);
        const char *its = revision_name(r);
        if (its && strcmp(its, name) == 0)
            return r;
    }
    return NULL;
}

json_t *revision_latest(const json_t *entry)
{
    const size_t n = json_array_size(list(entry));
    return n ? json_array_get(list(entry), n - 1) : NULL;
}

const char *revision_of_target(const json_t *entry, const json_t *target)
{
    const char *name = json_string_value(json_object_get(target, "revisionName"));
    return name && *name ? name : revision_name(revision_latest(entry));
}

int64_t revision_share(const json_t *entry, const char *name)
{
    const json_t *spec = json_object_get(json_object_get(entry, "knative"), "spec");
    const json_t *traffic = json_object_get(spec, "traffic");
    int64_t sum = 0;
    for (size_t i = 0; i < json_array_size(traffic); i++) {
        const json_t *target = json_array_get(traffic, i);
        const char *its = revision_of_target(entry, target);
        if (its && strcmp(its, name) == 0)
            sum += json_integer_value(json_object_get(target, "percent"));
    }
    return sum;
}

json_t *revision_serving(const json_t *entry)
{
    json_t *best = revision_latest(entry);
    const char *name = revision_name(best);
    int64_t most = name ? revision_share(entry, name) : 0;
    for (size_t i = json_array_size(list(entry)); i-- > 0;) {
        json_t *r = json_array_get(list(entry), i);
        name = revision_name(r);
        const int64_t share = name ? revision_share(entry, name) : 0;
        if (share > most) {
            most = share;
            best = r;
        }
    }
    return best;
}
