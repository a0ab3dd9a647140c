/* From the gathered parts to the immutable, indexed snapshot. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/unique_id.h"
#include "policy/role.h"
#include "policy/run_url.h"
#include "policy/snapshot_builder.h"

enum { TEXT_MAX = 1024 };

static const char *joined(textpool *m, const char *a, const char *b)
{
    auto_buf buf text = buf_make(TEXT_MAX);
    buf_str(&text, a);
    buf_str(&text, b);
    return textpool_span(m, buf_view(&text));
}

static const char *id_of(textpool *m, const char *email)
{
    char id[UNIQUE_ID_TEXT];
    account_unique_id(span_of(email), id);
    return textpool_span(m, span_of(id));
}

/* ---- accounts ---- */

static void index_account(snapshot *s, account *a)
{
    char text[KEY_TEXT_MAX];
    span key;
    if (key_lower(span_of(a->email), text, &key))
        strmap_put(s->accounts_by_key, key, a);
    strmap_put(s->accounts_by_key, span_of(a->unique_id), a);
}

/* In the order given, the default compute account last. */
static void build_accounts(snapshot *s, const snapshot_builder *b)
{
    account last = {.email = s->project.default_account,
                    .display_name = "Default compute service account"};
    s->accounts = textpool_alloc(s->pool, (b->accounts.count + 1) * sizeof *s->accounts);
    for (size_t i = 0; i < b->accounts.count; i++) {
        const account *a = &b->accounts.items[i];
        if (span_ieq_str(span_of(a->email), last.email))
            last = *a;
        else
            s->accounts[s->account_count++] = *a;
    }
    s->accounts[s->account_count++] = last;
    for (size_t i = 0; i < s->account_count; i++) {
        s->accounts[i].unique_id = id_of(s->pool, s->accounts[i].email);
        index_account(s, &s->accounts[i]);
    }
}

/* ---- users ---- */

static void add_user(snapshot *s, span email)
{
    if (email.n == 0 || member_kind_of_email(email) != MEMBER_USER)
        return;
    const char *copy = textpool_span(s->pool, email);
    s->users[s->user_count] = copy;
    if (strmap_put(s->users_by_id, span_of(id_of(s->pool, copy)), &s->users[s->user_count]))
        s->user_count++;
}

static void add_user_member(snapshot *s, const char *text)
{
    member m;
    if (member_parse(span_of(text), &m, NULL) && m.kind == MEMBER_USER)
        add_user(s, m.id);
}

static void build_users(snapshot *s, const snapshot_builder *b)
{
    const size_t most = b->users.count + b->groups.count + b->bindings.count;
    s->users = textpool_alloc(s->pool, most * sizeof *s->users);
    for (size_t i = 0; i < b->users.count; i++)
        add_user(s, span_of(b->users.items[i]));
    for (size_t i = 0; i < b->groups.count; i++)
        add_user_member(s, b->groups.items[i].member);
    for (size_t i = 0; i < b->bindings.count; i++)
        add_user_member(s, b->bindings.items[i].value.member);
}

/* ---- services ---- */

/* Where nothing is said: the listener, a wildcard one being reached at the loopback address. */
static const char *default_url(snapshot *s, const service *v)
{
    if (!v->listen)
        return joined(s->pool, joined(s->pool, "http://", v->name), ".localhost");
    span host, port;
    authority_split(span_of(v->listen), &host, &port);
    if (span_eq_str(host, "0.0.0.0"))
        return joined(s->pool, "http://127.0.0.1", port.p);
    if (span_eq_str(host, "[::]"))
        return joined(s->pool, "http://[::1]", port.p);
    return joined(s->pool, "http://", v->listen);
}

static void build_service(snapshot *s, const service_draft_policy *d, size_t index)
{
    service *v = &s->services[index];
    *v = d->value;
    v->index = (uint32_t)index;
    const char *email = d->account_email ? d->account_email : s->project.default_account;
    v->account = snapshot_find_account(s, span_of(email));
    if (!v->account)
        v->account = &s->accounts[s->account_count - 1];
    v->account_is_default = v->account == &s->accounts[s->account_count - 1];
    if (!v->url)
        v->url = default_url(s, v);
    v->deterministic_url = run_url_deterministic(s->pool, &s->project, v->name);
    v->hash_url = run_url_hash(s->pool, &s->project, v->name);
    v->revision = run_revision(s->pool, v->name);
    v->open_from_us = INT64_MAX;
    strmap_put(s->services_by_name, span_of(v->name), v);
}

static void build_services(snapshot *s, const snapshot_builder *b)
{
    s->service_count = b->services.count;
    s->services = textpool_alloc(s->pool, s->service_count * sizeof *s->services);
    s->urls = textpool_alloc(s->pool, s->service_count * sizeof *s->urls);
    for (size_t i = 0; i < s->service_count; i++)
        build_service(s, &b->services.items[i], i);
}

/* ---- bindings ---- */

/* A binding of a service that is not there binds nothing. */
static void build_bindings(snapshot *s, const snapshot_builder *b)
{
    s->bindings = textpool_alloc(s->pool, b->bindings.count * sizeof *s->bindings);
    for (size_t i = 0; i < b->bindings.count; i++) {
        const binding_draft *d = &b->bindings.items[i];
        binding v = d->value;
        if (d->service) {
            const service *svc = snapshot_find_service(s, span_of(d->service));
            if (!svc)
                continue;
            v.service = svc->index;
        }
        v.invokes = role_can_invoke(span_of(v.role)) == ROLE_WITH_INVOKE;
        s->bindings[s->binding_count++] = v;
    }
}

static void open_public_services(snapshot *s)
{
    for (size_t i = 0; i < s->service_count; i++) {
        service *v = &s->services[i];
        /* At the beginning of time none is in effect yet, so this yields the first one to be. */
        const binding *all = snapshot_grant(s, v, NULL, INT64_MIN);
        if (all)
            v->open_from_us = all->effective_us;
    }
}

static snapshot *start(const snapshot_builder *b)
{
    snapshot *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    atomic_init(&s->refs, 1);
    s->pool = b->pool;
    s->project = b->project;
    s->emulation = b->emulation;
    if (!s->project.default_account)
        s->project.default_account =
            joined(s->pool, s->project.number, "-compute@developer.gserviceaccount.com");
    s->services_by_name = strmap_new();
    s->accounts_by_key = strmap_new();
    s->users_by_id = strmap_new();
    s->hosts = strmap_new();
    s->audiences = strmap_new();
    return s;
}

snapshot *snapshot_build(snapshot_builder *b, const snapshot *before, int64_t now_us)
{
    snapshot *s = start(b);
    build_accounts(s, b);
    build_users(s, b);
    build_services(s, b);
    build_bindings(s, b);
    snapshot_propagate(s, before, now_us);
    s->grants = grants_build(s->pool, &s->project, s->bindings, s->binding_count, b->groups.items,
                             b->groups.count);
    open_public_services(s);
    snapshot_index_audiences(s);
    snapshot_index_hosts(s);
    textpool_seal(s->pool);
    b->pool = NULL; /* the snapshot's now */
    snapshot_builder_free(b);
    return s;
}
