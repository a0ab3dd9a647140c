/* Deny policies: what their principals and permissions look like, and whom a rule forbids what
 * ("Deny policies" in the IAM docs). Identities of other providers than Google cannot come to a
 * service with an ID token of Google, so the rules about them meet nobody. */
#include "policy/deny.h"

#include "base/buf.h"
#include "policy/role.h"
#include "policy/snapshot_internal.h"

enum { SHOWN_MAX = 120, MEMBER_TEXT_MAX = 4096 };

static const char EVERYBODY[] = "principalSet://goog/public:all";
static const char OWN_PROJECT[] = "principalSet://cloudresourcemanager.googleapis.com/projects/";
static const char ACCOUNT_KIND[] = "/type/ServiceAccount";

/* How principals are written: what stands in front of the part that differs. */
static const struct {
    const char *before;
    const char *member; /* what IAM v1 has in front of the same part; NULL: none of ours */
} forms[] = {
    {"principal://goog/subject/", "user:"},
    {"principalSet://goog/group/", "group:"},
    {"principal://iam.googleapis.com/projects/-/serviceAccounts/", "serviceAccount:"},
    {"principalSet://goog/cloudIdentityCustomerId/", NULL},
    {OWN_PROJECT, NULL},
    {"principalSet://cloudresourcemanager.googleapis.com/folders/", NULL},
    {"principalSet://cloudresourcemanager.googleapis.com/organizations/", NULL},
    {"principal://iam.googleapis.com/locations/global/workforcePools/", NULL},
    {"principalSet://iam.googleapis.com/locations/global/workforcePools/", NULL},
    {"principal://iam.googleapis.com/projects/", NULL}, /* these two: is_pool */
    {"principalSet://iam.googleapis.com/projects/", NULL},
};
enum { FIRST_POOL_FORM = countof(forms) - 2 };

/* PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/… */
static bool is_pool(span rest)
{
    const span pools = SPAN_LIT("locations/global/workloadIdentityPools/");
    span number;
    return span_cut(&rest, '/', &number) && number.n && span_starts(rest, pools) &&
           rest.n > pools.n;
}

/* The row that the text fits, and what follows; countof(forms): none. */
static size_t form_of(span text, span *out_rest)
{
    for (size_t i = 0; i < countof(forms); i++) {
        const size_t n = strlen(forms[i].before);
        if (!span_starts(text, span_of(forms[i].before)) || text.n == n)
            continue;
        *out_rest = span_from(text, n);
        return i < FIRST_POOL_FORM || is_pool(*out_rest) ? i : countof(forms);
    }
    return countof(forms);
}

bool deny_principal_check(span text, error *e)
{
    span rest = text, rest_of_it = {NULL, 0};
    const bool deleted = span_starts(text, SPAN_LIT("deleted:"));
    if (deleted)
        rest = span_from(text, strlen("deleted:"));
    if (!deleted && span_eq_str(text, EVERYBODY))
        return true;
    const size_t i = form_of(rest, &rest_of_it);
    member m;
    auto_buf buf as_member = buf_make(MEMBER_TEXT_MAX);
    if (i < countof(forms) && (!forms[i].member || deleted))
        return true;
    if (i < countof(forms)) {
        buf_str(&as_member, forms[i].member);
        buf_span(&as_member, rest_of_it);
        if (buf_ok(&as_member) && member_parse(buf_view(&as_member), &m, NULL))
            return true;
    }
    return error_set(e, ERR_INVALID,
                     "principal \"%.*s\" is not valid in a deny policy: expected "
                     "principal://goog/subject/EMAIL, principalSet://goog/group/EMAIL, "
                     "principal://iam.googleapis.com/projects/-/serviceAccounts/EMAIL or %s",
                     text.n > SHOWN_MAX ? SHOWN_MAX : (int)text.n, text.p, EVERYBODY);
}

/* ---- permissions ---- */

/* "run.googleapis.com/routes.invoke" in its parts. */
typedef struct parts {
    span api, kind, verb;
} parts;

static bool split(span text, parts *out)
{
    const size_t slash = span_find(text, '/');
    out->api = (span){text.p, slash};
    if (slash == text.n || !span_ends(out->api, SPAN_LIT(".googleapis.com")))
        return false;
    out->verb = span_from(text, slash + 1);
    return span_cut(&out->verb, '.', &out->kind) && out->kind.n && out->verb.n &&
           span_find(out->verb, '/') == out->verb.n && span_find(out->verb, '.') == out->verb.n;
}

bool deny_permission_check(span text, error *e)
{
    parts ignored;
    return split(text, &ignored) ||
           error_set(e, ERR_INVALID,
                     "permission \"%.*s\" is not valid in a deny policy: expected "
                     "SERVICE.googleapis.com/RESOURCE.VERB, such as "
                     "run.googleapis.com/routes.invoke",
                     text.n > SHOWN_MAX ? SHOWN_MAX : (int)text.n, text.p);
}

bool deny_permission_covers(span pattern, span permission)
{
    parts p;
    span api, kind, verb = permission;
    if (!split(pattern, &p) || !span_cut(&verb, '.', &api) || !span_cut(&verb, '.', &kind))
        return false;
    const span domain = SPAN_LIT(".googleapis.com");
    return span_eq((span){p.api.p, p.api.n - domain.n}, api) &&
           (span_eq_str(p.kind, "*") || span_eq(p.kind, kind)) &&
           (span_eq_str(p.verb, "*") || span_eq(p.verb, verb));
}

static bool any_covers(const char *const *patterns, span permission)
{
    for (; *patterns; patterns++) {
        if (deny_permission_covers(span_of(*patterns), permission))
            return true;
    }
    return false;
}

static bool forbids(const deny_rule *r, span permission)
{
    return any_covers(r->permissions, permission) &&
           !any_covers(r->exception_permissions, permission);
}

/* ---- building ---- */

/* The principal as IAM v1 writes it, or NULL where that cannot be somebody with an ID token. */
static const char *member_of(textpool *m, const char *text)
{
    span rest_of_it;
    const size_t i = form_of(span_of(text), &rest_of_it);
    if (i == countof(forms) || !forms[i].member)
        return NULL;
    auto_buf buf b = buf_make(MEMBER_TEXT_MAX);
    buf_str(&b, forms[i].member);
    buf_span(&b, rest_of_it);
    return buf_ok(&b) ? textpool_span(m, buf_view(&b)) : NULL;
}

static size_t count_of(const char *const *list)
{
    size_t n = 0;
    while (list[n])
        n++;
    return n;
}

static size_t add_members(textpool *m, const char *const *principals, const char **out)
{
    size_t n = 0;
    for (; *principals; principals++) {
        const char *text = member_of(m, *principals);
        if (text)
            out[n++] = text;
    }
    return n;
}

const char *const *deny_members(const snapshot *s, size_t *out_count)
{
    size_t most = 0, n = 0;
    for (size_t i = 0; i < s->deny_count; i++)
        most += count_of(s->denies[i].principals) + count_of(s->denies[i].exception_principals);
    const char **members = textpool_alloc(s->pool, (most + 1) * sizeof *members);
    for (size_t i = 0; i < s->deny_count; i++) {
        n += add_members(s->pool, s->denies[i].principals, members + n);
        n += add_members(s->pool, s->denies[i].exception_principals, members + n);
    }
    *out_count = n;
    return members;
}

static bool is_own_project(const snapshot *s, span text)
{
    const span prefix = span_of(OWN_PROJECT), kind = span_of(ACCOUNT_KIND);
    if (!span_starts(text, prefix))
        return false;
    span which = span_from(text, prefix.n);
    if (span_ends(which, kind))
        which.n -= kind.n;
    return span_eq_str(which, s->project.number) || span_eq_str(which, s->project.id);
}

static deny_set resolve(const snapshot *s, const char *const *principals)
{
    deny_set set = {.ids = textpool_alloc(s->pool, count_of(principals) * sizeof *set.ids)};
    for (; *principals; principals++) {
        const char *text = member_of(s->pool, *principals);
        if (text)
            set.ids[set.count++] = grants_member(s->grants, text);
        set.everybody |= strcmp(*principals, EVERYBODY) == 0;
        set.own_accounts |= is_own_project(s, span_of(*principals));
    }
    return set;
}

void denies_build(snapshot *s)
{
    s->deny_sets = textpool_alloc(s->pool, s->deny_count * sizeof *s->deny_sets);
    for (size_t i = 0; i < s->deny_count; i++) {
        const deny_rule *r = &s->denies[i];
        s->deny_sets[i] = (deny_sets){
            .denied = resolve(s, r->principals),
            .excepted = resolve(s, r->exception_principals),
            .forbids_invoke = forbids(r, SPAN_LIT(PERMISSION_INVOKE)),
        };
        s->invoke_denied |= s->deny_sets[i].forbids_invoke;
    }
}

/* ---- asking ---- */

/* Accounts of other projects may be known, too. */
static bool is_own_account(const snapshot *s, const principal *p)
{
    if (p->kind != MEMBER_SERVICE_ACCOUNT || !snapshot_find_account(s, p->email))
        return false;
    span domain = p->email, name;
    (void)span_cut(&domain, '@', &name);
    return span_ieq_str(domain, s->account_domain) ||
           span_ieq_str(p->email, s->project.default_account);
}

static bool in_set(const snapshot *s, const deny_set *set, const principal *p,
                   const grants_ids *ids)
{
    if (set->everybody)
        return true;
    if (!p)
        return false;
    if (set->own_accounts && is_own_account(s, p))
        return true;
    for (size_t i = 0; i < set->count; i++) {
        if (grants_include(s->grants, ids, set->ids[i]))
            return true;
    }
    return false;
}

static const deny_rule *first_that_forbids(const snapshot *s, const principal *p,
                                           const char *permission, bool invoke)
{
    const grants_ids ids = grants_resolve(s->grants, p);
    for (size_t i = 0; i < s->deny_count; i++) {
        const deny_sets *sets = &s->deny_sets[i];
        const bool meant =
            invoke ? sets->forbids_invoke : forbids(&s->denies[i], span_of(permission));
        if (meant && in_set(s, &sets->denied, p, &ids) && !in_set(s, &sets->excepted, p, &ids))
            return &s->denies[i];
    }
    return NULL;
}

const deny_rule *snapshot_denied(const snapshot *s, const principal *p, const char *permission)
{
    if (!s->deny_count)
        return NULL;
    const bool invoke = strcmp(permission, PERMISSION_INVOKE) == 0;
    return invoke && !s->invoke_denied ? NULL : first_that_forbids(s, p, permission, invoke);
}
