/* `invoker export yaml`: the top level of the file. */
#include <inttypes.h>

#include "cli/export.h"
#include "cli/yaml_out.h"

enum { TOKEN_LIFETIME_S = 3600, CLOCK_SKEW_S = 60 };

static void put_number(buf *b, unsigned depth, const char *key, const char *digits)
{
    yaml_put_indent(b, depth);
    buf_fmt(b, "%s: %s\n", key, digits);
}

static void put_project(const export_job *j)
{
    const project *p = snapshot_project(j->s);
    yaml_put_key(j->out, 0, "project");
    yaml_put_pair(j->out, 1, "id", p->id);
    put_number(j->out, 1, "number", p->number);
    export_yaml_policy(j, 1, &(resource){0});
    yaml_put_pair(j->out, 0, "region", p->region);
    if (p->ingress_listen && p->metadata_listen && p->control_listen) {
        yaml_put_key(j->out, 0, "listen");
        yaml_put_pair(j->out, 1, "ingress", p->ingress_listen);
        yaml_put_pair(j->out, 1, "metadata", p->metadata_listen);
        yaml_put_pair(j->out, 1, "control", p->control_listen);
    }
    yaml_put_pair(j->out, 0, "keys", p->keys_dir);
    yaml_put_pair(j->out, 0, "egress", p->egress_allow ? "allow" : NULL);
}

/* ---- emulation ---- */

static void put_seconds(buf *b, unsigned depth, const char *key, int64_t seconds)
{
    yaml_put_indent(b, depth);
    buf_fmt(b, "%s: %" PRId64 "s\n", key, seconds);
}

static void put_delay(buf *b, unsigned depth, const delay *d)
{
    if (d->min_s == d->max_s) {
        put_seconds(b, depth, "delay", d->min_s);
    } else {
        put_seconds(b, depth, "min", d->min_s);
        put_seconds(b, depth, "max", d->max_s);
    }
    yaml_put_pair(b, depth, "mode", d->flapping ? "flapping" : "monotonic");
}

static void put_propagation(buf *b, const emulation *e)
{
    yaml_put_key(b, 1, "propagation_delay");
    put_delay(b, 2, &e->propagation);
    yaml_put_indent(b, 2);
    buf_fmt(b, "seed: %" PRIu64 "\n", e->propagation_seed);
    if (e->propagation_rule_count)
        yaml_put_key(b, 2, "rules");
    for (size_t i = 0; i < e->propagation_rule_count; i++) {
        const delay_rule *r = &e->propagation_rules[i];
        buf_str(b, "      -\n");
        yaml_put_pair(b, 4, "service", r->service);
        yaml_put_pair(b, 4, "service_account", r->account);
        yaml_put_pair(b, 4, "role", r->role);
        yaml_put_pair(b, 4, "member", r->member);
        put_delay(b, 4, &r->delay);
    }
}

static void put_emulation(const export_job *j)
{
    const emulation *e = snapshot_emulation(j->s);
    const bool delayed = emulation_is_delayed(e);
    if (e->token_lifetime_s == TOKEN_LIFETIME_S && e->clock_skew_s == CLOCK_SKEW_S && !delayed &&
        !e->audit && !e->decision_header)
        return;
    yaml_put_key(j->out, 0, "emulation");
    yaml_put_pair(j->out, 1, "mode", e->audit ? "audit" : NULL);
    if (e->token_lifetime_s != TOKEN_LIFETIME_S)
        put_seconds(j->out, 1, "token_lifetime", e->token_lifetime_s);
    if (e->clock_skew_s != CLOCK_SKEW_S)
        put_seconds(j->out, 1, "clock_skew", e->clock_skew_s);
    if (e->decision_header)
        yaml_put_bool(j->out, 1, "decision_header", true);
    if (delayed)
        put_propagation(j->out, e);
}

void export_yaml(buf *b, const export_source *x)
{
    grant_order *grants = grant_order_new(x->s);
    const export_job j = {x, x->s, grants, b};
    if (x->title)
        yaml_put_comment(b, 0, x->title);
    put_project(&j);
    put_emulation(&j);
    export_yaml_accounts(&j);
    export_yaml_services(&j);
    export_yaml_people(&j);
    export_yaml_rest(&j);
    grant_order_free(grants);
}
