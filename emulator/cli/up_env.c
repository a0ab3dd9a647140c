/* Builds environments: an inherited one, with a service's variables laid over it. */
#include "cli/up_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "cli/client_vars.h"

enum { VALUE_MAX = 256 * 1024, NAME_MAX_BYTES = 256 };

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

const service_var *service_vars_find(const service_vars *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->items[i].name, name) == 0)
            return &v->items[i];
    return NULL;
}

void service_vars_add(service_vars *v, const char *name, const char *value, const char *note)
{
    if (service_vars_find(v, name))
        return;
    if (v->count == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 32;
        service_var *bigger = realloc(v->items, v->cap * sizeof *bigger);
        if (!bigger)
            abort();
        v->items = bigger;
    }
    v->items[v->count++] =
        (service_var){.name = name, .value = value ? span_dup(span_of(value)) : NULL, .note = note};
}

static void add_shell_only(service_vars *v, const char *name, const char *value, const char *note)
{
    const size_t before = v->count;
    service_vars_add(v, name, value, note);
    if (v->count > before)
        v->items[before].shell_only = true;
}

/* The port of "HOST:PORT", a view; NULL when there is none. */
static const char *port_of(const char *address)
{
    const char *colon = address ? strrchr(address, ':') : NULL;
    return colon ? colon + 1 : NULL;
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
        service_vars_add(v, rows[i].name, metadata, rows[i].note);
}

/* What a key file or a switch from the developer's own shell would do: the process would act as
 * the developer, or believe that there is no metadata server. The service's env: may set them. */
static void add_unset(service_vars *v)
{
    service_vars_add(v, "GOOGLE_APPLICATION_CREDENTIALS", NULL,
                     "a key file would win over the metadata server");
    service_vars_add(v, "NO_GCE_CHECK", NULL, "would keep Python and Java from looking for it");
    service_vars_add(v, "METADATA_SERVER_DETECTION", NULL, "would keep Node from looking for it");
}

service_vars service_vars_make(const snapshot *s, const service *svc, const char *port,
                               const trust_files *trust)
{
    const project *p = snapshot_project(s);
    service_vars v = {0};
    auto_free char *where = reachable_address(svc->metadata ? svc->metadata : p->metadata_listen);
    const char *listen = port ? port : port_of(svc->upstream);
    if (listen)
        service_vars_add(&v, "PORT", listen, "listen here, as every Cloud Run container does");
    service_vars_add(&v, "K_SERVICE", svc->name,
                     "these three: \"this is Cloud Run\" to Node, Ruby and logging");
    service_vars_add(&v, "K_REVISION", svc->revision, NULL);
    service_vars_add(&v, "K_CONFIGURATION", svc->name, NULL);
    for (size_t i = 0; i < svc->env_count; i++)
        service_vars_add(&v, svc->env[i].name, svc->env[i].value,
                         i == 0 ? "env: of the topology" : NULL);
    add_metadata(&v, where);
    add_unset(&v);
    client_vars_add(&v, p, where, trust);
    add_shell_only(&v, "CLOUDSDK_CORE_PROJECT", p->id, "gcloud: project, account, region");
    add_shell_only(&v, "CLOUDSDK_CORE_ACCOUNT", svc->account->email, NULL);
    add_shell_only(&v, "CLOUDSDK_RUN_REGION", p->region, NULL);
    return v;
}

void service_vars_free(service_vars *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->items[i].value);
    free(v->items);
    *v = (service_vars){0};
}

void service_vars_apply(const service_vars *v, envlist *l)
{
    for (size_t i = 0; i < v->count; i++)
        if (!v->items[i].shell_only)
            envlist_set(l, v->items[i].name, v->items[i].value);
}

void env_variable(buf *out, const char *name, const char *what)
{
    static const char from[] = "abcdefghijklmnopqrstuvwxyz-", to[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    for (const char *c = name; *c; c++) {
        const char *at = strchr(from, *c);
        buf_add(out, at ? to + (at - from) : c, 1);
    }
    buf_fmt(out, "_%s", what);
}

static void add_url(envlist *l, const service *svc)
{
    auto_buf buf name = buf_make(NAME_MAX_BYTES);
    env_variable(&name, svc->name, "URL");
    if (buf_ok(&name))
        envlist_set(l, name.p, svc->url);
}

void envlist_add_urls(envlist *l, const snapshot *s, const trust_files *trust)
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
    service_vars v = {0};
    client_vars_add(&v, p, metadata, trust);
    service_vars_apply(&v, l);
    service_vars_free(&v);
}
