/* Who calls: the bearer of an access token that the metadata process has given out. */
#include <stdlib.h>

#include "control/api_impl.h"

enum { TOKEN_MAX = 8192 };

#define NO_CREDENTIALS                                                                             \
    "Request is missing required authentication credential. Expected OAuth 2 access token, login " \
    "cookie or other valid authentication credential."
#define BAD_CREDENTIALS                                                                            \
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie " \
    "or other valid authentication credential."

typedef struct asking {
    api_session *session;
    void (*next)(api_session *s);
    bool identity; /* three parts: rather an identity token */
} asking;

static bool bearer_of(const http_request *r, span *out)
{
    static const span scheme = {"Bearer ", 7};
    span value = http_header(r, "Authorization");
    if (value.n <= scheme.n || !span_ieq((span){value.p, scheme.n}, scheme))
        return false;
    *out = span_trim(span_from(value, scheme.n));
    return out->n > 0;
}

static size_t dots(span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '.';
    return n;
}

static void refuse(api_session *s, const error *e, bool identity)
{
    if (e->kind != ERR_NOT_FOUND)
        api_fail(&s->call, API_UNAVAILABLE, NO_METADATA, e->text);
    else if (identity)
        api_unauthenticated(&s->call, "ACCESS_TOKEN_TYPE_UNSUPPORTED",
                            BAD_CREDENTIALS " This looks like an identity token; an access token "
                                            "is what 'gcloud auth print-access-token' prints.");
    else
        api_unauthenticated(&s->call, "ACCESS_TOKEN_EXPIRED", BAD_CREDENTIALS);
}

static void on_identified(void *arg, const char *email, const error *e)
{
    asking *a = arg;
    api_session *s = a->session;
    if (email) {
        s->call.caller = span_dup(span_of(email));
        a->next(s);
    } else {
        refuse(s, e, a->identity);
    }
    free(a);
}

void api_authenticate(api_session *s, void (*next)(api_session *s))
{
    span token;
    if (!bearer_of(s->call.request, &token)) {
        api_unauthenticated(&s->call, "CREDENTIALS_MISSING",
                            NO_CREDENTIALS " Here that is any access token of the metadata "
                                           "process: what 'gcloud auth print-access-token' "
                                           "prints, or its /computeMetadata/v1/instance/"
                                           "service-accounts/default/token.");
        return;
    }
    asking *a = malloc(sizeof *a);
    if (!a)
        abort();
    *a = (asking){s, next, dots(token) == 2};
    if (token.n > TOKEN_MAX) {
        error e = {.kind = ERR_NOT_FOUND};
        on_identified(a, NULL, &e);
        return;
    }
    const control_backend *b = s->call.backend;
    b->identify(b->ctx, token, on_identified, a);
}
