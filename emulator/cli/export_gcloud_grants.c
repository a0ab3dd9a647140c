/* Grants and deny policies as gcloud commands. Conditions and rules go in as JSON on standard
 * input: no quoting of gcloud's own is in their way. */
#include "cli/export_gcloud.h"
#include "decision/explain.h"

enum { TEXT_MAX = 64 * 1024 };

/* ---- grants ---- */

/* A here-document of one line of JSON, which is never "EOF". */
static void put_condition(buf *b, const condition *c)
{
    if (!c) {
        buf_str(b, " --condition=None >/dev/null\n");
        return;
    }
    buf_str(b, " --condition-from-file=- >/dev/null <<'EOF'\n");
    explain_condition(b, c);
    buf_str(b, "\nEOF\n");
}

static void put_command(const export_job *j, const resource *r)
{
    const char *project_id = snapshot_project(j->s)->id;
    buf *b = j->out;
    if (r->service) {
        buf_fmt(b, "gcloud run services add-iam-policy-binding %s", r->service->name);
        gcloud_put_place(j);
    } else if (r->account) {
        buf_fmt(b, "gcloud iam service-accounts add-iam-policy-binding %s --project=%s",
                r->account->email, project_id);
    } else {
        buf_fmt(b, "gcloud projects add-iam-policy-binding %s", project_id);
    }
}

static void put_grant(const export_job *j, const resource *r, const binding *g)
{
    buf *b = j->out;
    if (span_starts(span_of(g->member), SPAN_LIT("deleted:"))) {
        auto_buf buf text = buf_make(TEXT_MAX);
        buf_fmt(&text, "%s for %s grants nothing any more.", g->role, g->member);
        shell_put_comment(b, buf_ok(&text) ? text.p : "A grant for somebody who is deleted.");
        return;
    }
    put_command(j, r);
    buf_str(b, " \\\n ");
    shell_put_option(b, "member", g->member);
    shell_put_option(b, "role", g->role);
    put_condition(b, g->condition);
}

static void put_policy(const export_job *j, const resource *r)
{
    size_t count;
    const binding *const *list = grant_order_of(j->grants, r, &count);
    for (size_t i = 0; i < count; i++)
        put_grant(j, r, list[i]);
}

void export_gcloud_grants(const export_job *j)
{
    if (snapshot_binding_count(j->s))
        buf_str(j->out, "\n# ---- who may do what ----\n");
    put_policy(j, &(resource){0});
    for (size_t i = 0; i < snapshot_account_count(j->s); i++)
        put_policy(j, &(resource){.account = snapshot_account(j->s, i)});
    for (size_t i = 0; i < snapshot_service_count(j->s); i++)
        put_policy(j, &(resource){.service = snapshot_service(j->s, i)});
}

/* ---- deny policies ---- */

static void put_list(buf *b, const char *key, const char *const *list, bool first)
{
    if (!list[0])
        return;
    buf_fmt(b, "%s\"%s\": [", first ? "" : ", ", key);
    for (size_t i = 0; list[i]; i++) {
        buf_str(b, i ? ", " : "");
        buf_json(b, span_of(list[i]));
    }
    buf_char(b, ']');
}

static void put_rule(buf *b, const deny_rule *r)
{
    buf_str(b, "{\"denyRule\": {");
    put_list(b, "deniedPrincipals", r->principals, true);
    put_list(b, "exceptionPrincipals", r->exception_principals, false);
    put_list(b, "deniedPermissions", r->permissions, false);
    put_list(b, "exceptionPermissions", r->exception_permissions, false);
    buf_str(b, "}}");
}

const char *export_deny_policy(const deny_rule *r)
{
    return r->policy ? r->policy : "invoker-topology";
}

/* The policy that rule i is the first of, with all of its rules. */
static void put_deny_policy(const export_job *j, size_t first)
{
    const char *name = export_deny_policy(snapshot_deny(j->s, first));
    const char *project_id = snapshot_project(j->s)->id;
    static const char of[] = "--attachment-point=cloudresourcemanager.googleapis.com/projects/";
    buf *b = j->out;
    buf_fmt(b, "gcloud iam policies get %s %s%s --kind=denypolicies >/dev/null 2>&1 ||\n", name, of,
            project_id);
    buf_fmt(b, "  gcloud iam policies create %s %s%s --kind=denypolicies \\\n", name, of,
            project_id);
    buf_str(b, "    --policy-file=/dev/stdin >/dev/null <<'EOF'\n{\"rules\": [");
    for (size_t i = first; i < snapshot_deny_count(j->s); i++) {
        if (strcmp(export_deny_policy(snapshot_deny(j->s, i)), name) != 0)
            continue;
        buf_str(b, i == first ? "" : ", ");
        put_rule(b, snapshot_deny(j->s, i));
    }
    buf_str(b, "]}\nEOF\n");
}

bool export_is_first_rule(const snapshot *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(export_deny_policy(snapshot_deny(s, k)),
                   export_deny_policy(snapshot_deny(s, i))) == 0)
            return false;
    return true;
}

void export_gcloud_denies(const export_job *j)
{
    if (snapshot_deny_count(j->s))
        buf_str(j->out, "\n# ---- deny policies ----\n");
    for (size_t i = 0; i < snapshot_deny_count(j->s); i++)
        if (export_is_first_rule(j->s, i))
            put_deny_policy(j, i);
}
