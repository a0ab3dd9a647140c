/* Builds environments: an inherited one, with a service's variables laid over it. */
#include "cli/up_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/net.h"

enum { VALUE_MAX = 256 * 1024, VARS_EXTRA = 32, NAME_MAX_BYTES = 256 };

/* ---- lists ---- */

static void append(envlist *l, char *item)
{
    if (l->count + 2 > l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        char **bigger = realloc(l->items, l->cap * sizeof *bigger);
        if (!bigger)
            abort();
        l->items = bigger;
    }
    l->items[l->count++] = item;
    l->items[l->count] = NULL;
}

void envlist_free(envlist *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i]);
    free(l->items);
    *l = (envlist){0};
}

void envlist_inherit(envlist *l, char *const *from)
{
    for (; from && *from; from++)
        append(l, span_dup(span_of(*from)));
}

static size_t find(const envlist *l, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < l->count; i++)
        if (strncmp(l->items[i], name, n) == 0 && l->items[i][n] == '=')
            return i;
    return l->count;
}

const char *envlist_get(const envlist *l, const char *name)
{
    size_t at = find(l, name);
    return at < l->count ? l->items[at] + strlen(name) + 1 : NULL;
}

static void take_out(envlist *l, const char *name)
{
    size_t at;
    while ((at = find(l, name)) < l->count) {
        free(l->items[at]);
        memmove(l->items + at, l->items + at + 1, (l->count - at) * sizeof *l->items);
        l->count--;
    }
}

void envlist_set(envlist *l, const char *name, const char *value)
{
    take_out(l, name);
    if (!value)
        return;
    auto_buf buf item = buf_make(VALUE_MAX);
    buf_fmt(&item, "%s=%s", name, value);
    char *text = buf_take(&item);
    if (text)
        append(l, text);
}

bool envlist_equal(const envlist *a, const envlist *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

/* ---- a service's variables ---- */

char *reachable_address(const char *address)
{
    if (!address)
        return NULL;
    span host = span_of(address);
    if (span_starts(host, SPAN_LIT("0.0.0.0:")))
        host = span_from(host, strlen("0.0.0.0"));
    else if (span_starts(host, SPAN_LIT("[::]:")))
        host = span_from(host, strlen("[::]"));
    else
        return span_dup(host);
    auto_buf buf text = buf_make(NAME_MAX_BYTES);
    buf_str(&text, address[0] == '[' ? "[::1]" : "127.0.0.1");
    buf_span(&text, host);
    return buf_take(&text);
}

static void add(service_vars *v, const char *name, const char *value, const char *note)
{
    v->items[v->count++] =
        (service_var){.name = name, .value = value ? span_dup(span_of(value)) : NULL, .note = note};
}

static void add_shell_only(service_vars *v, const char *name, const char *value, const char *note)
{
    add(v, name, value, note);
    v->items[v->count - 1].shell_only = true;
}

/* The port of "HOST:PORT", a view; NULL when there is none. */
static const char *port_of(const char *address)
{
    const char *colon = address ? strrchr(address, ':') : NULL;
    return colon ? colon + 1 : NULL;
}

/* What a key file or a switch from the developer's own shell would do: the process would act as
 * the developer, or believe that there is no metadata server. The service's env: may set them. */
static void add_unset(service_vars *v, const char *name, const char *note)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->items[i].name, name) == 0)
            return;
    add(v, name, NULL, note);
}

static void add_metadata(service_vars *v, const char *metadata)
{
    static const struct {
        const char *name, *note;
    } rows[] = {
        {"GCE_METADATA_HOST", "metadata server: Python, Node, Go, Java, Ruby, .NET, Rust"},
        {"GCE_METADATA_IP", "the same: Python's probe whether there is one; Node prefers it"},
        {"GCE_METADATA_ROOT", "the same: C++, gcloud, old Python"},
    };
    for (size_t i = 0; metadata && i < countof(rows); i++)
        add(v, rows[i].name, metadata, rows[i].note);
}

static void drop_repeated(service_vars *v)
{
    /* The first of a name wins: the reserved ones, then env: of the topology, then the rest. */
    for (size_t i = 0; i < v->count; i++) {
        for (size_t k = i + 1; k < v->count; k++) {
            if (strcmp(v->items[i].name, v->items[k].name) != 0)
                continue;
            free(v->items[k].value);
            memmove(v->items + k, v->items + k + 1, (v->count - k - 1) * sizeof *v->items);
            v->count--;
            k--;
        }
    }
}

/* A proxy in between would add X-Forwarded-For, which the metadata server refuses. */
static char *no_proxy_with_us(const char *now)
{
    auto_buf buf value = buf_make(VALUE_MAX);
    buf_fmt(&value, "%s%s127.0.0.1,localhost", now ? now : "", now && *now ? "," : "");
    return buf_take(&value);
}

/* Programs differ in which spelling they read; the small one matters when it is there already. */
static void add_no_proxy(service_vars *v)
{
    const char *small = getenv("no_proxy");
    auto_free char *value = no_proxy_with_us(small ? small : getenv("NO_PROXY"));
    add_shell_only(v, "NO_PROXY", value, "an HTTP proxy must not see calls to this machine");
    if (small)
        add_shell_only(v, "no_proxy", value, NULL);
}

service_vars service_vars_make(const snapshot *s, const service *svc, const char *metadata,
                               const char *port)
{
    const project *p = snapshot_project(s);
    service_vars v = {.items = calloc(svc->env_count + VARS_EXTRA, sizeof(service_var))};
    if (!v.items)
        abort();
    auto_free char *where = reachable_address(metadata        ? metadata
                                              : svc->metadata ? svc->metadata
                                                              : p->metadata_listen);
    const char *listen = port ? port : port_of(svc->upstream);
    if (listen)
        add(&v, "PORT", listen, "listen here, as every Cloud Run container does");
    add(&v, "K_SERVICE", svc->name, "these three: \"this is Cloud Run\" to Node, Ruby and logging");
    add(&v, "K_REVISION", svc->revision, NULL);
    add(&v, "K_CONFIGURATION", svc->name, NULL);
    for (size_t i = 0; i < svc->env_count; i++)
        add(&v, svc->env[i].name, svc->env[i].value, i == 0 ? "env: of the topology" : NULL);
    add_metadata(&v, where);
    drop_repeated(&v);
    add_unset(&v, "GOOGLE_APPLICATION_CREDENTIALS",
              "a key file would win over the metadata server");
    add_unset(&v, "NO_GCE_CHECK", "would keep Python and Java from looking for it");
    add_unset(&v, "METADATA_SERVER_DETECTION", "would keep Node from looking for it");
    add_shell_only(&v, "CLOUDSDK_CORE_PROJECT", p->id, "gcloud: project, account, region");
    add_shell_only(&v, "CLOUDSDK_CORE_ACCOUNT", svc->account->email, NULL);
    add_shell_only(&v, "CLOUDSDK_RUN_REGION", p->region, NULL);
    add_no_proxy(&v);
    return v;
}

void service_vars_free(service_vars *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->items[i].value);
    free(v->items);
    *v = (service_vars){0};
}

static void except_from_proxy(envlist *l)
{
    static const char *const proxies[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY"};
    bool any = false;
    for (size_t i = 0; i < countof(proxies); i++)
        any = any || envlist_get(l, proxies[i]);
    for (size_t i = 0; any && i < countof(exceptions); i++) {
        auto_free char *value = no_proxy_with_us(envlist_get(l, exceptions[i]));
        envlist_set(l, exceptions[i], value);
    }
}

void service_vars_apply(const service_vars *v, envlist *l)
{
    for (size_t i = 0; i < v->count; i++)
        if (!v->items[i].shell_only)
            envlist_set(l, v->items[i].name, v->items[i].value);
    except_from_proxy(l);
}

/* "backend-api" → "BACKEND_API_URL". */
static void add_url(envlist *l, const service *svc)
{
    static const char from[] = "abcdefghijklmnopqrstuvwxyz-", to[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    auto_buf buf name = buf_make(NAME_MAX_BYTES);
    for (const char *c = svc->name; *c; c++) {
        const char *at = strchr(from, *c);
        buf_add(&name, at ? to + (at - from) : c, 1);
    }
    buf_str(&name, "_URL");
    if (buf_ok(&name))
        envlist_set(l, name.p, svc->url);
}

void envlist_add_urls(envlist *l, const snapshot *s)
{
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        add_url(l, snapshot_service(s, i));
    const project *p = snapshot_project(s);
    auto_free char *control = reachable_address(p->control_listen);
    auto_free char *front_door = reachable_address(p->ingress_listen);
    auto_free char *metadata = reachable_address(p->metadata_listen);
    auto_buf buf url = buf_make(NAME_MAX_BYTES);
    buf_fmt(&url, "http://%s", control ? control : "");
    envlist_set(l, "INVOKER_CONTROL", control ? url.p : NULL);
    envlist_set(l, "INVOKER_INGRESS", front_door);
    envlist_set(l, "INVOKER_METADATA", metadata);
    except_from_proxy(l);
}
