/* Accounts, users and groups. */
#include "base/unique_id.h"
#include "cli/export.h"
#include "cli/yaml_out.h"
#include "config/values.h"
#include "state/merge.h"
#include "state/state.h"

enum { TEXT_MAX = 4096 };

span export_account_id(const snapshot *s, const char *email)
{
    span domain = span_of(email), id;
    const span project_id = span_of(snapshot_project(s)->id);
    const span suffix = SPAN_LIT(".iam.gserviceaccount.com");
    const bool own = span_cut(&domain, '@', &id) && domain.n == project_id.n + suffix.n &&
                     span_starts(domain, project_id) && span_ends(domain, suffix);
    return own && value_is_account_name(id) ? id : (span){0};
}

/* ---- accounts ---- */

static bool is_default(const export_job *j, const account *a)
{
    return span_ieq_str(span_of(a->email), snapshot_project(j->s)->default_account);
}

/* Of the default compute account: does the file have to say anything? */
static bool is_untouched(const account *a)
{
    return !a->disabled && !*a->description &&
           strcmp(a->display_name, "Default compute service account") == 0;
}

static void put_account_origin(const export_job *j, const account *a)
{
    const json_t *entry = state_entry_in(j->from->document, "accounts", a->email);
    if (!j->from->base || !entry)
        return;
    if (!snapshot_find_account(j->from->base, span_of(a->email)))
        yaml_put_comment(j->out, 1, "created by API");
    else if (state_account_counts(j->from->base, a->email, entry))
        yaml_put_comment(j->out, 1, "changed by API");
}

static void close_name(buf *b, size_t named)
{
    if (b->n != named || !named)
        return;
    b->n--; /* the line's end: there is nothing below the name */
    buf_str(b, " {}\n");
}

static void put_account(const export_job *j, const account *a)
{
    char derived[UNIQUE_ID_TEXT];
    auto_free char *id = span_dup(export_account_id(j->s, a->email));
    size_t grants;
    (void)grant_order_of(j->grants, &(resource){.account = a}, &grants);
    if (is_default(j, a) && is_untouched(a) && !grants)
        return;
    put_account_origin(j, a);
    yaml_put_key(j->out, 1, *id ? id : a->email);
    const size_t named = j->out->n;
    yaml_put_pair(j->out, 2, "display_name", *a->display_name ? a->display_name : NULL);
    yaml_put_pair(j->out, 2, "description", *a->description ? a->description : NULL);
    if (a->disabled)
        buf_str(j->out, "    disabled: true\n");
    account_unique_id(span_of(a->email), derived);
    if (strcmp(derived, a->unique_id) != 0)
        buf_fmt(j->out, "    unique_id: \"%s\"\n", a->unique_id);
    export_yaml_policy(j, 2, &(resource){.account = a});
    close_name(j->out, named);
}

/* A service keeps running as an account that is gone: nobody can call as it, and nothing may take
 * its place. */
static void put_gone_account(const export_job *j, const service *v)
{
    for (size_t i = 0; i < v->index; i++)
        if (strcmp(snapshot_service(j->s, i)->account->email, v->account->email) == 0)
            return;
    auto_free char *id = span_dup(export_account_id(j->s, v->account->email));
    yaml_put_comment(j->out, 1, "deleted by API; a service still runs as it");
    yaml_put_key(j->out, 1, *id ? id : v->account->email);
    buf_str(j->out, "    disabled: true\n");
}

void export_yaml_accounts(const export_job *j)
{
    const size_t before = j->out->n;
    yaml_put_key(j->out, 0, "service_accounts");
    const size_t named = j->out->n;
    for (size_t i = 0; i < snapshot_account_count(j->s); i++)
        put_account(j, snapshot_account(j->s, i));
    for (size_t i = 0; i < snapshot_service_count(j->s); i++) {
        const service *v = snapshot_service(j->s, i);
        if (!snapshot_find_account(j->s, span_of(v->account->email)))
            put_gone_account(j, v);
    }
    if (j->out->n == named)
        j->out->n = before;
}

/* ---- users and groups ---- */

static bool is_group(const export_job *j, const char *email)
{
    for (size_t i = 0; i < snapshot_group_edge_count(j->s); i++) {
        const char *group, *inner;
        snapshot_group_edge(j->s, i, &group, &inner);
        if (span_ieq_str(span_of(email), group))
            return true;
    }
    return false;
}

static void put_users(const export_job *j)
{
    const size_t before = j->out->n;
    yaml_put_key(j->out, 0, "users");
    const size_t named = j->out->n;
    for (size_t i = 0; i < snapshot_user_count(j->s); i++) {
        if (is_group(j, snapshot_user(j->s, i)))
            continue;
        buf_str(j->out, "  - ");
        yaml_put_text(j->out, span_of(snapshot_user(j->s, i)));
        buf_char(j->out, '\n');
    }
    if (j->out->n == named)
        j->out->n = before;
}

/* An account of this project that is not there any more cannot be named. */
static bool is_loadable(const export_job *j, const char *inner)
{
    member m;
    if (!member_parse(span_of(inner), &m, NULL) || m.kind != MEMBER_SERVICE_ACCOUNT)
        return true;
    auto_free char *email = span_dup(m.id);
    return export_account_id(j->s, email).n == 0 || snapshot_find_account(j->s, m.id);
}

static void put_group_member(const export_job *j, const char *inner)
{
    auto_buf buf text = buf_make(TEXT_MAX);
    if (!is_loadable(j, inner)) {
        buf_fmt(&text, "- %s (deleted by API)", inner);
        yaml_put_comment(j->out, 2, buf_ok(&text) ? text.p : "(deleted by API)");
        return;
    }
    buf_str(j->out, "    - ");
    yaml_put_text(j->out, span_of(inner));
    buf_char(j->out, '\n');
}

/* Edges of one group stand together, as the loader gives them. */
static void put_groups(const export_job *j)
{
    const char *current = NULL;
    const size_t count = snapshot_group_edge_count(j->s);
    if (count)
        yaml_put_key(j->out, 0, "groups");
    for (size_t i = 0; i < count; i++) {
        const char *group, *inner;
        snapshot_group_edge(j->s, i, &group, &inner);
        if (!current || strcmp(current, group) != 0)
            yaml_put_key(j->out, 1, group);
        current = group;
        put_group_member(j, inner);
    }
}

void export_yaml_people(const export_job *j)
{
    put_users(j);
    put_groups(j);
}
