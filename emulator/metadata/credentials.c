/* From a request to an answer: the bearer, what is asked for, the chain of accounts, the signature.
 * The order is Google's: whoever is not authenticated learns nothing of accounts. */
#include "metadata/credentials.h"

#include "base/log.h"
#include "jose/base64.h"
#include "metadata/bearer.h"
#include "metadata/chain.h"
#include "metadata/credentials_ask.h"
#include "metadata/rpc.h"
#include "policy/role.h"

enum { NAME_MAX_BYTES = 512, TEXT_MAX = 256 };

static const char *const api_scopes[] = {"https://www.googleapis.com/auth/cloud-platform",
                                         "https://www.googleapis.com/auth/iam", NULL};

/* One call, while it is judged and answered. */
typedef struct call {
    metadata *room;
    http_request *request;
    const struct method *method;
    bearer caller;
    credentials_ask ask;
    const account *accounts[CREDENTIALS_DELEGATES_MAX + 1]; /* the delegates, then the account */
    size_t count;
} call;

static const account *target(const call *c)
{
    return c->accounts[c->count - 1];
}

/* ---- the answers ---- */

static void failed(const call *c, const error *e)
{
    log_at(LOG_ERROR, "cannot sign", LOG_S("account", target(c)->email), LOG_S("detail", e->text));
    rpc_fail(c->request, RPC_INTERNAL, NULL, "Internal error encountered.");
}

static void give_access_token(const call *c)
{
    const int64_t now_s = clock_now_s(c->room->clock);
    const account *a = target(c);
    const access_token *t = access_mint(c->room->access,
                                        &(access_grant){.email = a->email,
                                                        .unique_id = a->unique_id,
                                                        .client = a->unique_id,
                                                        .scopes = buf_view(&c->ask.scopes),
                                                        .expires_s = now_s + c->ask.lifetime_s},
                                        now_s);
    char expires[CLOCK_RFC3339_MAX];
    clock_rfc3339(t->expires_s * 1000000, 0, expires); /* clients take no fractions */
    auto_buf buf body = buf_make(RPC_ANSWER_MAX);
    buf_fmt(&body, "{\"accessToken\":\"%s\",\"expireTime\":\"%s\"}", t->token, expires);
    rpc_answer(c->request, buf_view(&body));
}

static void give_token(const call *c, minted_kind kind, const char *key, const char *token,
                       const char *kid, const error *e)
{
    if (!token) {
        failed(c, e);
        return;
    }
    meters_minted(c->room->meters, kind, target(c)->email);
    auto_buf buf body = buf_make(RPC_ANSWER_MAX);
    buf_char(&body, '{');
    if (kid)
        buf_fmt(&body, "\"keyId\":\"%s\",", kid);
    buf_fmt(&body, "\"%s\":\"%s\"}", key, token);
    rpc_answer(c->request, buf_view(&body));
}

static void give_id_token(const call *c)
{
    const account *a = target(c);
    const id_token_claims says = {.audience = c->ask.audience,
                                  .email = c->ask.include_email ? span_of(a->email) : (span){0},
                                  .unique_id = span_of(a->unique_id),
                                  .azp = span_of(c->ask.email_azp ? a->email : a->unique_id),
                                  .iat_s = clock_now_s(c->room->clock),
                                  .lifetime_s =
                                      snapshot_emulation(c->room->snapshot)->token_lifetime_s};
    error e = {0};
    auto_free char *token = identity_token(c->room->identity, &says, &e);
    give_token(c, MINTED_IDENTITY, "token", token, NULL, &e);
}

static void give_signed_jwt(const call *c)
{
    error e = {0};
    auto_free char *token = identity_sign_jwt(c->room->identity, c->ask.claims, &e);
    give_token(c, MINTED_JWT, "signedJwt", token, identity_kid(c->room->identity), &e);
}

static void give_signed_blob(const call *c)
{
    error e = {0};
    auto_buf buf signature = buf_make(RPC_ANSWER_MAX);
    auto_buf buf text = buf_make(RPC_ANSWER_MAX);
    const bool made =
        identity_sign_bytes(c->room->identity, buf_view(&c->ask.blob), &signature, &e);
    base64_encode(&text, signature.p, signature.n);
    give_token(c, MINTED_BLOB, "signedBlob", made ? text.p : NULL, identity_kid(c->room->identity),
               &e);
}

static const struct method {
    const char *verb;
    credentials_method kind;
    const char *permission;
    void (*give)(const call *c);
} methods[] = {
    {"generateAccessToken", CREDENTIALS_ACCESS_TOKEN, PERMISSION_ACCESS_TOKEN, give_access_token},
    {"generateIdToken", CREDENTIALS_ID_TOKEN, PERMISSION_ID_TOKEN, give_id_token},
    {"signBlob", CREDENTIALS_SIGN_BLOB, PERMISSION_SIGN_BLOB, give_signed_blob},
    {"signJwt", CREDENTIALS_SIGN_JWT, PERMISSION_SIGN_JWT, give_signed_jwt},
};

/* ---- the judgement ---- */

static bool add_account(call *c, span name)
{
    const account *a = snapshot_find_account(c->room->snapshot, name);
    c->accounts[c->count++] = a;
    if (a)
        return true;
    const int shown = name.n > TEXT_MAX ? TEXT_MAX : (int)name.n;
    rpc_fail(c->request, RPC_NOT_FOUND, NULL, "Not found; Gaia id not found for email %.*s", shown,
             name.p);
    return false;
}

static bool find_accounts(call *c, span name)
{
    for (size_t i = 0; i < c->ask.delegate_count; i++)
        if (!add_account(c, c->ask.delegates[i]))
            return false;
    return add_account(c, name);
}

static void log_refusal(const call *c, const chain_break *b)
{
    auto_buf buf mend = buf_make(2048);
    const principal holder = {member_kind_of_email(b->holder), b->holder};
    const deny_rule *denied =
        b->permission ? snapshot_denied(c->room->snapshot, &holder, b->permission) : NULL;
    if (denied)
        buf_fmt(&mend, "change deny policy %s, which outweighs every grant",
                denied->policy ? denied->policy : "of the topology");
    else if (b->permission)
        buf_fmt(&mend,
                "gcloud iam service-accounts add-iam-policy-binding %s --member=%s:%.*s "
                "--role=roles/iam.serviceAccountTokenCreator",
                b->on->email, member_prefix(holder.kind), SPAN_ARG(b->holder));
    else
        buf_fmt(&mend, "gcloud iam service-accounts enable %s", b->on->email);
    log_at(LOG_WARN, "impersonation refused", LOG_S("caller", c->caller.email),
           LOG_S("account", target(c)->email), LOG_V("holder", b->holder),
           LOG_S("on", b->on->email),
           LOG_S("missing", b->permission ? b->permission : "(the account is disabled)"),
           LOG_V("mend", buf_view(&mend)));
}

static bool chain_is_sound(const call *c)
{
    chain_break b;
    if (chain_holds(c->room->snapshot, &c->caller.who, c->accounts, c->count, c->method->permission,
                    clock_now_us(c->room->clock), &b))
        return true;
    log_refusal(c, &b);
    if (!b.permission) {
        rpc_fail(c->request, RPC_FAILED_PRECONDITION, NULL, "Service account %s is disabled.",
                 b.on->email);
        return false;
    }
    const rpc_info info = {"IAM_PERMISSION_DENIED", "iam.googleapis.com", "permission",
                           b.permission};
    rpc_fail(c->request, RPC_PERMISSION_DENIED, &info,
             "Permission '%s' denied on resource (or it may not exist).", b.permission);
    return false;
}

static bool reads(call *c)
{
    error e = {0};
    if (credentials_ask_parse(c->method->kind, http_body(c->request), clock_now_s(c->room->clock),
                              &c->ask, &e))
        return true;
    rpc_fail(c->request, RPC_INVALID_ARGUMENT, NULL, "%s", e.text);
    return false;
}

static void serve(call *c, span name)
{
    if (!bearer_find(c->room->access, c->room->snapshot, c->request, api_scopes,
                     clock_now_s(c->room->clock), &c->caller))
        return;
    if (reads(c) && find_accounts(c, name) && chain_is_sound(c)) {
        log_at(LOG_INFO, "impersonation", LOG_S("caller", c->caller.email),
               LOG_S("account", target(c)->email), LOG_S("method", c->method->verb));
        c->method->give(c);
    }
    credentials_ask_clear(&c->ask);
}

/* ---- the route ---- */

static const struct method *method_of(span verb)
{
    for (size_t i = 0; i < countof(methods); i++)
        if (span_eq_str(verb, methods[i].verb))
            return &methods[i];
    return NULL;
}

void credentials_serve(metadata *m, http_request *r, span path)
{
    call c = {.room = m, .request = r};
    const span prefix = SPAN_LIT("projects/");
    size_t colon = path.n;
    while (colon && path.p[colon - 1] != ':')
        colon--;
    c.method = colon ? method_of(span_from(path, colon)) : NULL;
    if (!c.method || !span_starts(path, prefix)) {
        rpc_fail(r, RPC_NOT_FOUND, NULL, "The requested URL was not found on this server.");
        return;
    }
    if (!span_eq_str(http_method(r), "POST")) {
        rpc_fail(r, RPC_METHOD_NOT_ALLOWED, NULL, "%s is called with POST.", c.method->verb);
        return;
    }
    auto_buf buf name = buf_make(NAME_MAX_BYTES);
    http_percent_decode((span){path.p, colon - 1}, false, &name);
    error e = {0};
    span email;
    if (!buf_ok(&name) || !credentials_account_name(buf_view(&name), &email, &e)) {
        rpc_fail(r, RPC_INVALID_ARGUMENT, NULL, "%s", e.kind ? e.text : "The name is too long.");
        return;
    }
    serve(&c, email);
}
