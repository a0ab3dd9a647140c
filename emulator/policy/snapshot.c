/* Reading a snapshot: counting its holders, and every look-up that is not about hosts, audiences or
 * URLs. */
#include "policy/snapshot.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "policy/snapshot_internal.h"

snapshot *snapshot_ref(snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void snapshot_unref(snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    grants_free(s->grants);
    strmap_free(s->services_by_name);
    strmap_free(s->accounts_by_key);
    strmap_free(s->users_by_id);
    strmap_free(s->hosts);
    strmap_free(s->audiences);
    textpool_free(s->pool);
    free(s);
}

const project *snapshot_project(const snapshot *s)
{
    return &s->project;
}

const emulation *snapshot_emulation(const snapshot *s)
{
    return &s->emulation;
}

size_t snapshot_service_count(const snapshot *s)
{
    return s->service_count;
}

const service *snapshot_service(const snapshot *s, size_t i)
{
    assert(i < s->service_count);
    return &s->services[i];
}

const service *snapshot_find_service(const snapshot *s, span name)
{
    return strmap_get(s->services_by_name, name);
}

size_t snapshot_account_count(const snapshot *s)
{
    return s->account_count;
}

const account *snapshot_account(const snapshot *s, size_t i)
{
    assert(i < s->account_count);
    return &s->accounts[i];
}

size_t snapshot_user_count(const snapshot *s)
{
    return s->user_count;
}

const char *snapshot_user(const snapshot *s, size_t i)
{
    assert(i < s->user_count);
    return s->users[i];
}

size_t snapshot_binding_count(const snapshot *s)
{
    return s->binding_count;
}

const binding *snapshot_binding(const snapshot *s, size_t i)
{
    assert(i < s->binding_count);
    return &s->bindings[i];
}

bool key_lower(span text, char out[KEY_TEXT_MAX], span *out_key)
{
    if (text.n > KEY_TEXT_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        out[i] = text.p[i];
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] + ('a' - 'A'));
    }
    *out_key = (span){out, text.n};
    return true;
}

const account *snapshot_find_account(const snapshot *s, span email_or_unique_id)
{
    char lower[KEY_TEXT_MAX];
    span key;
    if (!key_lower(email_or_unique_id, lower, &key))
        return NULL;
    return strmap_get(s->accounts_by_key, key);
}

/* Projects of an organisation are called "example.com:my-project"; their accounts live under
 * my-project.example.com. */
static void account_domain(buf *b, const char *project_id)
{
    span rest = span_of(project_id), domain;
    if (span_cut(&rest, ':', &domain)) {
        buf_span(b, rest);
        buf_char(b, '.');
    }
    buf_span(b, domain);
    buf_str(b, ".iam.gserviceaccount.com");
}

const account *snapshot_resolve_account(const snapshot *s, span name_or_email)
{
    if (span_find(name_or_email, '@') < name_or_email.n)
        return snapshot_find_account(s, name_or_email);
    auto_buf buf b = buf_make(KEY_TEXT_MAX);
    buf_span(&b, name_or_email);
    buf_char(&b, '@');
    account_domain(&b, s->project.id);
    return buf_ok(&b) ? snapshot_find_account(s, buf_view(&b)) : NULL;
}

bool snapshot_principal(const snapshot *s, const char *email, const char *sub, principal *out)
{
    if (email && *email) {
        const span e = span_of(email);
        *out = (principal){member_kind_of_email(e), e};
        return true;
    }
    /* An e-mail in `sub` is no numeric id, so it names nobody. */
    if (!sub || !*sub || strchr(sub, '@'))
        return false;
    const account *a = snapshot_find_account(s, span_of(sub));
    if (a) {
        *out = (principal){MEMBER_SERVICE_ACCOUNT, span_of(a->email)};
        return true;
    }
    const char *const *user = strmap_get(s->users_by_id, span_of(sub));
    if (user)
        *out = (principal){MEMBER_USER, span_of(*user)};
    return user != NULL;
}

const binding *snapshot_grant(const snapshot *s, const service *svc, const principal *p,
                              int64_t now_us)
{
    const grants_ids ids = grants_resolve(s->grants, p);
    const binding *own = grants_find(s->grants, &ids, svc->index, now_us);
    if (own && own->effective_us <= now_us)
        return own;
    const binding *inherited = grants_find(s->grants, &ids, GRANTS_PROJECT, now_us);
    if (!own || !inherited)
        return own ? own : inherited;
    return inherited->effective_us < own->effective_us ? inherited : own;
}

const binding *snapshot_near_grant(const snapshot *s, const service *svc, const principal *p)
{
    grants_ids ids = grants_resolve(s->grants, p);
    ids.id[2] = ids.id[3] = 0; /* what everybody holds elsewhere says nothing of this caller */
    const binding *elsewhere = NULL;
    for (size_t i = 0; i < s->binding_count; i++) {
        const binding *b = &s->bindings[i];
        const bool here = b->project_level || b->service == svc->index;
        if (here == b->invokes || !grants_names(s->grants, &ids, i))
            continue;
        if (here)
            return b;
        if (!elsewhere)
            elsewhere = b;
    }
    return elsewhere;
}
