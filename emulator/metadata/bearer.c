/* From an Authorization field to a principal. The reasons are those of google.api.ErrorReason. */
#include "metadata/bearer.h"

#include "metadata/rpc.h"

#define EXPECTED                                                                                   \
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See "   \
    "https://developers.google.com/identity/sign-in/web/devconsole-project."

token_standing bearer_standing(access_book *book, const snapshot *s, span token, int64_t now_s,
                               const access_token **out)
{
    const access_token *t = access_find(book, token, now_s);
    if (!t)
        return TOKEN_UNKNOWN;
    if (member_kind_of_email(span_of(t->email)) == MEMBER_SERVICE_ACCOUNT) {
        const account *a = snapshot_find_account(s, span_of(t->email));
        if (!a || strcmp(a->unique_id, t->unique_id) != 0)
            return TOKEN_UNKNOWN;
        *out = t;
        return a->disabled ? TOKEN_DISABLED : TOKEN_GOOD;
    }
    *out = t;
    return TOKEN_GOOD;
}

static bool refuse(http_request *r, const char *sentence, const char *reason, const char *email)
{
    const rpc_info info = {reason, "googleapis.com", email ? "email" : NULL, email};
    rpc_fail(r, RPC_UNAUTHENTICATED, &info, "%s " EXPECTED, sentence);
    return false;
}

static bool has_scope(const char *held, const char *const *wanted)
{
    span rest = span_of(held);
    while (rest.n) {
        span one;
        (void)span_cut(&rest, ' ', &one);
        for (size_t i = 0; wanted[i]; i++)
            if (span_eq_str(one, wanted[i]))
                return true;
    }
    return false;
}

/* Empty: there is none. */
static span presented(const http_request *r)
{
    const span field = http_header(r, "Authorization");
    const span scheme = SPAN_LIT("Bearer ");
    if (field.n <= scheme.n || !span_ieq((span){field.p, scheme.n}, scheme))
        return (span){0};
    return span_trim(span_from(field, scheme.n));
}

bool bearer_find(access_book *book, const snapshot *s, http_request *r, const char *const *scopes,
                 int64_t now_s, bearer *out)
{
    const span token = presented(r);
    if (!token.n)
        return refuse(r, "Request is missing required authentication credential.",
                      "CREDENTIALS_MISSING", NULL);
    const access_token *t = NULL;
    switch (bearer_standing(book, s, token, now_s, &t)) {
    case TOKEN_UNKNOWN:
        /* An identity token ("eyJ…", three parts) is the commonest mistake. */
        return refuse(r, "Request had invalid authentication credentials.",
                      span_starts(token, SPAN_LIT("eyJ")) ? "ACCESS_TOKEN_TYPE_UNSUPPORTED"
                                                          : "ACCESS_TOKEN_EXPIRED",
                      NULL);
    case TOKEN_DISABLED:
        return refuse(r, "Request had invalid authentication credentials.", "ACCOUNT_STATE_INVALID",
                      t->email);
    case TOKEN_GOOD:
        break;
    }
    if (!has_scope(t->scopes, scopes)) {
        const rpc_info info = {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", NULL, NULL};
        rpc_fail(r, RPC_PERMISSION_DENIED, &info,
                 "Request had insufficient authentication scopes.");
        return false;
    }
    const size_t n = strlen(t->email);
    if (n > BEARER_EMAIL_MAX)
        return refuse(r, "Request had invalid authentication credentials.", "ACCOUNT_STATE_INVALID",
                      NULL);
    memcpy(out->email, t->email, n + 1);
    out->who = (principal){member_kind_of_email(span_of(out->email)), span_of(out->email)};
    return true;
}
