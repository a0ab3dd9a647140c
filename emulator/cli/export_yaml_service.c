/* Services. What the loader would fill in by itself is left out, as far as it does not depend on
 * other services. */
#include <inttypes.h>

#include "cli/export.h"
#include "cli/yaml_out.h"
#include "state/merge.h"
#include "state/state.h"

enum { TEXT_MAX = 64 * 1024 };

/* ---- env ---- */

/* The service whose URL the text begins with; the longest where one is another's beginning. */
static const service *url_at(const snapshot *s, span text)
{
    const service *found = NULL;
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *v = snapshot_service(s, i);
        if (span_starts(text, span_of(v->url)) &&
            (!found || span_of(v->url).n > span_of(found->url).n))
            found = v;
    }
    return found;
}

static bool ends_url(span rest)
{
    return !rest.n || rest.p[0] == '/' || rest.p[0] == '?' || rest.p[0] == '#' ||
           rest.p[0] == ' ' || rest.p[0] == ',' || rest.p[0] == ';' || rest.p[0] == '"';
}

/* With ${SERVICE.url} where a URL stands, so that the value moves with the service's address. */
static char *env_template(const snapshot *s, const char *value)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    for (span rest = span_of(value); rest.n;) {
        const service *v = rest.p[0] == 'h' ? url_at(s, rest) : NULL;
        if (v && ends_url(span_from(rest, span_of(v->url).n))) {
            buf_fmt(&b, "${%s.url}", v->name);
            rest = span_from(rest, span_of(v->url).n);
            continue;
        }
        buf_str(&b, rest.p[0] == '$' ? "$" : "");
        buf_char(&b, rest.p[0]);
        rest = span_from(rest, 1);
    }
    return b.n ? buf_take(&b) : span_dup((span){0});
}

static void put_env(const export_job *j, const service *v)
{
    if (v->env_count)
        yaml_put_key(j->out, 2, "env");
    for (size_t i = 0; i < v->env_count; i++) {
        auto_free char *value = env_template(j->s, v->env[i].value);
        yaml_put_pair(j->out, 3, v->env[i].name, value);
    }
}

/* ---- one service ---- */

static void put_addresses(buf *b, const service *v)
{
    auto_buf buf text = buf_make(TEXT_MAX);
    yaml_put_pair(b, 2, "listen", v->listen);
    if (v->listen)
        yaml_put_pair(b, 2, "metadata", v->metadata ? v->metadata : "off");
    if (v->upstream) {
        buf_fmt(&text, "http://%s", v->upstream);
        yaml_put_pair(b, 2, "upstream", text.p);
        buf_clear(&text);
    }
    buf_fmt(&text, "http://%s", v->listen ? v->listen : "");
    if (v->listen && strcmp(text.p, v->url) != 0)
        yaml_put_pair(b, 2, "url", v->url);
}

static void put_limits(buf *b, const service *v)
{
    if (v->body_limit && v->response_limit)
        return;
    yaml_put_key(b, 2, "limits");
    yaml_put_pair(b, 3, "request_body", v->body_limit ? NULL : "off");
    yaml_put_pair(b, 3, "response_body", v->response_limit ? NULL : "off");
}

static void put_count(buf *b, const char *key, uint32_t value, uint32_t by_default)
{
    if (value == by_default)
        return;
    yaml_put_indent(b, 2);
    buf_fmt(b, "%s: %" PRIu32 "\n", key, value);
}

static void put_flag(buf *b, const char *key, bool value, bool by_default)
{
    if (value != by_default)
        yaml_put_bool(b, 2, key, value);
}

static void put_timeout(buf *b, int64_t us)
{
    if (us == INT64_C(1000000) * SERVICE_TIMEOUT_S)
        return;
    yaml_put_indent(b, 2);
    if (us % 1000000 == 0)
        buf_fmt(b, "timeout: %" PRId64 "s\n", us / 1000000);
    else
        buf_fmt(b, "timeout: %" PRId64 "ms\n", us / 1000);
}

static void put_account(const export_job *j, const service *v)
{
    const span own = export_account_id(j->s, v->account->email);
    if (v->account_is_default)
        return;
    auto_free char *id = span_dup(own);
    yaml_put_pair(j->out, 2, "service_account", own.n ? id : v->account->email);
}

static void put_settings(buf *b, const service *v)
{
    yaml_put_pair(b, 2, "image", v->image);
    yaml_put_flow(b, 2, "command", v->command);
    yaml_put_flow(b, 2, "custom_audiences", v->custom_audiences);
    yaml_put_flow(b, 2, "hosts", v->hosts);
    yaml_put_flow(b, 2, "addresses", v->addresses);
    yaml_put_pair(b, 2, "ingress", v->ingress == INGRESS_ALL ? NULL : INGRESS_NAMES[v->ingress]);
    put_flag(b, "invoker_iam_check", v->iam_check, true);
    put_flag(b, "default_url", !v->default_url_disabled, true);
    put_timeout(b, v->timeout_us);
    put_flag(b, "use_http2", v->use_http2, false);
    put_count(b, "max_instances", v->max_instances, 0);
    put_count(b, "concurrency", v->concurrency, SERVICE_CONCURRENCY);
    put_limits(b, v);
}

/* Who made it or changed it since the file was written. */
static void put_origin(const export_job *j, const service *v)
{
    auto_buf buf text = buf_make(TEXT_MAX);
    const json_t *entry = state_entry_in(j->from->document, "services", v->name);
    if (v->place.file && v->place.line == 0)
        buf_fmt(&text, "deployed by %s", v->place.file);
    else if (j->from->base && entry && state_service_counts(j->from->base, v->name, entry))
        buf_str(&text, "changed by a deployment");
    if (text.n)
        yaml_put_comment(j->out, 1, text.p);
}

void export_yaml_services(const export_job *j)
{
    const size_t count = snapshot_service_count(j->s);
    if (count)
        yaml_put_key(j->out, 0, "services");
    for (size_t i = 0; i < count; i++) {
        const service *v = snapshot_service(j->s, i);
        put_origin(j, v);
        yaml_put_key(j->out, 1, v->name);
        const size_t named = j->out->n;
        put_account(j, v);
        put_addresses(j->out, v);
        put_settings(j->out, v);
        put_env(j, v);
        export_yaml_policy(j, 2, &(resource){.service = v});
        if (j->out->n == named && named) {
            j->out->n--; /* the line's end: there is nothing below the name */
            buf_str(j->out, " {}\n");
        }
    }
}
