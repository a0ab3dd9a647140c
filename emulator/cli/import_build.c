/* One snapshot of all that was found. */
#include "cli/import.h"
#include "config/values.h"

#define IAM_DOMAIN   ".iam.gserviceaccount.com"
#define SOME_PROJECT "my-project"
#define SOME_NUMBER  "123456789012"
#define SOME_REGION  "us-central1"

/* ---- the project ---- */

/* Of "x@PROJECT.iam.gserviceaccount.com": PROJECT; else empty. */
static span project_of(span email)
{
    const size_t at = span_find(email, '@');
    if (at == email.n || !span_ends(email, SPAN_LIT(IAM_DOMAIN)))
        return (span){0};
    const span domain = span_from(email, at + 1);
    return (span){domain.p, domain.n - (sizeof IAM_DOMAIN - 1)};
}

static void take_project(imported *m, span email)
{
    const span id = project_of(email);
    if (!m->project_id && value_is_project_id(id))
        m->project_id = arena_dup(m->mem, id);
}

static void each_member(imported *m, void (*take)(imported *m, span email))
{
    const span prefix = SPAN_LIT("serviceAccount:");
    for (size_t i = 0; i < m->policies.count; i++) {
        const node *bindings = node_get(m->policies.items[i].map, "bindings");
        for (size_t k = 0; bindings && bindings->kind == NODE_LIST && k < bindings->count; k++) {
            const node *members = node_get(bindings->items[k], "members");
            for (size_t n = 0; members && members->kind == NODE_LIST && n < members->count; n++) {
                const span text = span_of(import_text(members->items[n]));
                if (text.n && span_starts(text, prefix))
                    take(m, span_from(text, prefix.n));
            }
        }
    }
}

static const char *service_account_of(const found_service *s)
{
    static const char *const path[] = {"spec", "template", "spec", "serviceAccountName", NULL};
    return s->map ? import_text(import_path(s->map, path)) : NULL;
}

static void settle_project(imported *m)
{
    const import_options *o = m->options;
    const project *p = o->topology ? snapshot_project(o->topology) : NULL;
    m->project_id = o->project_id ? o->project_id : p ? p->id : NULL;
    for (size_t i = 0; i < m->accounts.count; i++)
        take_project(m, span_of(m->accounts.items[i].email));
    for (size_t i = 0; i < m->services.count; i++)
        take_project(m, span_of(service_account_of(&m->services.items[i])));
    each_member(m, take_project);
    if (!m->project_id)
        m->project_id = SOME_PROJECT;
    if (p || !m->project_number)
        m->project_number = p ? p->number : SOME_NUMBER;
    if (o->region || p)
        m->region = o->region ? o->region : p->region;
    else if (!m->region)
        m->region = SOME_REGION;
}

/* ---- accounts ---- */

static bool is_found(const imported *m, span email)
{
    for (size_t i = 0; i < m->accounts.count; i++)
        if (span_ieq(span_of(m->accounts.items[i].email), email))
            return true;
    return false;
}

/* The default compute account is there by itself. */
static bool is_default(const imported *m, span email)
{
    const span number = span_of(m->project_number);
    return span_starts(email, number) &&
           span_eq_str(span_from(email, number.n), "-compute@developer.gserviceaccount.com");
}

void import_note_account(imported *m, span email)
{
    if (email.n && !is_default(m, email) && !is_found(m, email))
        found_push(&m->accounts, ((found_account){arena_dup(m->mem, email), NULL}));
}

static void note_own_account(imported *m, span email)
{
    if (span_eq_str(project_of(email), m->project_id))
        import_note_account(m, email);
}

static void add_account(snapshot_builder *b, const found_account *f)
{
    account a = {.email = f->email};
    if (f->map) {
        const char *disabled = import_text(node_get(f->map, "disabled"));
        const char *id = import_text(node_get(f->map, "uniqueId"));
        a.display_name = import_text(node_get(f->map, "displayName"));
        a.description = import_text(node_get(f->map, "description"));
        a.disabled = disabled && span_ieq_str(span_of(disabled), "true");
        a.unique_id = value_is_unique_id(span_of(id)) ? id : NULL;
    }
    snapshot_builder_account(b, &a);
}

/* ---- together ---- */

static snapshot *empty_base(const project *p)
{
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, p);
    return snapshot_build(b, NULL, 0);
}

static void note_accounts(imported *m)
{
    for (size_t i = 0; i < m->services.count; i++)
        import_note_account(m, span_of(service_account_of(&m->services.items[i])));
    for (size_t i = 0; i < m->policies.count; i++)
        import_note_account(m, span_of(m->policies.items[i].account));
    each_member(m, note_own_account);
}

void import_build(imported *m)
{
    settle_project(m);
    note_accounts(m);
    const project p = {.id = m->project_id, .number = m->project_number, .region = m->region};
    snapshot *base = empty_base(&p);
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &p);
    for (size_t i = 0; i < m->accounts.count; i++)
        add_account(b, &m->accounts.items[i]);
    for (size_t i = 0; i < m->services.count; i++)
        import_add_service(m, b, base, &m->services.items[i]);
    for (size_t i = 0; i < m->roles.count; i++)
        import_add_role(m, b, m->roles.items[i]);
    import_add_missing_roles(m, b);
    for (size_t i = 0; i < m->policies.count; i++)
        import_add_policy(m, b, &m->policies.items[i]);
    m->s = snapshot_build(b, NULL, 0);
    snapshot_unref(base);
}
