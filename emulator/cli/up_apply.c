/* Bringing the processes in line with the topology. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "cli/up_daemon.h"
#include "cli/up_supervisor_impl.h"

/* A service may be called "gateway". */
static slot *find_slot(supervisor *s, const char *name, child_kind kind)
{
    for (size_t i = 0; i < s->count; i++)
        if (child_kind_of(s->slots[i].now) == kind &&
            strcmp(child_name(s->slots[i].now), name) == 0)
            return &s->slots[i];
    return NULL;
}

static void add_slot(supervisor *s, child *c, bool made)
{
    s->slots = array_room(s->slots, s->count, &s->cap, sizeof *s->slots);
    s->slots[s->count++] = (slot){.now = c, .wanted = true, .made = made};
    child_start(c);
}

static void apply_spec(supervisor *s, const child_spec *spec, bool made)
{
    slot *at = find_slot(s, spec->name, spec->kind);
    if (!at) {
        add_slot(s, child_new(&s->world, spec), made);
        return;
    }
    at->wanted = true;
    at->made = made;
    child_free(TAKE(at->next));
    bool alive =
        child_state_of(at->now) != CHILD_STOPPING && child_state_of(at->now) != CHILD_ENDED;
    if (alive && child_same(at->now, spec))
        return;
    at->next = child_new(&s->world, spec);
    child_stop(at->now);
}

static void apply_daemon(supervisor *s, const char *name, bool reload)
{
    daemon_args a = daemon_args_make(name, &s->options, up_topology_overlay_path(s->topology));
    const child_spec spec = {.name = name,
                             .kind = CHILD_DAEMON,
                             .file = s->own_path,
                             .argv = a.argv,
                             .env = &s->base_env};
    slot *at = find_slot(s, name, CHILD_DAEMON);
    if (at && reload)
        child_reload(at->now);
    apply_spec(s, &spec, false);
}

static void apply_service(supervisor *s, const snapshot *topology, const service *svc)
{
    envlist env = {0};
    envlist_inherit(&env, s->base_env.items);
    service_vars vars = service_vars_make(topology, svc, NULL, s->options.trust);
    service_vars_apply(&vars, &env);
    const child_spec spec = {.name = svc->name,
                             .kind = CHILD_SERVICE,
                             .argv = svc->command,
                             .env = &env,
                             .address = svc->upstream};
    apply_spec(s, &spec, !up_topology_is_in_file(s->topology, svc->name));
    service_vars_free(&vars);
    envlist_free(&env);
}

static void retire_unwanted(supervisor *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->slots[i].wanted)
            continue;
        child_free(TAKE(s->slots[i].next));
        child_stop(s->slots[i].now);
    }
}

void supervisor_apply(supervisor *s, bool daemons)
{
    if (s->stopping)
        return;
    const snapshot *topology = up_topology_snapshot(s->topology);
    auto_free char *control = reachable_address(snapshot_project(topology)->control_listen);
    s->world.ports = up_topology_ports(s->topology);
    log_sender_aim(s->world.logs, control);
    for (size_t i = 0; i < s->count; i++)
        s->slots[i].wanted = false;
    apply_daemon(s, "metadata", daemons);
    apply_daemon(s, "gateway", daemons);
    for (size_t i = 0; i < snapshot_service_count(topology) && !s->stopping; i++)
        if (snapshot_service(topology, i)->command && !s->options.no_services)
            apply_service(s, topology, snapshot_service(topology, i));
    retire_unwanted(s);
}
