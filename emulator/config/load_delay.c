/* emulation.propagation_delay: how long changes of policies take. A duration, a range, or rules for
 * certain bindings. */
#include "config/load.h"
#include "config/values.h"

enum { DELAY_MAX_S = 86400, RULES_MAX = 1000 };

static const int64_t SECOND_US = 1000000;

typedef struct delay_draft {
    const node *both, *least, *most; /* delay: or min: and max: */
    const node *service, *account, *role, *member;
    const node *rules;
    delay value;
} delay_draft;

static void read_mode(loader *l, const node_pair *entry, void *into)
{
    static const char *const words[] = {"monotonic", "flapping", NULL};
    size_t which;
    if (read_word(l, entry, words, "monotonic or flapping", &which))
        *(bool *)into = which == 1;
}

static void read_seed(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "a whole number";
    span text;
    (void)into;
    if (read_scalar(l, "seed", entry->value, wanted, &text) &&
        !span_u64(text, UINT64_MAX, &l->emulation.propagation_seed))
        expected(l, "seed", entry->value, wanted);
}

static bool seconds(loader *l, const node *n, const char *key_text, int64_t *out_s)
{
    const node key = {.kind = NODE_SCALAR, .text = span_of(key_text)};
    int64_t us;
    if (!read_duration(l, &(node_pair){&key, n}, 0, DELAY_MAX_S * SECOND_US, SECOND_US, &us))
        return false;
    *out_s = us / SECOND_US;
    return true;
}

/* The times of one level: the whole one's, or a rule's. */
static void settle_times(loader *l, const node *map, delay_draft *d)
{
    delay *v = &d->value;
    if (d->both && (d->least || d->most)) {
        diag_at(l->diags, d->both->at, "write either 'delay' or 'min' and 'max'");
    } else if (d->both) {
        if (seconds(l, d->both, "delay", &v->min_s))
            v->max_s = v->min_s;
    } else if (!d->least != !d->most) {
        const node *given = d->least ? d->least : d->most;
        diag_at(l->diags, given->at, "'%s' is missing beside this", d->least ? "max" : "min");
    } else if (d->least && seconds(l, d->least, "min", &v->min_s) &&
               seconds(l, d->most, "max", &v->max_s) && v->max_s < v->min_s) {
        diag_at(l->diags, d->most->at, "max: %s is less than min", found_text(l, d->most));
    } else if (!d->least && !d->rules) {
        diag_at(l->diags, map->at, "a propagation delay needs 'delay', or 'min' and 'max'");
    }
}

void read_propagation(loader *l, const node_pair *entry, void *into)
{
    static const key_spec keys[] = {
        {"delay", read_node, offsetof(delay_draft, both)},
        {"min", read_node, offsetof(delay_draft, least)},
        {"max", read_node, offsetof(delay_draft, most)},
        {"mode", read_mode, offsetof(delay_draft, value.flapping)},
        {"seed", read_seed, 0},
        {"rules", read_node, offsetof(delay_draft, rules)},
        {NULL, NULL, 0},
    };
    delay_draft d = {0};
    (void)into;
    if (entry->value->kind != NODE_MAP) {
        d.both = entry->value;
        if (seconds(l, d.both, "propagation_delay", &d.value.min_s))
            d.value.max_s = d.value.min_s;
    } else {
        read_map(l, entry->value, "propagation_delay", keys, &d);
        settle_times(l, entry->value, &d);
    }
    l->emulation.propagation = d.value;
    l->propagation_rules = d.rules;
}

/* ---- rules: pass 2, when accounts and roles are known ---- */

static const char *settle_service(loader *l, const node *n)
{
    static const char wanted[] = "the name of a service";
    span text;
    if (!n || !read_scalar(l, "service", n, wanted, &text))
        return NULL;
    /* One that gcloud will deploy is as good as one of this file. */
    if (!value_is_service_name(text))
        expected(l, "service", n, wanted);
    return text.p;
}

static const char *settle_account_name(loader *l, const node *n)
{
    span text;
    if (!n || !read_scalar(l, "service_account", n, "the name of a service account", &text))
        return NULL;
    const account_draft *a = find_account(l, text);
    if (a)
        return a->value.email;
    if (value_is_service_account_email(text))
        return text.p;
    diag_at(l->diags, n->at, "service account %s is not defined%s", found_text(l, n),
            diag_suggest(l->diags, text, load_words(l, WORDS_ACCOUNTS)));
    return NULL;
}

static const char *settle_member(loader *l, const node *n)
{
    return n && n->kind == NODE_SCALAR ? resolve_member(l, n, "in propagation_delay") : NULL;
}

static delay_rule settle_rule(loader *l, const node *map)
{
    static const key_spec keys[] = {
        {"service", read_node, offsetof(delay_draft, service)},
        {"service_account", read_node, offsetof(delay_draft, account)},
        {"role", read_node, offsetof(delay_draft, role)},
        {"member", read_node, offsetof(delay_draft, member)},
        {"delay", read_node, offsetof(delay_draft, both)},
        {"min", read_node, offsetof(delay_draft, least)},
        {"max", read_node, offsetof(delay_draft, most)},
        {"mode", read_mode, offsetof(delay_draft, value.flapping)},
        {NULL, NULL, 0},
    };
    delay_draft d = {.value.flapping = l->emulation.propagation.flapping};
    span role = {0};
    read_map(l, map, "a rule of propagation_delay", keys, &d);
    settle_times(l, map, &d);
    if (d.service && d.account)
        diag_at(l->diags, d.account->at,
                "a binding is either a service's or a service account's; write two rules");
    if (d.role)
        (void)read_role(l, d.role, &role);
    return (delay_rule){settle_service(l, d.service), settle_account_name(l, d.account), role.p,
                        settle_member(l, d.member), d.value};
}

void settle_emulation(loader *l)
{
    const node *list = l->propagation_rules;
    if (list && read_is_list(l, "rules", list, "a list of rules")) {
        if (list->count > RULES_MAX)
            diag_at(l->diags, list->at, "rules: more than %d", RULES_MAX);
        delay_rule *rules = arena_alloc(l->mem, list->count * sizeof *rules);
        for (size_t i = 0; i < list->count; i++)
            rules[i] = settle_rule(l, list->items[i]);
        l->emulation.propagation_rules = rules;
        l->emulation.propagation_rule_count = list->count;
    }
    snapshot_builder_emulation(l->builder, &l->emulation);
}
