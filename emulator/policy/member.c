/* Members as IAM policies write them; the rules of Google's "IAM principal identifiers" page. */
#include "policy/member.h"

#include <stdlib.h>

enum { EMAIL_MAX = 320, SHOWN_MAX = 80 };

typedef struct kind_row {
    member_kind kind;
    const char *prefix;
} kind_row;

static const kind_row kinds[] = {
#define X(id, prefix) {id, prefix},
    MEMBER_KINDS(X)
#undef X
};

const char *member_prefix(member_kind k)
{
    for (size_t i = 0; i < countof(kinds); i++) {
        if (kinds[i].kind == k)
            return kinds[i].prefix;
    }
    abort();
}

member_kind member_kind_of_email(span email)
{
    const span suffix = SPAN_LIT(".gserviceaccount.com");
    if (email.n < suffix.n)
        return MEMBER_USER;
    return span_ieq(span_from(email, email.n - suffix.n), suffix) ? MEMBER_SERVICE_ACCOUNT
                                                                  : MEMBER_USER;
}

static bool is_domain_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

static bool looks_like_domain(span d)
{
    if (d.n == 0 || d.p[0] == '.' || d.p[d.n - 1] == '.' || span_find(d, '.') == d.n)
        return false;
    for (size_t i = 0; i < d.n; i++) {
        if (!is_domain_char(d.p[i]) || (d.p[i] == '.' && d.p[i + 1] == '.'))
            return false;
    }
    return true;
}

static bool looks_like_email(span e)
{
    if (e.n > EMAIL_MAX)
        return false;
    span domain = e, local;
    if (!span_cut(&domain, '@', &local) || local.n == 0)
        return false;
    for (size_t i = 0; i < local.n; i++) {
        const unsigned char c = (unsigned char)local.p[i];
        if (c <= ' ' || c == 0x7f || strchr(",;:<>()[]\\\"", c))
            return false;
    }
    return looks_like_domain(domain);
}

/* "PROJECT.svc.id.goog[NAMESPACE/ACCOUNT]": a Kubernetes account under workload identity. */
static bool looks_like_workload(span id)
{
    const size_t open = span_find(id, '[');
    const span pool = {id.p, open};
    if (open == id.n || id.p[id.n - 1] != ']' || !span_ends(pool, SPAN_LIT(".svc.id.goog")))
        return false;
    const span inside = {id.p + open + 1, id.n - open - 2};
    const size_t slash = span_find(inside, '/');
    return slash > 0 && slash + 1 < inside.n;
}

static bool bad(error *e, span text, const char *expected)
{
    const int shown = text.n > SHOWN_MAX ? SHOWN_MAX : (int)text.n;
    return error_set(e, ERR_INVALID, "member \"%.*s\" is not valid: %s", shown, text.p, expected);
}

static bool check_email(span text, member m, error *e)
{
    if (!looks_like_email(m.id))
        return bad(e, text, "expected an e-mail address behind the prefix");
    const bool account = member_kind_of_email(m.id) == MEMBER_SERVICE_ACCOUNT;
    if (m.kind == MEMBER_USER && account)
        return bad(e, text, "this address is a service account; write serviceAccount: in front");
    if (m.kind == MEMBER_SERVICE_ACCOUNT && !account)
        return bad(e, text, "a service account's address ends in .gserviceaccount.com");
    return true;
}

/* What follows the prefix. Exhaustive, so that a new kind must state its form. */
static bool check_id(span text, member m, error *e)
{
    switch (m.kind) {
    case MEMBER_ALL_USERS:
    case MEMBER_ALL_AUTHENTICATED:
        return bad(e, text, "allUsers and allAuthenticatedUsers stand alone, without \":\"");
    case MEMBER_SERVICE_ACCOUNT:
        return looks_like_workload(m.id) || check_email(text, m, e);
    case MEMBER_USER:
    case MEMBER_GROUP:
        return check_email(text, m, e);
    case MEMBER_DOMAIN:
        return looks_like_domain(m.id) || bad(e, text, "expected a domain such as example.com");
    case MEMBER_PRINCIPAL:
    case MEMBER_PRINCIPAL_SET:
        return span_starts(m.id, SPAN_LIT("//iam.googleapis.com/")) ||
               bad(e, text, "expected //iam.googleapis.com/… behind the prefix");
    case MEMBER_DELETED:
        return span_find(m.id, ':') < m.id.n || bad(e, text, "expected deleted:KIND:ID?uid=NUMBER");
    case MEMBER_PROJECT_OWNER:
    case MEMBER_PROJECT_EDITOR:
    case MEMBER_PROJECT_VIEWER:
        return m.id.n > 0 || bad(e, text, "expected a project id behind the prefix");
    }
    abort();
}

static bool bad_prefix(span text, span prefix, error *e)
{
    for (size_t i = 0; i < countof(kinds); i++) {
        if (span_ieq_str(prefix, kinds[i].prefix))
            return error_set(e, ERR_INVALID,
                             "member \"%.*s\" is not valid: write \"%s\" (case counts)",
                             text.n > SHOWN_MAX ? SHOWN_MAX : (int)text.n, text.p, kinds[i].prefix);
    }
    return bad(e, text,
               "expected allUsers, allAuthenticatedUsers, or user:, serviceAccount:, group: or "
               "domain: in front");
}

static bool bad_bare(span text, error *e)
{
    if (!looks_like_email(text))
        return bad_prefix(text, text, e);
    const char *prefix = member_prefix(member_kind_of_email(text));
    return error_set(e, ERR_INVALID, "member \"%.*s\" lacks its kind: write \"%s:%.*s\"",
                     SPAN_ARG(text), prefix, SPAN_ARG(text));
}

bool member_parse(span text, member *out, error *e)
{
    if (span_eq_str(text, "allUsers") || span_eq_str(text, "allAuthenticatedUsers")) {
        const bool all = span_eq_str(text, "allUsers");
        *out = (member){all ? MEMBER_ALL_USERS : MEMBER_ALL_AUTHENTICATED, {text.p + text.n, 0}};
        return true;
    }
    span id = text, prefix;
    if (!span_cut(&id, ':', &prefix))
        return bad_bare(text, e);
    for (size_t i = 0; i < countof(kinds); i++) {
        if (!span_eq_str(prefix, kinds[i].prefix))
            continue;
        const member m = {kinds[i].kind, id};
        if (!check_id(text, m, e))
            return false;
        *out = m;
        return true;
    }
    return bad_prefix(text, prefix, e);
}
