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

/* ---- what follows each prefix ---- */

static bool is_person(span id)
{
    return looks_like_email(id) && member_kind_of_email(id) == MEMBER_USER;
}
static bool is_account(span id)
{
    return looks_like_workload(id) ||
           (looks_like_email(id) && member_kind_of_email(id) == MEMBER_SERVICE_ACCOUNT);
}
static bool is_resource(span id)
{
    return span_starts(id, SPAN_LIT("//iam.googleapis.com/"));
}
static bool is_deleted(span id)
{
    return span_find(id, ':') < id.n;
}
static bool is_something(span id)
{
    return id.n > 0;
}
static bool is_nothing(span id)
{
    (void)id;
    return false; /* the colon is too much */
}

static const char ALONE[] = "allUsers and allAuthenticatedUsers stand alone, without \":\"";
static const char EMAIL[] = "expected an e-mail address behind the prefix";
static const char RESOURCE[] = "expected //iam.googleapis.com/… behind the prefix";
static const char PROJECT[] = "expected a project id behind the prefix";

static const struct {
    bool (*fits)(span id);
    const char *expected;
} forms[] = {
    [MEMBER_ALL_USERS] = {is_nothing, ALONE},
    [MEMBER_ALL_AUTHENTICATED] = {is_nothing, ALONE},
    [MEMBER_USER] = {is_person,
                     "this address is a service account; write serviceAccount: in front"},
    [MEMBER_SERVICE_ACCOUNT] = {is_account,
                                "a service account's address ends in .gserviceaccount.com"},
    [MEMBER_GROUP] = {looks_like_email, EMAIL},
    [MEMBER_DOMAIN] = {looks_like_domain, "expected a domain such as example.com"},
    [MEMBER_PRINCIPAL] = {is_resource, RESOURCE},
    [MEMBER_PRINCIPAL_SET] = {is_resource, RESOURCE},
    [MEMBER_DELETED] = {is_deleted, "expected deleted:KIND:ID?uid=NUMBER"},
    [MEMBER_PROJECT_OWNER] = {is_something, PROJECT},
    [MEMBER_PROJECT_EDITOR] = {is_something, PROJECT},
    [MEMBER_PROJECT_VIEWER] = {is_something, PROJECT},
};

/* Of a person or account whose address is none at all, that comes first. */
static bool bad_id(span text, member m, error *e)
{
    const bool by_email = m.kind == MEMBER_USER || m.kind == MEMBER_SERVICE_ACCOUNT;
    return bad(e, text, by_email && !looks_like_email(m.id) ? EMAIL : forms[m.kind].expected);
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
        if (!forms[m.kind].fits(id))
            return bad_id(text, m, e);
        *out = m;
        return true;
    }
    return bad_prefix(text, prefix, e);
}
