/* Gathering: every string is copied, nothing is resolved yet. */
#include "policy/snapshot_builder.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/buf.h"

enum { LIFETIME_S = 3600, SKEW_S = 60, MEMBER_TEXT_MAX = 4096 };

/* The address of one more item at the end of a list of drafts. */
#define NEW_DRAFT(list)                                                                            \
    ((list).items = array_room((list).items, (list).count, &(list).cap, sizeof *(list).items),     \
     &(list).items[(list).count++])

snapshot_builder *snapshot_builder_new(void)
{
    snapshot_builder *b = calloc(1, sizeof *b);
    if (!b)
        abort();
    b->pool = textpool_new();
    b->project = (project){.id = "", .number = "", .region = ""};
    b->emulation = (emulation){.token_lifetime_s = LIFETIME_S, .clock_skew_s = SKEW_S};
    return b;
}

void snapshot_builder_free(snapshot_builder *b)
{
    if (!b)
        return;
    textpool_free(b->pool);
    free(b->accounts.items);
    free(b->services.items);
    free(b->bindings.items);
    free(b->groups.items);
    free(b->users.items);
    free(b->roles.items);
    free(b->denies.items);
    free(b->images.items);
    free(b);
}

void snapshot_builder_project(snapshot_builder *b, const project *p)
{
    textpool *m = b->pool;
    b->project = (project){
        .id = textpool_span(m, span_of(p->id)),
        .number = textpool_span(m, span_of(p->number)),
        .region = textpool_span(m, span_of(p->region)),
        .default_account = textpool_text(m, p->default_account),
        .keys_dir = textpool_text(m, p->keys_dir),
        .ingress_listen = textpool_text(m, p->ingress_listen),
        .metadata_listen = textpool_text(m, p->metadata_listen),
        .control_listen = textpool_text(m, p->control_listen),
        .egress_allow = p->egress_allow,
        .file = textpool_text(m, p->file),
    };
}

void snapshot_builder_emulation(snapshot_builder *b, const emulation *e)
{
    textpool *m = b->pool;
    delay_rule *rules = textpool_alloc(m, e->propagation_rule_count * sizeof *rules);
    for (size_t i = 0; i < e->propagation_rule_count; i++) {
        const delay_rule *r = &e->propagation_rules[i];
        rules[i] = (delay_rule){textpool_text(m, r->service), textpool_text(m, r->account),
                                textpool_text(m, r->role), textpool_text(m, r->member), r->delay};
    }
    b->emulation = *e;
    b->emulation.propagation_rules = rules;
}

void snapshot_builder_account(snapshot_builder *b, const account *a)
{
    account *copy = NEW_DRAFT(b->accounts);
    *copy = (account){
        .email = textpool_span(b->pool, span_of(a->email)),
        .unique_id = textpool_text(b->pool, a->unique_id),
        .display_name = textpool_span(b->pool, span_of(a->display_name)),
        .description = textpool_span(b->pool, span_of(a->description)),
        .disabled = a->disabled,
    };
}

static const env_var *copy_env(textpool *m, const env_var *env, size_t count)
{
    env_var *copy = textpool_alloc(m, count * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (env_var){textpool_text(m, env[i].name), textpool_text(m, env[i].value)};
    return copy;
}

void snapshot_builder_service(snapshot_builder *b, const service *s, const char *account_email)
{
    textpool *m = b->pool;
    service_draft_policy *d = NEW_DRAFT(b->services);
    d->value = *s;
    d->account_email = textpool_text(m, account_email);
    service *v = &d->value;
    v->name = textpool_span(m, span_of(s->name));
    v->account = NULL;
    v->listen = textpool_text(m, s->listen);
    v->metadata = textpool_text(m, s->metadata);
    v->upstream = textpool_text(m, s->upstream);
    v->url = textpool_text(m, s->url);
    v->revision = textpool_text(m, s->revision);
    v->image = textpool_text(m, s->image);
    v->command = s->command ? textpool_list(m, s->command) : NULL;
    v->env = copy_env(m, s->env, s->env_count);
    v->custom_audiences = textpool_list(m, s->custom_audiences);
    v->hosts = textpool_list(m, s->hosts);
    v->addresses = textpool_list(m, s->addresses);
    v->place.file = textpool_text(m, s->place.file);
}

void snapshot_builder_group(snapshot_builder *b, const char *group_email, const char *member_text)
{
    auto_buf buf group = buf_make(MEMBER_TEXT_MAX);
    buf_fmt(&group, "group:%s", group_email);
    group_edge *edge = NEW_DRAFT(b->groups);
    *edge = (group_edge){
        .member = textpool_span(b->pool, span_of(member_text)),
        .group = textpool_span(b->pool, buf_view(&group)),
    };
}

void snapshot_builder_user(snapshot_builder *b, const char *email)
{
    const char **user = NEW_DRAFT(b->users);
    *user = textpool_span(b->pool, span_of(email));
}

static place copy_place(textpool *m, place where)
{
    return (place){textpool_text(m, where.file), where.line, where.column};
}

static const condition_text *copy_condition(textpool *m, const condition_text *c)
{
    if (!c)
        return NULL;
    condition_text *copy = textpool_alloc(m, sizeof *copy);
    *copy = (condition_text){textpool_text(m, c->title), textpool_text(m, c->description),
                             textpool_text(m, c->expression)};
    return copy;
}

void snapshot_builder_grant(snapshot_builder *b, const grant_spec *g)
{
    textpool *m = b->pool;
    grant_spec *d = NEW_DRAFT(b->bindings);
    *d = (grant_spec){
        .service = textpool_text(m, g->service),
        .account = textpool_text(m, g->account),
        .role = textpool_span(m, span_of(g->role)),
        .member = textpool_span(m, span_of(g->member)),
        .condition = copy_condition(m, g->condition),
        .place = copy_place(m, g->place),
    };
}

void snapshot_builder_role(snapshot_builder *b, const char *name, const char *const *permissions)
{
    custom_role *r = NEW_DRAFT(b->roles);
    *r = (custom_role){textpool_span(b->pool, span_of(name)), textpool_list(b->pool, permissions)};
}

void snapshot_builder_deny(snapshot_builder *b, const deny_rule *r)
{
    textpool *m = b->pool;
    deny_rule *d = NEW_DRAFT(b->denies);
    *d = (deny_rule){
        .policy = textpool_text(m, r->policy),
        .principals = textpool_list(m, r->principals),
        .exception_principals = textpool_list(m, r->exception_principals),
        .permissions = textpool_list(m, r->permissions),
        .exception_permissions = textpool_list(m, r->exception_permissions),
        .place = copy_place(m, r->place),
    };
}

void snapshot_builder_image(snapshot_builder *b, const char *image, const char *const *command)
{
    image_command *i = NEW_DRAFT(b->images);
    *i = (image_command){textpool_span(b->pool, span_of(image)), textpool_list(b->pool, command)};
}
