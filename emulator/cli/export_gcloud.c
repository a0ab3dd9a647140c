/* `invoker export gcloud`: accounts, roles, services and deny policies; grants are in
 * export_gcloud_grants.c. */
#include "cli/export_gcloud.h"

#include <inttypes.h>

enum { TEXT_MAX = 64 * 1024 };

/* ---- shell ---- */

static bool is_safe(span text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_./:@=,+%-";
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || !strchr(safe, text.p[i]))
            return false;
    return text.n > 0;
}

void shell_put(buf *b, const char *text)
{
    if (is_safe(span_of(text))) {
        buf_str(b, text);
        return;
    }
    buf_char(b, '\'');
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            buf_str(b, "'\\''");
        else
            buf_char(b, *p);
    }
    buf_char(b, '\'');
}

void shell_put_option(buf *b, const char *option, const char *value)
{
    buf_fmt(b, " --%s=", option);
    if (*value)
        shell_put(b, value);
}

void shell_put_comment(buf *b, const char *text)
{
    buf_str(b, "# ");
    for (const char *p = text; *p; p++) {
        if (*p == '\n' || *p == '\r')
            buf_char(b, ' ');
        else
            buf_char(b, *p);
    }
    buf_char(b, '\n');
}

/* A list as gcloud takes it: "a,b", or "^;^a;b" where a comma stands in one (gcloud topic
 * escaping). Caller frees. */
static char *gcloud_list(const char *const *list)
{
    static const char separators[] = ",;|#~!";
    auto_buf buf b = buf_make(TEXT_MAX);
    for (const char *c = separators; *c; c++) {
        bool used = list[0] && list[0][0] == '^' && *c == ',';
        for (size_t i = 0; list[i]; i++)
            used = used || strchr(list[i], *c);
        if (used)
            continue;
        if (*c != ',')
            buf_fmt(&b, "^%c^", *c);
        for (size_t i = 0; list[i]; i++)
            buf_fmt(&b, "%.*s%s", i ? 1 : 0, c, list[i]);
        break;
    }
    return b.n ? buf_take(&b) : span_dup((span){0});
}

/* ---- accounts ---- */

enum { ID_LEAST = 6 };

static void put_account(const export_job *j, const account *a)
{
    buf *b = j->out;
    const char *id_of_project = snapshot_project(j->s)->id;
    auto_free char *id = span_dup(export_account_id(j->s, a->email));
    if (!*id)
        return; /* another project's, or Google's own */
    if (strlen(id) < ID_LEAST)
        buf_fmt(b, "# IAM will refuse %s: such an ID has at least %d characters.\n", id, ID_LEAST);
    buf_fmt(b, "gcloud iam service-accounts describe %s --project=%s >/dev/null 2>&1 ||\n  ",
            a->email, id_of_project);
    buf_fmt(b, "gcloud iam service-accounts create %s --project=%s", id, id_of_project);
    if (*a->display_name)
        shell_put_option(b, "display-name", a->display_name);
    if (*a->description)
        shell_put_option(b, "description", a->description);
    buf_char(b, '\n');
    if (a->disabled)
        buf_fmt(b, "gcloud iam service-accounts disable %s --project=%s\n", a->email,
                id_of_project);
}

static void put_accounts(const export_job *j)
{
    buf_str(j->out, "\n# ---- service accounts ----\n");
    for (size_t i = 0; i < snapshot_account_count(j->s); i++)
        put_account(j, snapshot_account(j->s, i));
}

/* ---- custom roles ---- */

static void put_role(const export_job *j, const custom_role *r)
{
    buf *b = j->out;
    const char *project_id = snapshot_project(j->s)->id;
    auto_buf buf own = buf_make(TEXT_MAX);
    buf_fmt(&own, "projects/%s/roles/", project_id);
    if (!span_starts(span_of(r->name), buf_view(&own))) {
        buf_fmt(b, "# %s is made elsewhere.\n", r->name);
        return;
    }
    const char *id = r->name + own.n;
    auto_free char *permissions = gcloud_list(r->permissions);
    buf_fmt(b, "if gcloud iam roles describe %s --project=%s >/dev/null 2>&1\n", id, project_id);
    buf_str(b, "then verb=update\nelse verb=create\nfi\n");
    buf_fmt(b, "gcloud iam roles \"$verb\" %s --project=%s --quiet --permissions=", id, project_id);
    shell_put(b, permissions);
    buf_str(b, " >/dev/null\n");
}

static void put_roles(const export_job *j)
{
    if (snapshot_role_count(j->s))
        buf_str(j->out, "\n# ---- custom roles ----\n");
    for (size_t i = 0; i < snapshot_role_count(j->s); i++)
        put_role(j, snapshot_role(j->s, i));
}

/* ---- services ---- */

void gcloud_put_place(const export_job *j)
{
    const project *p = snapshot_project(j->s);
    buf_fmt(j->out, " --project=%s --region=%s", p->id, p->region);
}

static void put_deploy(const export_job *j, const service *v)
{
    buf *b = j->out;
    if (!v->image)
        return;
    buf_fmt(b, "gcloud run services describe %s", v->name);
    gcloud_put_place(j);
    buf_fmt(b, " >/dev/null 2>&1 ||\n  gcloud run deploy %s", v->name);
    gcloud_put_place(j);
    shell_put_option(b, "image", v->image);
    buf_str(b, " --no-allow-unauthenticated\n");
}

static void put_limits(buf *b, const service *v)
{
    buf_fmt(b, " --timeout=%" PRId64 " --concurrency=%" PRIu32, (v->timeout_us + 999999) / 1000000,
            v->concurrency);
    if (v->max_instances)
        buf_fmt(b, " --max-instances=%" PRIu32, v->max_instances);
    buf_str(b, v->use_http2 ? " --use-http2" : " --no-use-http2");
}

static void put_service(const export_job *j, const service *v)
{
    buf *b = j->out;
    put_deploy(j, v);
    buf_fmt(b, "gcloud run services update %s", v->name);
    gcloud_put_place(j);
    buf_str(b, " \\\n ");
    if (!v->account_is_default)
        shell_put_option(b, "service-account", v->account->email);
    shell_put_option(b, "ingress", INGRESS_NAMES[v->ingress]);
    buf_str(b, v->iam_check ? " --invoker-iam-check" : " --no-invoker-iam-check");
    if (v->custom_audiences[0]) {
        auto_free char *list = gcloud_list(v->custom_audiences);
        shell_put_option(b, "set-custom-audiences", list);
    } else {
        buf_str(b, " --clear-custom-audiences");
    }
    buf_str(b, " \\\n ");
    put_limits(b, v);
    buf_char(b, '\n');
    if (v->default_url_disabled) { /* an option of the beta track */
        buf_fmt(b, "gcloud beta run services update %s", v->name);
        gcloud_put_place(j);
        buf_str(b, " --no-default-url\n");
    }
}

static void put_services(const export_job *j)
{
    if (!snapshot_service_count(j->s))
        return;
    buf_str(j->out, "\n# ---- services: how they run and who may reach them ----\n");
    buf_str(j->out, "# Deploy them first, where the topology does not say of which image; their "
                    "environment is yours.\n");
    for (size_t i = 0; i < snapshot_service_count(j->s); i++)
        put_service(j, snapshot_service(j->s, i));
}

/* ---- all together ---- */

static void put_head(const export_job *j)
{
    buf *b = j->out;
    buf_str(b, "#!/bin/sh\n");
    if (j->from->title)
        shell_put_comment(b, j->from->title);
    buf_fmt(
        b,
        "# Recreates its accounts and grants in the project %s. It may run again: accounts and\n"
        "# grants that are there stay as they are, roles and services are set to what stands "
        "here.\n"
        "# Nothing is taken away; 'invoker diff' tells what is there besides.\n"
        "set -eu\n",
        snapshot_project(j->s)->id);
}

void export_gcloud(buf *b, const export_source *x)
{
    grant_order *grants = grant_order_new(x->s);
    const export_job j = {x, x->s, grants, b};
    put_head(&j);
    put_accounts(&j);
    put_roles(&j);
    put_services(&j);
    export_gcloud_grants(&j);
    export_gcloud_denies(&j);
    grant_order_free(grants);
}
