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
    for (size_t i = 0; i < s->condition_count; i++)
        condition_free(s->conditions[i]);
    free(s->conditions);
    strmap_free(s->services_by_name);
    strmap_free(s->accounts_by_key);
    strmap_free(s->users_by_id);
    strmap_free(s->roles_by_name);
    strmap_free(s->images_by_name);
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

size_t snapshot_revoked_count(const snapshot *s)
{
    return s->revoked_count;
}

const binding *snapshot_revoked(const snapshot *s, size_t i)
{
    return &s->bindings[s->binding_count + i];
}

const binding *snapshot_binding(const snapshot *s, size_t i)
{
    assert(i < s->binding_count);
    return &s->bindings[i];
}

size_t snapshot_group_edge_count(const snapshot *s)
{
    return s->edge_count;
}

void snapshot_group_edge(const snapshot *s, size_t i, const char **group_email,
                         const char **member_text)
{
    assert(i < s->edge_count);
    *group_email = s->edges[i].group + strlen("group:");
    *member_text = s->edges[i].member;
}

size_t snapshot_role_count(const snapshot *s)
{
    return s->role_count;
}

const custom_role *snapshot_role(const snapshot *s, size_t i)
{
    assert(i < s->role_count);
    return &s->roles[i];
}

const custom_role *snapshot_find_role(const snapshot *s, span name)
{
    return strmap_get(s->roles_by_name, name);
}

size_t snapshot_deny_count(const snapshot *s)
{
    return s->deny_count;
}

const deny_rule *snapshot_deny(const snapshot *s, size_t i)
{
    assert(i < s->deny_count);
    return &s->denies[i];
}

size_t snapshot_image_count(const snapshot *s)
{
    return s->image_count;
}

const char *snapshot_image_at(const snapshot *s, size_t i, const char *const **command)
{
    assert(i < s->image_count);
    *command = s->images[i].command;
    return s->images[i].image;
}

/* Without "@sha256:…", else without ":TAG"; the text itself when it has neither. A colon before the
 * last slash is a port's. */
static span shorter_image(span image)
{
    const size_t at = span_find(image, '@');
    if (at < image.n)
        return (span){image.p, at};
    size_t end = image.n;
    while (end && image.p[end - 1] != ':' && image.p[end - 1] != '/')
        end--;
    return end && image.p[end - 1] == ':' ? (span){image.p, end - 1} : image;
}

const char *const *snapshot_image(const snapshot *s, span image)
{
    for (;;) {
        const image_command *found = strmap_get(s->images_by_name, image);
        const span shorter = shorter_image(image);
        if (found || shorter.n == image.n)
            return found ? found->command : NULL;
        image = shorter;
    }
}

void place_put(buf *b, place p, bool with_column)
{
    if (!p.file)
        return;
    buf_str(b, p.file);
    if (p.line && with_column)
        buf_fmt(b, ":%u:%u", p.line, p.column);
    else if (p.line)
        buf_fmt(b, ":%u", p.line);
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

const account *snapshot_resolve_account(const snapshot *s, span name_or_email)
{
    if (span_find(name_or_email, '@') < name_or_email.n)
        return snapshot_find_account(s, name_or_email);
    auto_buf buf b = buf_make(KEY_TEXT_MAX);
    buf_span(&b, name_or_email);
    buf_char(&b, '@');
    buf_str(&b, s->account_domain);
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
