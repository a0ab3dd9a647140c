/* `invoker export terraform`: resources of the provider hashicorp/google. Their names follow from
 * what they are, so that an export of a changed topology moves nothing that did not change. */
#include "base/hash.h"
#include "cli/export.h"
#include "cli/export_gcloud.h"
#include "cli/hcl_out.h"

enum { TEXT_MAX = 64 * 1024 };

/* Not secret: names of two runs have to be equal. */
static const hash_key KEY = {UINT64_C(0x696e766f6b657221), UINT64_C(0x7465727261666f72)};

/* ---- names and references ---- */

static void put_name(buf *b, span text)
{
    (void)hcl_put_name(b, text);
}

/* "google_service_account.frontend_sa.FIELD" for an account of the project; "" for another. Caller
 * frees. */
static char *account_reference(const export_job *j, span email, const char *field)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    const account *a = snapshot_find_account(j->s, email);
    const span id = a ? export_account_id(j->s, a->email) : (span){0};
    if (id.n) {
        buf_str(&b, "google_service_account.");
        put_name(&b, id);
        buf_fmt(&b, ".%s", field);
    }
    return b.n ? buf_take(&b) : span_dup((span){0});
}

/* The part of a custom role's name that is its ID in this project, else empty. */
static span own_role(const export_job *j, const char *name)
{
    auto_buf buf own = buf_make(TEXT_MAX);
    buf_fmt(&own, "projects/%s/roles/", snapshot_project(j->s)->id);
    const span all = span_of(name);
    return span_starts(all, buf_view(&own)) ? span_from(all, own.n) : (span){0};
}

/* A name begins with a letter. */
static void put_role_name(buf *b, span id)
{
    buf_str(b, id.n && ((id.p[0] | 0x20) < 'a' || (id.p[0] | 0x20) > 'z') ? "r_" : "");
    if (hcl_put_name(b, id))
        return;
    buf_fmt(b, "_%06llx", (unsigned long long)(hash_bytes(KEY, id.p, id.n) & 0xFFFFFF));
}

/* ---- accounts and roles ---- */

static void put_account(const export_job *j, const account *a)
{
    buf *b = j->out;
    auto_free char *id = span_dup(export_account_id(j->s, a->email));
    if (!*id)
        return;
    buf_str(b, "\nresource \"google_service_account\" \"");
    put_name(b, span_of(id));
    buf_str(b, "\" {\n");
    const hcl_pair pairs[] = {
        {.key = "project", .text = snapshot_project(j->s)->id},
        {.key = "account_id", .text = id},
        {.key = "display_name", .text = *a->display_name ? a->display_name : NULL},
        {.key = "description", .text = *a->description ? a->description : NULL},
        {.key = "disabled", .expression = a->disabled ? "true" : NULL},
        {0}};
    hcl_put_pairs(b, 1, pairs);
    buf_str(b, "}\n");
}

static void put_role(const export_job *j, const custom_role *r)
{
    buf *b = j->out;
    auto_free char *id = span_dup(own_role(j, r->name));
    if (!*id || snapshot_find_role(j->s, span_of(r->name)) != r)
        return;
    buf_str(b, "\nresource \"google_project_iam_custom_role\" \"");
    put_role_name(b, span_of(id));
    buf_str(b, "\" {\n");
    const hcl_pair pairs[] = {{.key = "project", .text = snapshot_project(j->s)->id},
                              {.key = "role_id", .text = id},
                              {.key = "title", .text = id},
                              {.key = "permissions",
                               .list = r->permissions,
                               .expression = r->permissions[0] ? NULL : "[]"},
                              {0}};
    hcl_put_pairs(b, 1, pairs);
    buf_str(b, "}\n");
}

/* ---- grants ---- */

/* Six hex digits of all that the grant is. */
static void put_grant_hash(buf *b, const char *scope, const binding *g)
{
    const condition_text *c = g->condition ? condition_get(g->condition) : NULL;
    auto_buf buf all = buf_make(TEXT_MAX);
    buf_fmt(&all, "%s\n%s\n%s\n%s\n%s\n%s", scope, g->role, g->member, c ? c->title : "",
            c && c->description ? c->description : "", c ? c->expression : "");
    buf_fmt(b, "_%06llx", (unsigned long long)(hash_bytes(KEY, all.p, all.n) & 0xFFFFFF));
}

/* Whose policy it is. true: no other has this name. */
static bool put_scope_name(const export_job *j, const resource *r)
{
    if (r->service)
        return hcl_put_name(j->out, span_of(r->service->name));
    buf_str(j->out, r->account ? "account_" : "project");
    if (r->account) {
        const span id = export_account_id(j->s, r->account->email);
        put_name(j->out, id.n ? id : span_of(r->account->email));
    }
    return false;
}

/* true: no other has this name. */
static bool put_member_name(const export_job *j, const char *who)
{
    const span text = span_of(who), prefix = SPAN_LIT("serviceAccount:");
    if (strcmp(who, "allUsers") == 0 || strcmp(who, "allAuthenticatedUsers") == 0) {
        buf_str(j->out, who);
        return true;
    }
    const char *email = span_starts(text, prefix) ? who + prefix.n : "";
    const span id = export_account_id(j->s, email);
    return hcl_put_name(j->out, id.n ? id : text) && id.n;
}

/* "backend_api_run_invoker_frontend_sa"; with a hash where that could be another grant, too. */
static void put_grant_name(const export_job *j, const resource *r, const binding *g)
{
    buf *b = j->out;
    const span role = span_of(g->role), prefix = SPAN_LIT("roles/");
    bool tells = put_scope_name(j, r) && strcmp(g->role, "roles/run.invoker") == 0;
    buf_char(b, '_');
    put_name(b, span_starts(role, prefix) ? span_from(role, prefix.n) : role);
    buf_char(b, '_');
    tells = put_member_name(j, g->member) && tells && !g->condition;
    if (!tells)
        put_grant_hash(b, r->service ? r->service->name : r->account ? r->account->email : "", g);
}

static void put_condition(buf *b, const condition *c)
{
    if (!c)
        return;
    const condition_text *text = condition_get(c);
    buf_str(b, "\n  condition {\n");
    const hcl_pair pairs[] = {
        {.key = "title", .text = text->title},
        {.key = "description",
         .text = text->description && *text->description ? text->description : NULL},
        {.key = "expression", .text = text->expression},
        {0}};
    hcl_put_pairs(b, 2, pairs);
    buf_str(b, "  }\n");
}

/* NULL: it is not one of the project's custom roles. Caller frees. */
static char *role_reference(const export_job *j, const char *role)
{
    const span id = own_role(j, role);
    auto_buf buf b = buf_make(TEXT_MAX);
    if (!id.n || !snapshot_find_role(j->s, span_of(role)))
        return NULL;
    buf_str(&b, "google_project_iam_custom_role.");
    put_role_name(&b, id);
    buf_str(&b, ".id");
    return buf_take(&b);
}

/* The account whose policy it is; NULL: not an account's. Caller frees. */
static char *policy_account(const export_job *j, const resource *r, bool *out_is_reference)
{
    if (!r->account)
        return NULL;
    auto_free char *reference = account_reference(j, span_of(r->account->email), "name");
    *out_is_reference = *reference;
    if (*reference)
        return TAKE(reference);
    auto_buf buf b = buf_make(TEXT_MAX);
    buf_fmt(&b, "projects/%s/serviceAccounts/%s", snapshot_project(j->s)->id, r->account->email);
    return buf_take(&b);
}

static void put_grant(const export_job *j, const resource *r, const binding *g)
{
    buf *b = j->out;
    const project *p = snapshot_project(j->s);
    const span who = span_of(g->member), prefix = SPAN_LIT("serviceAccount:");
    if (span_starts(who, SPAN_LIT("deleted:")))
        return;
    bool refers = false;
    auto_free char *on = policy_account(j, r, &refers);
    auto_free char *role = role_reference(j, g->role);
    auto_free char *by = span_starts(who, prefix)
                             ? account_reference(j, span_from(who, prefix.n), "member")
                             : span_dup((span){0});
    buf_fmt(b, "\nresource \"%s\" \"",
            r->service   ? "google_cloud_run_v2_service_iam_member"
            : r->account ? "google_service_account_iam_member"
                         : "google_project_iam_member");
    put_grant_name(j, r, g);
    buf_str(b, "\" {\n");
    const hcl_pair pairs[] = {
        {.key = "project", .text = r->account ? NULL : p->id},
        {.key = "location", .text = r->service ? p->region : NULL},
        {.key = "name", .text = r->service ? r->service->name : NULL},
        {.key = "service_account_id", .text = refers ? NULL : on, .expression = refers ? on : NULL},
        {.key = "role", .text = role ? NULL : g->role, .expression = role},
        {.key = "member", .text = *by ? NULL : g->member, .expression = *by ? by : NULL},
        {0}};
    hcl_put_pairs(b, 1, pairs);
    put_condition(b, g->condition);
    buf_str(b, "}\n");
}

/* A grant that is written twice is one. */
static bool is_again(const binding *const *list, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(list[k]->member, list[i]->member) == 0 && grant_same_terms(list[k], list[i]))
            return true;
    return false;
}

static void put_policy(const export_job *j, const resource *r)
{
    size_t count;
    const binding *const *list = grant_order_of(j->grants, r, &count);
    for (size_t i = 0; i < count; i++)
        if (!is_again(list, i))
            put_grant(j, r, list[i]);
}

/* ---- deny policies ---- */

static void put_deny_policy(const export_job *j, size_t first)
{
    buf *b = j->out;
    const char *name = export_deny_policy(snapshot_deny(j->s, first));
    auto_buf buf parent = buf_make(TEXT_MAX);
    buf_fmt(&parent, "urlencode(\"cloudresourcemanager.googleapis.com/projects/%s\")",
            snapshot_project(j->s)->id);
    buf_str(b, "\nresource \"google_iam_deny_policy\" \"");
    put_role_name(b, span_of(name));
    buf_str(b, "\" {\n");
    hcl_put_pairs(b, 1,
                  (const hcl_pair[]){{.key = "parent", .expression = parent.p},
                                     {.key = "name", .text = name},
                                     {0}});
    for (size_t i = first; i < snapshot_deny_count(j->s); i++) {
        const deny_rule *r = snapshot_deny(j->s, i);
        if (strcmp(export_deny_policy(r), name) != 0)
            continue;
        buf_str(b, "\n  rules {\n    deny_rule {\n");
        hcl_put_pairs(
            b, 3,
            (const hcl_pair[]){{.key = "denied_principals", .list = r->principals},
                               {.key = "exception_principals", .list = r->exception_principals},
                               {.key = "denied_permissions", .list = r->permissions},
                               {.key = "exception_permissions", .list = r->exception_permissions},
                               {0}});
        buf_str(b, "    }\n  }\n");
    }
    buf_str(b, "}\n");
}

/* ---- all together ---- */

static void put_policies(const export_job *j)
{
    put_policy(j, &(resource){0});
    for (size_t i = 0; i < snapshot_account_count(j->s); i++)
        put_policy(j, &(resource){.account = snapshot_account(j->s, i)});
    for (size_t i = 0; i < snapshot_service_count(j->s); i++)
        put_policy(j, &(resource){.service = snapshot_service(j->s, i)});
}

void export_terraform(buf *b, const export_source *x)
{
    grant_order *grants = grant_order_new(x->s);
    const export_job j = {x, x->s, grants, b};
    if (x->title)
        shell_put_comment(b, x->title);
    buf_str(b,
            "# For the provider hashicorp/google. The services themselves are made elsewhere.\n");
    for (size_t i = 0; i < snapshot_account_count(j.s); i++)
        put_account(&j, snapshot_account(j.s, i));
    for (size_t i = 0; i < snapshot_role_count(j.s); i++)
        put_role(&j, snapshot_role(j.s, i));
    put_policies(&j);
    for (size_t i = 0; i < snapshot_deny_count(j.s); i++)
        if (export_is_first_rule(j.s, i))
            put_deny_policy(&j, i);
    grant_order_free(grants);
}
