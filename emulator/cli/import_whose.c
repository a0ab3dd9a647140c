/* Whose policy a file holds: the policy itself does not say. */
#include "cli/import.h"
#include "config/values.h"

/* "out/backend-api-policy.json" → "backend-api" */
char *import_hint(const char *path)
{
    static const char *const endings[] = {".json", ".yaml", ".yml", "policy",
                                          "-iam",  ".iam",  "_iam", NULL};
    const char *slash = strrchr(path, '/');
    span stem = span_of(slash ? slash + 1 : path);
    for (size_t i = 0; endings[i]; i++) {
        if (span_ends(stem, span_of(endings[i])))
            stem.n -= strlen(endings[i]);
        while (i >= 2 && stem.n && strchr("-._", stem.p[stem.n - 1]))
            stem.n--;
    }
    return span_dup(stem);
}

static bool is_project(const imported *m, const char *whose)
{
    const snapshot *s = m->options->topology;
    return strcmp(whose, "project") == 0 ||
           (m->options->project_id && strcmp(whose, m->options->project_id) == 0) ||
           (s && strcmp(whose, snapshot_project(s)->id) == 0);
}

static bool is_service(const imported *m, const char *whose)
{
    const snapshot *s = m->options->topology;
    return imported_service(m, whose) || (s && snapshot_find_service(s, span_of(whose)));
}

/* An account that files or topology call so, in short or in full. */
static const char *find_account(const imported *m, const char *whose)
{
    const snapshot *s = m->options->topology;
    const account *a = s ? snapshot_resolve_account(s, span_of(whose)) : NULL;
    if (a)
        return a->email;
    for (size_t i = 0; i < m->accounts.count; i++) {
        const char *email = m->accounts.items[i].email;
        span domain = span_of(email), id;
        (void)span_cut(&domain, '@', &id);
        if (strcmp(email, whose) == 0 || span_eq_str(id, whose))
            return email;
    }
    return value_is_service_account_email(span_of(whose)) ? whose : NULL;
}

bool import_settle_whose(imported *m, found_policy *p)
{
    if (is_project(m, p->whose))
        return true;
    const char *known = is_service(m, p->whose) ? NULL : find_account(m, p->whose);
    if (known) {
        p->account = arena_dup(m->mem, span_of(known));
        return true;
    }
    if (value_is_service_name(span_of(p->whose))) {
        p->service = p->whose;
        if (!imported_service(m, p->whose))
            found_push(&m->services, ((found_service){p->whose, NULL}));
        return true;
    }
    diag_at(m->diags, p->map->at,
            "whose policy is it? Give NAME=%s, NAME being a service, a service account's e-mail "
            "address or 'project'",
            p->map->at.file);
    return false;
}
