/* Services: their settings and environment. */
#include <inttypes.h>

#include "cli/diff.h"
#include "cli/export.h"

#define RUN "run.googleapis.com/"

enum { TEXT_MAX = 64 * 1024 };

/* ---- settings: each as text ---- */

static void account_text(buf *b, const service *v)
{
    buf_str(b, v->account->email);
}

static void ingress_text(buf *b, const service *v)
{
    buf_str(b, INGRESS_NAMES[v->ingress]);
}

static void flag_text(buf *b, bool value)
{
    buf_str(b, value ? "true" : "false");
}

static void iam_check_text(buf *b, const service *v)
{
    flag_text(b, v->iam_check);
}

static void default_url_text(buf *b, const service *v)
{
    flag_text(b, !v->default_url_disabled);
}

static void http2_text(buf *b, const service *v)
{
    flag_text(b, v->use_http2);
}

static void timeout_text(buf *b, const service *v)
{
    buf_fmt(b, "%" PRId64 "ms", v->timeout_us / 1000);
}

static void concurrency_text(buf *b, const service *v)
{
    buf_u64(b, v->concurrency);
}

static void instances_text(buf *b, const service *v)
{
    if (v->max_instances)
        buf_u64(b, v->max_instances);
}

static void image_text(buf *b, const service *v)
{
    buf_str(b, v->image ? v->image : "");
}

static const struct {
    const char *key;
    void (*put)(buf *b, const service *v);
    const char *path[6]; /* where it stands in a Knative Service */
} settings[] = {
    {"service_account", account_text, {"spec", "template", "spec", "serviceAccountName"}},
    {"ingress", ingress_text, {"metadata", "annotations", RUN "ingress"}},
    {"invoker_iam_check", iam_check_text, {"metadata", "annotations", RUN "invoker-iam-disabled"}},
    {"default_url", default_url_text, {"metadata", "annotations", RUN "default-url-disabled"}},
    {"timeout", timeout_text, {"spec", "template", "spec", "timeoutSeconds"}},
    {"concurrency", concurrency_text, {"spec", "template", "spec", "containerConcurrency"}},
    {"max_instances",
     instances_text,
     {"spec", "template", "metadata", "annotations", "autoscaling.knative.dev/maxScale"}},
    {"use_http2", http2_text, {"spec", "template", "spec", "containers"}},
    {"image", image_text, {"spec", "template", "spec", "containers"}},
};

static void diff_setting(differ *d, size_t i, const service *here, const service *there,
                         const node *map)
{
    auto_buf buf ours = buf_make(TEXT_MAX), theirs = buf_make(TEXT_MAX);
    const node *n = import_path(map, settings[i].path);
    settings[i].put(&ours, here);
    settings[i].put(&theirs, there);
    /* Of which image its command is and how many instances there may be a topology need not say. */
    if (!ours.n)
        return;
    diff_value(d, here->name, settings[i].key, here->place, ours.p, n ? n->at : map->at,
               theirs.n ? theirs.p : "");
}

static bool has(const char *const *list, const char *text)
{
    for (; *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

static void diff_audiences(differ *d, const service *here, const service *there, const node *map)
{
    static const char *const path[] = {"metadata", "annotations", RUN "custom-audiences", NULL};
    const node *n = import_path(map, path);
    for (const char *const *a = here->custom_audiences; *a; a++)
        if (!has(there->custom_audiences, *a))
            diff_only(d, true, here->place, "%s takes the audience %s", here->name, *a);
    for (const char *const *a = there->custom_audiences; *a; a++)
        if (!has(here->custom_audiences, *a))
            diff_only(d, false, n ? n->at : map->at, "%s takes the audience %s", here->name, *a);
}

/* ---- env: URLs of services are the same wherever these are ---- */

/* scheme://host[:port] at the text's beginning, or empty. */
static span origin_at(span text)
{
    static const char ends[] = "/?#,; \"'";
    const size_t scheme = span_starts(text, SPAN_LIT("https://"))  ? 8
                          : span_starts(text, SPAN_LIT("http://")) ? 7
                                                                   : 0;
    size_t n = scheme;
    while (scheme && n < text.n && !strchr(ends, text.p[n]))
        n++;
    return (span){text.p, n > scheme ? n : 0};
}

/* Is it NAME-….run.app, of whatever project? */
static bool is_run_app(span origin, const char *name)
{
    const span https = SPAN_LIT("https://"), domain = SPAN_LIT(".run.app");
    if (!span_starts(origin, https) || !span_ends(origin, domain))
        return false;
    const span host = span_from(origin, https.n), n = span_of(name);
    return span_starts(host, n) && host.p[n.n] == '-';
}

/* The service that the origin leads to; of those that could be meant the one with the longest name.
 */
static const service *service_at(const snapshot *s, span origin)
{
    const service *found = NULL;
    for (size_t i = 0; origin.n && i < snapshot_service_count(s); i++) {
        const service *v = snapshot_service(s, i);
        if (span_eq_str(origin, v->url))
            return v;
        if (is_run_app(origin, v->name) && (!found || strlen(v->name) > strlen(found->name)))
            found = v;
    }
    return found;
}

static void put_env_value(buf *b, const snapshot *s, const char *value)
{
    for (span rest = span_of(value); rest.n;) {
        const span origin = rest.p[0] == 'h' ? origin_at(rest) : (span){0};
        const service *v = service_at(s, origin);
        if (v)
            buf_fmt(b, "${%s.url}", v->name);
        else
            buf_char(b, rest.p[0]);
        rest = span_from(rest, v ? origin.n : 1);
    }
}

static const env_var *find_env(const service *v, const char *name)
{
    for (size_t i = 0; i < v->env_count; i++)
        if (strcmp(v->env[i].name, name) == 0)
            return &v->env[i];
    return NULL;
}

/* The item of a container's env with this name, or NULL. */
static const node *env_item(const node *map, const char *name)
{
    const node *container = import_container(map), *list = node_get(container, "env");
    for (size_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++) {
        const char *text = import_text(node_get(list->items[i], "name"));
        if (text && strcmp(text, name) == 0)
            return list->items[i];
    }
    return NULL;
}

static void diff_variable(differ *d, const service *here, const env_var *ours,
                          const env_var *theirs, place at)
{
    auto_buf buf mine = buf_make(TEXT_MAX), other = buf_make(TEXT_MAX), key = buf_make(TEXT_MAX);
    put_env_value(&mine, d->here, ours->value);
    put_env_value(&other, d->here, theirs->value);
    buf_fmt(&key, "env %s", ours->name);
    diff_value(d, here->name, key.p, here->place, mine.n ? mine.p : "", at, other.n ? other.p : "");
}

/* What comes from a secret there has no value to compare. */
static void diff_env(differ *d, const service *here, const service *there, const node *map)
{
    for (size_t i = 0; i < here->env_count; i++) {
        const env_var *e = &here->env[i], *other = find_env(there, e->name);
        const node *item = env_item(map, e->name);
        if (other)
            diff_variable(d, here, e, other, item ? item->at : map->at);
        else if (!item)
            diff_only(d, true, here->place, "%s has the variable %s", here->name, e->name);
    }
    for (size_t i = 0; i < there->env_count; i++) {
        const char *name = there->env[i].name;
        const node *item = env_item(map, name);
        if (!find_env(here, name))
            diff_only(d, false, item ? item->at : map->at, "%s has the variable %s", here->name,
                      name);
    }
}

void diff_service(differ *d, const found_service *f)
{
    const service *here = snapshot_find_service(d->here, span_of(f->name));
    const service *there = snapshot_find_service(d->there->s, span_of(f->name));
    if (!here) {
        diff_only(d, false, f->map->at, "service %s", f->name);
        return;
    }
    for (size_t i = 0; i < countof(settings); i++)
        diff_setting(d, i, here, there, f->map);
    diff_audiences(d, here, there, f->map);
    diff_env(d, here, there, f->map);
}
