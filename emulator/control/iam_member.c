/* Members of policies that come in by API: what IAM says of those that it does not take. */
#include "control/iam_policy_internal.h"
#include "policy/member.h"

static bool in_own_project(const snapshot *s, span email)
{
    span domain = email, name;
    const span own = span_of(snapshot_project(s)->id);
    return span_cut(&domain, '@', &name) && span_starts(domain, own) &&
           span_eq(span_from(domain, own.n), SPAN_LIT(".iam.gserviceaccount.com"));
}

/* An account of another project may exist; one of ours is known. */
static bool account_exists(const snapshot *s, span email, error *e)
{
    if (!in_own_project(s, email) || snapshot_find_account(s, email))
        return true;
    return error_set(e, ERR_INVALID, "Service account %.*s does not exist.", SPAN_ARG(email));
}

/* "user:x@p.iam.gserviceaccount.com" and the reverse. */
static bool wrong_kind(span prefix, span id, error *e)
{
    const char *kind = member_prefix(member_kind_of_email(id));
    const bool by_email = span_eq_str(prefix, "user") || span_eq_str(prefix, "serviceAccount");
    if (!by_email || span_eq_str(prefix, kind) || span_find(id, '@') == id.n)
        return false;
    error_set(e, ERR_INVALID,
              "Principal %.*s is of type \"%s\". The principal should appear as \"%s:%.*s\".",
              SPAN_ARG(id), kind, kind, SPAN_ARG(id));
    return true;
}

static bool bad_member(span text, error *e)
{
    span id = text, prefix;
    member m;
    error why = {0};
    if (!span_cut(&id, ':', &prefix))
        return error_set(e, ERR_INVALID,
                         "The member %.*s is of an unknown type. Please set a valid type prefix "
                         "for the member.",
                         SPAN_ARG(text));
    if (wrong_kind(prefix, id, e))
        return false;
    (void)member_parse(text, &m, &why);
    return error_set(e, ERR_INVALID, "Invalid argument: %s", why.text);
}

bool policy_member_check(const snapshot *s, const char *member_text, error *e)
{
    const span text = span_of(member_text);
    member m;
    if (!member_parse(text, &m, NULL))
        return bad_member(text, e);
    return m.kind != MEMBER_SERVICE_ACCOUNT || account_exists(s, m.id, e);
}
