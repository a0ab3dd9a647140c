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

/* Projects of an organisation are called "example.com:my-project"; their accounts live under
 * my-project.example.com. */
static const char *account_domain(textpool *m, const char *project_id)
{
    span rest = span_of(project_id), domain;
    auto_buf buf text = buf_make(TEXT_MAX);
    if (span_cut(&rest, ':', &domain)) {
        buf_span(&text, rest);
        buf_char(&text, '.');
    }
    buf_span(&text, domain);
    buf_str(&text, ".iam.gserviceaccount.com");
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
                    .display_name = "Default compute service account",
                    .description = ""};
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
        if (!s->accounts[i].unique_id)
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
    const size_t bindings = s->binding_count + s->revoked_count;
    const size_t most = b->users.count + b->groups.count + bindings;
    s->users = textpool_alloc(s->pool, most * sizeof *s->users);
    for (size_t i = 0; i < b->users.count; i++)
        add_user(s, span_of(b->users.items[i]));
    for (size_t i = 0; i < b->groups.count; i++)
        add_user_member(s, b->groups.items[i].member);
    for (size_t i = 0; i < bindings; i++)
        add_user_member(s, s->bindings[i].member);
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

static const char *resource_name(const snapshot *s, const char *name)
{
    auto_buf buf text = buf_make(TEXT_MAX);
    buf_fmt(&text, "projects/%s/locations/%s/services/%s", s->project.id, s->project.region, name);
    return textpool_span(s->pool, buf_view(&text));
}

/* An account that is gone: the service keeps it, not listed and disabled, rather than to run as
 * another one. */
static const account *gone_account(snapshot *s, const char *email)
{
    account *a = textpool_alloc(s->pool, sizeof *a);
    *a = (account){.email = textpool_span(s->pool, span_of(email)),
                   .unique_id = id_of(s->pool, email),
                   .display_name = "",
                   .description = "",
                   .disabled = true};
    return a;
}

static void build_service(snapshot *s, const service_draft_policy *d, size_t index)
{
    service *v = &s->services[index];
    *v = d->value;
    v->index = (uint32_t)index;
    const char *email = d->account_email ? d->account_email : s->project.default_account;
    v->account = snapshot_find_account(s, span_of(email));
    if (!v->account)
        v->account = gone_account(s, email);
    v->account_is_default = v->account == &s->accounts[s->account_count - 1];
    if (!v->url)
        v->url = default_url(s, v);
    v->deterministic_url = run_url_deterministic(s->pool, &s->project, v->name);
    v->hash_url = run_url_hash(s->pool, &s->project, v->name);
    v->resource_name = resource_name(s, v->name);
    if (!v->revision)
        v->revision = run_revision(s->pool, v->name);
    v->open = OPEN_NEVER;
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

/* ---- what is kept as it was given ---- */

static void *kept(textpool *m, const void *items, size_t count, size_t size)
{
    void *copy = textpool_alloc(m, count * size);
    if (count)
        memcpy(copy, items, count * size);
    return copy;
}

static void keep_lists(snapshot *s, const snapshot_builder *b)
{
    s->edge_count = b->groups.count;
    s->edges = kept(s->pool, b->groups.items, s->edge_count, sizeof *s->edges);
    s->role_count = b->roles.count;
    s->roles = kept(s->pool, b->roles.items, s->role_count, sizeof *s->roles);
    s->deny_count = b->denies.count;
    s->denies = kept(s->pool, b->denies.items, s->deny_count, sizeof *s->denies);
    s->image_count = b->images.count;
    s->images = kept(s->pool, b->images.items, s->image_count, sizeof *s->images);
    for (size_t i = 0; i < s->role_count; i++)
        strmap_put(s->roles_by_name, span_of(s->roles[i].name), &s->roles[i]);
    for (size_t i = 0; i < s->image_count; i++)
        strmap_put(s->images_by_name, span_of(s->images[i].image), &s->images[i]);
}

/* ---- all together ---- */

static void index_grants(snapshot *s)
{
    grants_input in = {.project = &s->project,
                       .bindings = s->bindings,
                       .binding_count = s->binding_count + s->revoked_count,
                       .edges = s->edges,
                       .edge_count = s->edge_count};
    in.more = deny_members(s, &in.more_count);
    s->grants = grants_build(s->pool, &in);
}

/* When everybody is denied, a token has to say who is excepted. */
static void open_public_services(snapshot *s)
{
    if (snapshot_denied(s, NULL, PERMISSION_INVOKE))
        return;
    const open_state all = grants_open(s->grants, GRANTS_PROJECT);
    for (size_t i = 0; i < s->service_count; i++) {
        const open_state own = grants_open(s->grants, s->services[i].index);
        s->services[i].open = own > all ? own : all;
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
    s->account_domain = account_domain(s->pool, s->project.id);
    s->emulation = b->emulation;
    if (!s->project.default_account)
        s->project.default_account =
            joined(s->pool, s->project.number, "-compute@developer.gserviceaccount.com");
    s->services_by_name = strmap_new();
    s->accounts_by_key = strmap_new();
    s->users_by_id = strmap_new();
    s->roles_by_name = strmap_new();
    s->conditions_by_text = strmap_new();
    s->images_by_name = strmap_new();
    s->hosts = strmap_new();
    s->audiences = strmap_new();
    return s;
}

snapshot *snapshot_build(snapshot_builder *b, const snapshot *before, int64_t now_us)
{
    snapshot *s = start(b);
    build_accounts(s, b);
    build_services(s, b);
    keep_lists(s, b);
    snapshot_build_bindings(s, b, before ? before->binding_count + before->revoked_count : 0);
    snapshot_propagate(s, before, now_us);
    build_users(s, b);
    index_grants(s);
    denies_build(s);
    open_public_services(s);
    snapshot_index_audiences(s);
    snapshot_index_hosts(s);
    strmap_free(s->conditions_by_text);
    s->conditions_by_text = NULL;
    textpool_seal(s->pool);
    b->pool = NULL; /* the snapshot's now */
    snapshot_builder_free(b);
    return s;
}
