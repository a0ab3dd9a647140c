/* IAM members and principals ("serviceAccount:a@b", "allUsers", …). Pure data. */
#ifndef POLICY_MEMBER_H
#define POLICY_MEMBER_H

#include "base/error.h"
#include "base/span.h"

#define MEMBER_KINDS(X)                                                                            \
    X(MEMBER_ALL_USERS, "allUsers")                                                                \
    X(MEMBER_ALL_AUTHENTICATED, "allAuthenticatedUsers")                                           \
    X(MEMBER_USER, "user")                                                                         \
    X(MEMBER_SERVICE_ACCOUNT, "serviceAccount")                                                    \
    X(MEMBER_GROUP, "group")                                                                       \
    X(MEMBER_DOMAIN, "domain")                                                                     \
    X(MEMBER_PRINCIPAL, "principal")                                                               \
    X(MEMBER_PRINCIPAL_SET, "principalSet")                                                        \
    X(MEMBER_DELETED, "deleted")                                                                   \
    X(MEMBER_PROJECT_OWNER, "projectOwner")                                                        \
    X(MEMBER_PROJECT_EDITOR, "projectEditor")                                                      \
    X(MEMBER_PROJECT_VIEWER, "projectViewer")

typedef enum member_kind {
#define X(id, prefix) id,
    MEMBER_KINDS(X)
#undef X
} member_kind;

typedef struct member {
    member_kind kind;
    span id; /* what follows "kind:", a view of the parsed text; empty for allUsers */
} member;

/* Parses as IAM does: case of the prefix matters, e-mails must look like e-mails. *e says what was
 * expected and, for a bare e-mail, which prefix to put in front. */
bool member_parse(span text, member *out, error *e);

/* "serviceAccount:" for *.gserviceaccount.com addresses, else "user:"; how a token's e-mail claim
 * becomes a principal. */
member_kind member_kind_of_email(span email);

const char *member_prefix(member_kind k);

#endif
