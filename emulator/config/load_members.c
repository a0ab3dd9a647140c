/* Names of callers: completing service accounts, telling users from groups, catching typing errors.
 */
#include "config/load.h"
#include "config/values.h"
#include "policy/role.h"

static const char *const EVERYBODY[] = {"allUsers", "allAuthenticatedUsers", NULL};

/* ---- look-ups ---- */

account_draft *find_account(const loader *l, span name_or_email)
{
    return strmap_get(l->accounts_by_name, name_or_email);
}

service_draft *find_service(const loader *l, span name)
{
    return strmap_get(l->services_by_name, name);
}

bool is_default_account(const loader *l, span email)
{
    return span_eq_str(email, l->project.default_account);
}

static void add_callers(const loader *l, const char **words, size_t count)
{
    for (size_t i = 0; i < l->groups.count; i++)
        words[count++] = l->groups.items[i]->key->text.p;
    for (size_t i = 0; i < l->users.count; i++)
        words[count++] = l->users.items[i]->text.p;
    for (size_t i = 0; EVERYBODY[i]; i++)
        words[count++] = EVERYBODY[i];
}

static const char *const *role_words(loader *l)
{
    size_t count = 0;
    for (const char *const *name = role_names(); *name; name++)
        count++;
    const char **words = arena_alloc(l->mem, (count + l->roles.count + 1) * sizeof(const char *));
    memcpy(words, role_names(), count * sizeof(const char *));
    for (size_t i = 0; i < l->roles.count; i++)
        words[count++] = role_full_name(l, l->roles.items[i]->key->text);
    return words;
}

const char *const *load_words(loader *l, words_kind kind)
{
    if (!l->words[kind] && kind == WORDS_ROLES)
        l->words[kind] = role_words(l);
    if (l->words[kind])
        return l->words[kind];
    size_t most = l->services.count + l->accounts.count + l->groups.count + l->users.count +
                  countof(EVERYBODY);
    const char **words = arena_alloc(l->mem, most * sizeof(const char *));
    size_t count = 0;
    for (size_t i = 0; kind == WORDS_SERVICES && i < l->services.count; i++)
        words[count++] = l->services.items[i]->value.name;
    for (size_t i = 0; kind != WORDS_SERVICES && i < l->accounts.count; i++)
        words[count++] = l->accounts.items[i]->name;
    if (kind == WORDS_CALLERS)
        add_callers(l, words, count);
    l->words[kind] = words;
    return words;
}

/* ---- project's accounts ---- */

static bool in_own_project(const loader *l, span email)
{
    size_t at = span_find(email, '@');
    if (at == email.n)
        return false;
    span domain = span_from(email, at + 1);
    span id = span_of(l->project.id);
    return span_starts(domain, id) &&
           span_eq_str(span_from(domain, id.n), ".iam.gserviceaccount.com");
}

static void settle_account(loader *l, account_draft *a)
{
    bool is_short = !strchr(a->name, '@');
    a->value.email =
        is_short ? arena_fmt(l->mem, "%s@%s.iam.gserviceaccount.com", a->name, l->project.id)
                 : a->name;
    span email = span_of(a->value.email);
    const account_draft *first = find_account(l, email);
    if (first) {
        diag_at(l->diags, a->at, "service account '%.80s' is already defined at %s:%u", a->name,
                first->at.file, first->at.line);
        return;
    }
    (void)strmap_put(l->accounts_by_name, email, a);
    /* An id is no name. */
    if (a->unique_id && !strmap_put(l->accounts_by_name, a->unique_id->text, a))
        diag_at(l->diags, a->unique_id->at, "unique_id: another service account has it already");
    if (is_short || in_own_project(l, email))
        (void)strmap_put(l->accounts_by_name, (span){email.p, span_find(email, '@')}, a);
}

static void settle_service_account(loader *l, service_draft *s)
{
    static const char wanted[] = "the name of a service account";
    span name;
    if (!s->account_name || !read_scalar(l, "service_account", s->account_name, wanted, &name))
        return;
    s->account = find_account(l, name);
    if (s->account || is_default_account(l, name))
        return;
    diag_at(l->diags, s->account_name->at, "service account %s of service '%s' is not defined%s",
            found_text(l, s->account_name), s->value.name,
            diag_suggest(l->diags, name, load_words(l, WORDS_ACCOUNTS)));
}

void settle_accounts(loader *l)
{
    for (size_t i = 0; i < l->accounts.count; i++)
        settle_account(l, l->accounts.items[i]);
    for (size_t i = 0; i < l->services.count; i++)
        settle_service_account(l, l->services.items[i]);
}

/* ---- callers ---- */

static const char *member_text(loader *l, member_kind kind, const char *id)
{
    return arena_fmt(l->mem, "%s:%s", member_prefix(kind), id);
}

/* "serviceAccount:…" and the like, as written. */
static const char *resolve_prefixed(loader *l, const node *who, const char *where)
{
    member m;
    error e = {0};
    if (!member_parse(who->text, &m, &e)) {
        diag_at(l->diags, who->at, "%s", e.text);
        return NULL;
    }
    bool missing_account = m.kind == MEMBER_SERVICE_ACCOUNT && in_own_project(l, m.id) &&
                           !find_account(l, m.id) && !is_default_account(l, m.id);
    bool missing_group = m.kind == MEMBER_GROUP && !strmap_get(l->groups_by_email, m.id);
    if (missing_account)
        diag_at(l->diags, who->at, "service account '%.*s' %s is not defined%s", SPAN_ARG(m.id),
                where,
                diag_suggest(l->diags, (span){m.id.p, span_find(m.id, '@')},
                             load_words(l, WORDS_ACCOUNTS)));
    if (missing_group)
        diag_at(l->diags, who->at, "group '%.*s' %s is not defined%s", SPAN_ARG(m.id), where,
                diag_suggest(l->diags, m.id, load_words(l, WORDS_CALLERS)));
    return missing_account || missing_group ? NULL : who->text.p;
}

static const char *resolve_email(loader *l, span email)
{
    if (is_default_account(l, email))
        return member_text(l, MEMBER_SERVICE_ACCOUNT, email.p);
    if (strmap_get(l->groups_by_email, email))
        return member_text(l, MEMBER_GROUP, email.p);
    if (strmap_get(l->users_by_email, email))
        return member_text(l, MEMBER_USER, email.p);
    return NULL;
}

/* A caller that is a service's name is the likeliest mistake of all. */
static void report_caller(loader *l, const node *who, const char *where)
{
    const service_draft *s = find_service(l, who->text);
    if (s && s->account)
        diag_at(l->diags, who->at,
                "'%s' %s is a service, not a caller: callers are accounts; did you mean '%s', "
                "as which it runs?",
                who->text.p, where, s->account->name);
    else
        diag_at(l->diags, who->at,
                "caller %s %s is not defined: neither a service account, a group nor a user%s",
                found_text(l, who), where,
                diag_suggest(l->diags, who->text, load_words(l, WORDS_CALLERS)));
}

const char *resolve_member(loader *l, const node *who, const char *where)
{
    for (size_t i = 0; EVERYBODY[i]; i++)
        if (span_eq_str(who->text, EVERYBODY[i]))
            return EVERYBODY[i];
    if (span_find(who->text, ':') != who->text.n)
        return resolve_prefixed(l, who, where);
    const account_draft *a = find_account(l, who->text);
    if (a)
        return member_text(l, MEMBER_SERVICE_ACCOUNT, a->value.email);
    const char *known = resolve_email(l, who->text);
    if (!known)
        report_caller(l, who, where);
    return known;
}
