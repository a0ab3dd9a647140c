/* Loading a topology: pass 1 over the files, pass 2 over what they refer to, then the snapshot. */
#include "config/topology.h"

#include "config/load.h"

static const int64_t TOKEN_LIFETIME_S = 3600;
static const int64_t CLOCK_SKEW_S = 60;

static void loader_open(loader *l, const addresses *over)
{
    *l = (loader){
        .mem = arena_new(),
        .diags = diag_new(),
        .over = over,
        .budget = {TOPOLOGY_NODES_MAX, TOPOLOGY_DEPTH_MAX},
        .emulation = {.token_lifetime_s = TOKEN_LIFETIME_S, .clock_skew_s = CLOCK_SKEW_S},
        .limits = {SERVICE_BODY_LIMIT, SERVICE_BODY_LIMIT},
        .accounts_by_name = strmap_new(),
        .services_by_name = strmap_new(),
        .groups_by_email = strmap_new(),
        .users_by_email = strmap_new(),
        .roles_by_name = strmap_new(),
        .builder = snapshot_builder_new(),
    };
}

static void loader_close(loader *l)
{
    snapshot_builder_free(l->builder);
    strmap_free(l->accounts_by_name);
    strmap_free(l->services_by_name);
    strmap_free(l->groups_by_email);
    strmap_free(l->users_by_email);
    strmap_free(l->roles_by_name);
    diag_free(l->diags);
    arena_free(l->mem);
}

static uint64_t limit_of(uint64_t own, uint64_t common)
{
    return own == LOAD_LIMIT_INHERITED ? common : own;
}

/* What runs for its image, unless the service has a command of its own. */
static void settle_command(loader *l, service_draft *s)
{
    for (size_t i = 0; s->value.image && !s->value.command && i < l->images.count; i++)
        if (span_eq_str(l->images.items[i]->key->text, s->value.image))
            read_command(l, l->images.items[i], (void *)&s->value.command);
}

static void hand_over_services(loader *l)
{
    for (size_t i = 0; i < l->accounts.count; i++)
        snapshot_builder_account(l->builder, &l->accounts.items[i]->value);
    for (size_t i = 0; i < l->services.count; i++) {
        service_draft *s = l->services.items[i];
        settle_env(l, s);
        settle_command(l, s);
        s->value.body_limit = limit_of(s->limits.request_body, l->limits.request_body);
        s->value.response_limit = limit_of(s->limits.response_body, l->limits.response_body);
        snapshot_builder_service(l->builder, &s->value,
                                 s->account ? s->account->value.email : l->project.default_account);
    }
}

static void settle(loader *l)
{
    settle_project(l);
    settle_accounts(l);
    settle_listeners(l);
    settle_names(l);
    snapshot_builder_project(l->builder, &l->project);
    hand_over_services(l);
    settle_people(l);
    settle_roles(l);
    settle_emulation(l);
    settle_grants(l);
    settle_deny(l);
    settle_images(l);
}

static void list_files(const loader *l, topology_files *out)
{
    out->paths = calloc(l->files.count, sizeof *out->paths);
    if (!out->paths)
        abort();
    for (size_t i = 0; i < l->files.count; i++)
        out->paths[i] = span_dup(span_of(l->files.items[i]->shown));
    out->count = l->files.count;
}

snapshot *topology_load_files(const char *path, const addresses *over, const snapshot *before,
                              int64_t now_us, diagnostics *out, topology_files *out_files)
{
    loader l;
    snapshot *built = NULL;
    loader_open(&l, over);
    read_topology(&l, path);
    if (!l.incomplete)
        settle(&l);
    if (diag_count(l.diags) == 0)
        built = snapshot_build(TAKE(l.builder), before, now_us);
    diag_finish(l.diags, out);
    if (out_files)
        list_files(&l, out_files);
    loader_close(&l);
    return built;
}

snapshot *topology_load(const char *path, const addresses *over, diagnostics *out)
{
    return topology_load_files(path, over, NULL, 0, out, NULL);
}

void topology_files_free(topology_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->paths[i]);
    free(f->paths);
    *f = (topology_files){0};
}
