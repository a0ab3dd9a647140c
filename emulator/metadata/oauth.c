/* A user's refresh token is the user's e-mail address: nobody here has a password, the emulator's
 * users are personas of whoever runs it. */
#include "metadata/oauth.h"

#include <ctype.h>

#include "base/log.h"
#include "base/unique_id.h"
#include "jose/jws.h"
#include "metadata/assertion.h"
#include "metadata/bearer.h"
#include "metadata/rpc.h"
#include "state/merge.h"

enum { FIELD_MAX = 1024, CLIENT_MAX = 256 };

#define JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"
/* What gcloud asks for when somebody logs in. */
#define USER_SCOPES                                                                                \
    "openid https://www.googleapis.com/auth/accounts.reauth "                                      \
    "https://www.googleapis.com/auth/appengine.admin "                                             \
    "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/compute "      \
    "https://www.googleapis.com/auth/sqlservice.login "                                            \
    "https://www.googleapis.com/auth/userinfo.email"

/* The parameter of the form, decoded; false: absent, empty, or too long for out. */
static bool field(const http_request *r, const char *name, buf *out)
{
    span raw;
    if (http_query_find(http_body(r), name, &raw))
        http_percent_decode(raw, true, out);
    return out->n > 0 && buf_ok(out);
}

static void cannot_sign(http_request *r, const error *e)
{
    log_at(LOG_ERROR, "cannot mint a token", LOG_S("detail", e->text));
    rpc_oauth_fail(r, 500, "internal_failure", "The token cannot be signed.");
}

/* ---- users ---- */

/* A user's address in small letters, as Google writes it; false: answered. */
static bool read_user(http_request *r, buf *email)
{
    error e = {0};
    auto_buf buf token = buf_make(BEARER_EMAIL_MAX);
    (void)field(r, "refresh_token", &token);
    if (!token.n && buf_ok(&token)) {
        rpc_oauth_fail(r, 400, "invalid_request", "Missing required parameter: refresh_token");
        return false;
    }
    for (size_t i = 0; i < token.n; i++)
        buf_char(email, (char)tolower((unsigned char)token.p[i]));
    if (member_kind_of_email(buf_view(email)) == MEMBER_SERVICE_ACCOUNT) {
        rpc_oauth_fail(r, 400, "invalid_grant",
                       "Bad Request: a service account has no refresh token; use a key of it, the "
                       "metadata server or --impersonate-service-account");
        return false;
    }
    auto_buf buf text = buf_make(FIELD_MAX);
    buf_str(&text, "user:");
    buf_span(&text, buf_view(email));
    member unused;
    if (buf_ok(&token) && !memchr(text.p, '\0', text.n) &&
        member_parse(buf_view(&text), &unused, &e))
        return true;
    rpc_oauth_fail(r, 400, "invalid_grant",
                   "Bad Request: the emulator's refresh tokens are e-mail addresses, such as "
                   "alice@example.com");
    return false;
}

static bool read_client(http_request *r, buf *client)
{
    bool good = field(r, "client_id", client);
    for (size_t i = 0; good && i < client->n; i++)
        good = client->p[i] > ' ' && client->p[i] <= '~';
    if (!good)
        rpc_oauth_fail(r, 400, "invalid_request", "Could not determine client ID from request.");
    return good;
}

static bool read_scopes(http_request *r, buf *scopes)
{
    auto_buf buf wanted = buf_make(ACCESS_SCOPES_TEXT_MAX);
    const bool stated = field(r, "scope", &wanted);
    if (buf_ok(&wanted) &&
        access_scopes(stated ? buf_view(&wanted) : SPAN_LIT(USER_SCOPES), ' ', scopes) &&
        buf_ok(scopes))
        return true;
    rpc_oauth_fail(r, 400, "invalid_scope", "Some requested scopes were invalid.");
    return false;
}

static void put_access(buf *b, const access_token *t, int64_t now_s)
{
    buf_fmt(b, "{\"access_token\":\"%s\",\"expires_in\":%lld,\"token_type\":\"Bearer\"", t->token,
            (long long)(t->expires_s - now_s));
}

static void give_user(metadata *m, http_request *r, const char *email, const char *client,
                      span scopes)
{
    char id[UNIQUE_ID_TEXT];
    account_unique_id(span_of(email), id);
    const int64_t now_s = clock_now_s(m->clock);
    const int64_t lifetime_s = snapshot_emulation(m->snapshot)->token_lifetime_s;
    const id_token_claims says = {.audience = span_of(client),
                                  .azp = span_of(client),
                                  .email = span_of(email),
                                  .unique_id = span_of(id),
                                  .iat_s = now_s,
                                  .lifetime_s = lifetime_s};
    error e = {0};
    auto_free char *token = identity_token(m->identity, &says, &e);
    if (!token) {
        cannot_sign(r, &e);
        return;
    }
    meters_minted(m->meters, MINTED_IDENTITY, email);
    const access_token *t = access_mint(
        m->access, &(access_grant){email, id, client, scopes, now_s + lifetime_s - 1}, now_s);
    auto_buf buf body = buf_make(RPC_ANSWER_MAX);
    put_access(&body, t, now_s);
    buf_str(&body, ",\"scope\":");
    buf_json(&body, span_of(t->scopes));
    buf_fmt(&body, ",\"id_token\":\"%s\"}", token);
    log_at(LOG_INFO, "user logged in", LOG_S("user", email), LOG_S("client", client));
    rpc_answer(r, buf_view(&body));
}

static void serve_refresh(metadata *m, http_request *r)
{
    auto_buf buf client = buf_make(CLIENT_MAX);
    auto_buf buf email = buf_make(BEARER_EMAIL_MAX);
    auto_buf buf scopes = buf_make(ACCESS_SCOPES_TEXT_MAX);
    if (read_client(r, &client) && read_user(r, &email) && read_scopes(r, &scopes))
        give_user(m, r, email.p, client.p, buf_view(&scopes));
}

/* ---- service accounts' keys ---- */

static const json_t *keys_of(void *room, const account *a)
{
    const metadata *m = room;
    const json_t *entry = state_entry(live_state(m->live), "accounts", a->email);
    return state_account_counts(live_base(m->live), a->email, entry)
               ? json_object_get(entry, "keys")
               : NULL;
}

static void give_account(metadata *m, http_request *r, const assertion *a)
{
    const int64_t now_s = clock_now_s(m->clock);
    const int64_t lifetime_s = snapshot_emulation(m->snapshot)->token_lifetime_s;
    const char *id = a->account->unique_id;
    auto_buf buf body = buf_make(RPC_ANSWER_MAX);
    if (a->scopes.n) {
        const access_grant g = {a->account->email, id, id, buf_view(&a->scopes),
                                now_s + lifetime_s - 1};
        put_access(&body, access_mint(m->access, &g, now_s), now_s);
        buf_char(&body, '}');
    } else {
        const id_token_claims says = {.audience = buf_view(&a->audience),
                                      .email = span_of(a->account->email),
                                      .unique_id = span_of(id),
                                      .iat_s = now_s,
                                      .lifetime_s = lifetime_s};
        error e = {0};
        auto_free char *token = identity_token(m->identity, &says, &e);
        if (!token) {
            cannot_sign(r, &e);
            return;
        }
        meters_minted(m->meters, MINTED_IDENTITY, a->account->email);
        buf_fmt(&body, "{\"id_token\":\"%s\"}", token);
    }
    log_at(LOG_INFO, "service account logged in", LOG_S("account", a->account->email),
           LOG_S("wants", a->scopes.n ? "access token" : "identity token"));
    rpc_answer(r, buf_view(&body));
}

static void serve_assertion(metadata *m, http_request *r)
{
    auto_buf buf token = buf_make(JWS_TOKEN_MAX);
    if (!field(r, "assertion", &token) && buf_ok(&token)) {
        rpc_oauth_fail(r, 400, "invalid_request", "Missing required parameter: assertion");
        return;
    }
    const assertion_world w = {.snapshot = m->snapshot,
                               .keys = keys_of,
                               .ctx = m,
                               .now_s = clock_now_s(m->clock),
                               .hosts = m->options.hosts};
    assertion a = {0};
    assertion_fault f = {0};
    if (assertion_read(&w, buf_view(&token), &a, &f)) {
        give_account(m, r, &a);
    } else {
        log_at(LOG_WARN, "assertion refused", LOG_S("account", a.account ? a.account->email : "-"),
               LOG_S("answer", f.text), LOG_S("detail", f.detail ? f.detail : "-"));
        rpc_oauth_fail(r, f.status, f.what, "%s", f.text);
    }
    buf_free(&a.scopes);
    buf_free(&a.audience);
}

void oauth_serve(metadata *m, http_request *r)
{
    auto_buf buf grant = buf_make(FIELD_MAX);
    (void)field(r, "grant_type", &grant);
    if (span_eq_str(buf_view(&grant), "refresh_token"))
        serve_refresh(m, r);
    else if (span_eq_str(buf_view(&grant), JWT_BEARER))
        serve_assertion(m, r);
    else
        rpc_oauth_fail(r, 400, "unsupported_grant_type", "Invalid grant_type: %.*s",
                       grant.n > 100 ? 100 : (int)grant.n, grant.p ? grant.p : "");
}
