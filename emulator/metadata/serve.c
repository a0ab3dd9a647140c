/* From a request to its answer: who may ask at all, who asks, what for. */
#include "base/log.h"
#include "metadata/answer.h"
#include "metadata/ask.h"
#include "metadata/hosts.h"
#include "metadata/room.h"

enum { BODY_MAX = 64 * 1024 };

#define NO_WAITING                                                                                 \
    "Invalid Request: wait_for_change needs a value, or a directory with recursive=true"

static void bad_request(http_request *r, const char *sentence)
{
    answer_text(r, 400, "text/html; charset=UTF-8", span_of(sentence), true);
}

/* ---- tokens ---- */

static void backend_failed(http_request *r, const account *a, const char *why)
{
    log_at(LOG_ERROR, "cannot mint a token", LOG_S("account", a->email), LOG_S("detail", why));
    answer_backend_failed(r);
}

static void serve_identity(metadata *m, http_request *r, const caller *c)
{
    const span query = http_query(r);
    http_answer *known = identity_recall(m->identity, c->account, query);
    meters_identity_asked(m->meters, known != NULL);
    if (known) {
        http_respond_with(r, known);
        return;
    }
    if (ask_flag_on(query, "wait_for_change")) {
        bad_request(r, NO_WAITING);
        return;
    }
    auto_buf buf audience = buf_make(AUDIENCE_MAX);
    audience_fault fault = identity_audience(query, &audience);
    if (fault != AUDIENCE_FINE) {
        answer_text(r, 400, "text/html", span_of(audience_fault_text(fault)), true);
        return;
    }
    if (c->account->disabled) {
        backend_failed(r, c->account, "the account is disabled in the topology");
        return;
    }
    error e = {0};
    http_answer *fresh =
        identity_mint(m->identity, c->account, snapshot_emulation(m->snapshot)->token_lifetime_s,
                      buf_view(&audience), query, &e);
    if (!fresh) {
        backend_failed(r, c->account, e.text);
        return;
    }
    meters_minted(m->meters, MINTED_IDENTITY, c->account->email);
    log_at(LOG_INFO, "identity token", LOG_S("account", c->account->email),
           LOG_V("audience", buf_view(&audience)),
           LOG_S("service", c->service ? c->service->name : "-"));
    http_respond_with(r, fresh);
}

/* What is wrong with a request for an access token, or NULL and its scope set. */
static const char *token_fault(const http_request *r, ask *a, buf *scopes)
{
    const span query = http_query(r);
    const char *fault = ask_parse(query, a);
    if (fault)
        return fault;
    if (a->wait_for_change)
        return NO_WAITING;
    if (ask_flag_off(query, "enforce_scopes"))
        return "Invalid Request: enforce_scopes cannot be switched off";
    auto_buf buf wanted = buf_make(ACCESS_SCOPES_TEXT_MAX);
    (void)http_query_get(r, "scopes", true, &wanted);
    if (!buf_ok(&wanted) || !access_scopes(buf_view(&wanted), ',', scopes))
        return "Invalid Request: too many scopes";
    return NULL;
}

static void serve_token(metadata *m, http_request *r, const caller *c)
{
    ask a;
    auto_buf buf scopes = buf_make(ACCESS_SCOPES_TEXT_MAX);
    const char *fault = token_fault(r, &a, &scopes);
    if (fault) {
        bad_request(r, fault);
        return;
    }
    if (c->account->disabled) {
        backend_failed(r, c->account, "the account is disabled in the topology");
        return;
    }
    const int64_t now = clock_now_s(m->clock);
    const access_token *t =
        access_get(m->access, c->account->email, c->account->unique_id, buf_view(&scopes),
                   snapshot_emulation(m->snapshot)->token_lifetime_s, now);
    auto_buf buf body = buf_make(BODY_MAX);
    if (a.alt == ALT_TEXT)
        access_text(t, now, &body);
    else
        access_json(t, now, &body);
    answer_value(r, a.alt == ALT_TEXT ? "application/text" : "application/json", NULL,
                 buf_view(&body));
}

/* ---- values and directories ---- */

static const char *write_node(const tree_view *v, const tree_node *n, const ask *a, buf *out)
{
    const bool directory = tree_node_kind(n) == TREE_DIRECTORY;
    if (directory && a->recursive && a->alt == ALT_TEXT)
        tree_write_flat(v, n, out);
    else if (directory ? a->recursive : a->alt == ALT_JSON)
        tree_write_json(v, n, out);
    else {
        tree_write_text(v, n, out);
        return tree_content_type(n);
    }
    return directory && a->alt == ALT_TEXT ? "application/text" : "application/json";
}

static const char *value_fault(const http_request *r, const tree_node *n, ask *a)
{
    const char *fault = ask_parse(http_query(r), a);
    if (fault)
        return fault;
    const bool listing = tree_node_kind(n) == TREE_DIRECTORY && !a->recursive;
    return a->wait_for_change && listing ? NO_WAITING : NULL;
}

/* held: the etag that a waiting client has (NULL: it does not wait yet or any longer). false: it
 * goes on waiting. */
static bool serve_value(metadata *m, http_request *r, tree_view *v, const caller *c,
                        const tree_node *n, const char *held, bool may_wait)
{
    ask a;
    const char *fault = value_fault(r, n, &a);
    if (fault) {
        bad_request(r, fault);
        return true;
    }
    char id[INSTANCE_ID_TEXT];
    who_instance_id(m, c, id);
    tree_view view = *v;
    view.instance_id = span_of(id);
    auto_buf buf body = buf_make(BODY_MAX);
    const char *type = write_node(&view, n, &a, &body);
    char etag[ETAG_TEXT];
    etag_of(buf_view(&body), etag);
    if (held && strcmp(held, etag) == 0)
        return false;
    if (may_wait && a.wait_for_change && (!a.has_last_etag || span_eq_str(a.last_etag, etag))) {
        waiters_add_change(m, r, etag, a.timeout_us);
        return false;
    }
    answer_value(r, type, etag, buf_view(&body));
    return true;
}

static bool serve_tree(metadata *m, http_request *r, const caller *c, const char *held,
                       bool may_wait)
{
    const project *p = snapshot_project(m->snapshot);
    tree_view v = {.project_id = span_of(p->id),
                   .project_number = span_of(p->number),
                   .region = span_of(p->region),
                   .account = span_of(c->account->email)};
    const tree_node *n = NULL;
    switch (tree_find(&v, http_path(r), &n)) {
    case TREE_NONE:
        answer_not_found(r);
        return true;
    case TREE_NEEDS_SLASH:
        answer_add_slash(r);
        return true;
    case TREE_FOUND:
        break;
    }
    switch (tree_node_kind(n)) {
    case TREE_IDENTITY:
        serve_identity(m, r, c);
        return true;
    case TREE_TOKEN:
        serve_token(m, r, c);
        return true;
    case TREE_DIRECTORY:
    case TREE_TEXT:
    case TREE_NUMBER:
    case TREE_LIST:
        break;
    }
    return serve_value(m, r, &v, c, n, held, may_wait);
}

/* ---- who may ask ---- */

static bool flavoured(const http_request *r)
{
    return span_eq_str(http_header(r, "Metadata-Flavor"), "Google");
}

static bool refused(http_request *r, bool root)
{
    const span method = http_method(r);
    if (http_has_header(r, "X-Forwarded-For")) {
        answer_text(r, 403, "text/html; charset=UTF-8", SPAN_LIT("Forbidden"), flavoured(r));
        return true;
    }
    if (!root && !flavoured(r)) {
        answer_forbidden_page(r, "Missing Metadata-Flavor:Google header.", false);
        return true;
    }
    if (!span_eq_str(method, "GET") && !span_eq_str(method, "HEAD") &&
        !span_eq_str(method, "POST")) {
        answer_bad_method(r);
        return true;
    }
    return false;
}

static void refuse_host(http_request *r)
{
    auto_buf buf text = buf_make(4096);
    buf_str(&text, "Forbidden: this metadata server is not called ");
    buf_json(&text, http_host(r));
    buf_str(&text, ". Use metadata.google.internal or an IP address, or name it with --hosts.\n");
    answer_text(r, 403, "text/plain; charset=utf-8", buf_view(&text), false);
}

void serve_request(void *ctx, http_request *r)
{
    metadata *m = ctx;
    const bool root = span_eq_str(http_path(r), "/");
    if (!host_allowed(http_host(r), m->options.hosts)) {
        refuse_host(r);
        return;
    }
    if (meters_serve(m, r) || documents_serve(m, r) || apis_serve(m, r) || refused(r, root))
        return;
    /* A probe: never waits for a look-up of the caller. Without the flavour it says no more than
     * that, whatever the query asks for: the whole tree hangs below the root. */
    if (root && (http_query(r).n == 0 || !flavoured(r))) {
        char etag[ETAG_TEXT];
        const span body = SPAN_LIT("computeMetadata/\n");
        etag_of(body, etag);
        answer_value(r, "application/text", etag, body);
        return;
    }
    caller c;
    if (who_calls(m, r, &c) == CALLER_UNSURE)
        waiters_add_caller(m, r);
    else
        (void)serve_tree(m, r, &c, NULL, true);
}

bool serve_again(metadata *m, http_request *r, const char *etag)
{
    caller c;
    if (who_calls(m, r, &c) == CALLER_UNSURE) {
        if (etag)
            return false;
        answer_try_again(r);
        return true;
    }
    return serve_tree(m, r, &c, etag, false);
}
