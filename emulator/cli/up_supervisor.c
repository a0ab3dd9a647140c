/* Slots of children, and what follows from each change of one of them. */
#include "cli/up_supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/up_child.h"
#include "cli/up_daemon.h"
#include "cli/up_orphans.h"
#include "cli/up_spawn.h"

enum {
    DAEMON_STARTS_MAX = 3,  /* deaths in a row before it was ready; then up gives up */
    SERVICE_STARTS_MAX = 5, /* only before everything was ready once */
    REMIND_US = 10 * 1000 * 1000,
    STOP_MAX_US = 950 * 1000,
    SECOND_US = 1000 * 1000
};

/* One name's place. A changed service's next life waits until the former has ended. */
typedef struct slot {
    child *now, *next;
    bool wanted; /* by the topology that is being applied */
} slot;

struct supervisor {
    child_world world;
    supervisor_options options;
    up_topology *topology;
    envlist base_env;
    char *own_path;
    slot *slots;
    size_t count, cap;
    child *command;
    bool announced, stopping;
    int exit_status;
    int64_t started_us;
    loop_timer reminder, deadline, sweeper;
};

/* ---- stopping ---- */

static bool all_ended(const supervisor *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (child_state_of(s->slots[i].now) != CHILD_ENDED)
            return false;
    return !s->command || child_state_of(s->command) == CHILD_ENDED;
}

/* signo is what CMD is told. */
static void stop_all(supervisor *s, int exit_status, int signo)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->exit_status = exit_status;
    loop_timer_cancel(s->world.loop, &s->reminder);
    loop_timer_set(s->world.loop, &s->deadline, loop_now_us(s->world.loop) + STOP_MAX_US);
    if (s->command)
        child_stop_by(s->command, signo);
    for (size_t i = 0; i < s->count; i++)
        child_stop(s->slots[i].now);
    if (all_ended(s))
        loop_stop(s->world.loop);
}

static void on_deadline(loop_timer *t)
{
    supervisor *s = container_of(t, supervisor, deadline);
    if (s->stopping) {
        loop_stop(s->world.loop);
        return;
    }
    log_at(LOG_ERROR, "not ready in time, giving up",
           LOG_I("ready_timeout_s", s->options.ready_timeout_s));
    stop_all(s, CLI_FAILED, SIGTERM);
}

/* ---- readiness ---- */

static void on_reminder(loop_timer *t)
{
    supervisor *s = container_of(t, supervisor, reminder);
    for (size_t i = 0; i < s->count; i++)
        if (child_state_of(s->slots[i].now) != CHILD_READY)
            log_at(LOG_WARN, "still waiting until it answers",
                   LOG_S("child", child_name(s->slots[i].now)),
                   LOG_S("address", child_address(s->slots[i].now)));
    loop_timer_set(s->world.loop, t, loop_now_us(s->world.loop) + REMIND_US);
}

static bool all_ready(const supervisor *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (child_state_of(s->slots[i].now) != CHILD_READY)
            return false;
    return true;
}

static void start_command(supervisor *s)
{
    envlist env = {0};
    envlist_inherit(&env, s->base_env.items);
    envlist_add_urls(&env, up_topology_snapshot(s->topology), s->options.trust);
    /* `invoker run` and the like in CMD then mean this topology, wherever they are started. */
    auto_free char *path = realpath(s->options.config_path, NULL);
    envlist_set(&env, "INVOKER_CONFIG", path);
    auto_free char *ca = realpath(s->options.ca_dir, NULL);
    envlist_set(&env, "INVOKER_CA", ca);
    const child_spec spec = {.name = s->options.command[0],
                             .kind = CHILD_COMMAND,
                             .argv = s->options.command,
                             .env = &env};
    s->command = child_new(&s->world, &spec);
    child_start(s->command);
    envlist_free(&env);
}

static void announce(supervisor *s)
{
    s->announced = true;
    loop_timer_cancel(s->world.loop, &s->reminder);
    loop_timer_cancel(s->world.loop, &s->deadline);
    log_at(LOG_INFO, "ready", LOG_I("children", s->count),
           LOG_I("after_ms", (loop_now_us(s->world.loop) - s->started_us) / 1000));
    s->options.on_ready(s->options.ctx);
    if (s->options.command)
        start_command(s);
}

/* ---- what follows from a change ---- */

static bool hopeless(const supervisor *s, const child *c)
{
    unsigned starts = child_failed_starts(c);
    bool exited = WIFEXITED(child_wait_status(c));
    if (child_kind_of(c) == CHILD_DAEMON)
        return starts >= DAEMON_STARTS_MAX || (!s->announced && starts && exited);
    return !s->announced && (starts >= SERVICE_STARTS_MAX || child_exec_failed(c));
}

static void on_failed(supervisor *s, const child *c)
{
    if (s->stopping || !hopeless(s, c))
        return;
    log_at(LOG_ERROR, "giving up: this child cannot start; its own messages stand above",
           LOG_S("child", child_name(c)));
    /* A daemon knows best whether the usage is at fault. */
    bool usage =
        child_kind_of(c) == CHILD_DAEMON && spawn_exit_status(child_wait_status(c)) == CLI_USAGE;
    stop_all(s, usage ? CLI_USAGE : CLI_FAILED, SIGTERM);
}

static void drop_slot(supervisor *s, slot *at)
{
    child_free(at->now);
    child_free(at->next);
    *at = s->slots[--s->count];
}

/* Children may not be freed while they report, so ended ones are looked at a turn later. */
static void sweep(loop_timer *t)
{
    supervisor *s = container_of(t, supervisor, sweeper);
    for (size_t i = 0; i < s->count; i++) {
        slot *at = &s->slots[i];
        if (s->stopping || child_state_of(at->now) != CHILD_ENDED)
            continue;
        if (!at->next) {
            drop_slot(s, at);
            i--;
            continue;
        }
        child_free(at->now);
        at->now = TAKE(at->next);
        child_start(at->now);
    }
    if (s->stopping && all_ended(s))
        loop_stop(s->world.loop);
}

static void on_change(void *ctx, child *c)
{
    supervisor *s = ctx;
    switch (child_state_of(c)) {
    case CHILD_READY:
        if (!s->announced && !s->stopping && all_ready(s))
            announce(s);
        break;
    case CHILD_BACKOFF:
        on_failed(s, c);
        break;
    case CHILD_ENDED:
        if (child_kind_of(c) == CHILD_COMMAND) {
            s->exit_status = spawn_exit_status(child_wait_status(c));
            stop_all(s, s->exit_status, SIGTERM);
        }
        loop_timer_set(s->world.loop, &s->sweeper, loop_now_us(s->world.loop));
        break;
    case CHILD_IDLE:
    case CHILD_STARTING:
    case CHILD_STOPPING:
        break;
    }
}

/* ---- bringing processes in line with the topology ---- */

static slot *find_slot(supervisor *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(child_name(s->slots[i].now), name) == 0)
            return &s->slots[i];
    return NULL;
}

static void add_slot(supervisor *s, child *c)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        slot *bigger = realloc(s->slots, s->cap * sizeof *bigger);
        if (!bigger)
            abort();
        s->slots = bigger;
    }
    s->slots[s->count++] = (slot){.now = c, .wanted = true};
    child_start(c);
}

static void apply_spec(supervisor *s, const child_spec *spec)
{
    slot *at = find_slot(s, spec->name);
    if (!at) {
        add_slot(s, child_new(&s->world, spec));
        return;
    }
    at->wanted = true;
    child_free(TAKE(at->next));
    bool alive =
        child_state_of(at->now) != CHILD_STOPPING && child_state_of(at->now) != CHILD_ENDED;
    if (alive && child_same(at->now, spec))
        return;
    at->next = child_new(&s->world, spec);
    child_stop(at->now);
}

static void apply_daemon(supervisor *s, const char *name)
{
    daemon_args a = daemon_args_make(name, &s->options, up_topology_overlay_path(s->topology));
    const child_spec spec = {.name = name,
                             .kind = CHILD_DAEMON,
                             .file = s->own_path,
                             .argv = a.argv,
                             .env = &s->base_env};
    slot *at = find_slot(s, name);
    if (at)
        child_reload(at->now);
    apply_spec(s, &spec);
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
    apply_spec(s, &spec);
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

void supervisor_apply(supervisor *s)
{
    if (s->stopping)
        return;
    const snapshot *topology = up_topology_snapshot(s->topology);
    s->world.ports = up_topology_ports(s->topology);
    for (size_t i = 0; i < s->count; i++)
        s->slots[i].wanted = false;
    apply_daemon(s, "metadata");
    apply_daemon(s, "gateway");
    for (size_t i = 0; i < snapshot_service_count(topology) && !s->stopping; i++)
        if (snapshot_service(topology, i)->command)
            apply_service(s, topology, snapshot_service(topology, i));
    retire_unwanted(s);
}

/* ---- signals ---- */

/* Whoever lost its parent below us became our child: it is reaped like the others. */
static void reap(supervisor *s)
{
    pid_t pid;
    while ((pid = orphans_next_dead()) > 0) {
        bool known = s->command && child_reap(s->command, pid);
        for (size_t i = 0; i < s->count && !known; i++)
            known = child_reap(s->slots[i].now, pid);
        if (!known)
            (void)waitpid(pid, NULL, WNOHANG);
    }
    if (s->command)
        child_check_group(s->command);
    for (size_t i = 0; i < s->count; i++)
        child_check_group(s->slots[i].now);
}

void supervisor_signal(supervisor *s, int signo)
{
    if (signo == SIGCHLD) {
        reap(s);
        return;
    }
    if (s->stopping)
        return;
    log_at(LOG_INFO, "stopping", LOG_S("signal", sigabbrev_np(signo)));
    stop_all(s, CLI_OK, signo);
}

/* ---- life ---- */

supervisor *supervisor_new(loop *l, guard *g, up_topology *t, const supervisor_options *o)
{
    supervisor *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    *s = (supervisor){
        .world = {.loop = l,
                  .guard = g,
                  .colour = log_current_format() == LOG_TEXT && cli_colour(stderr) && !o->log_file,
                  .wait_for_fd = o->log_file ? -1 : STDERR_FILENO,
                  .on_change = on_change},
        .options = *o,
        .topology = t,
        .own_path = spawn_own_path(),
        .started_us = loop_now_us(l),
        .reminder = {.fire = on_reminder},
        .deadline = {.fire = on_deadline},
        .sweeper = {.fire = sweep}};
    s->world.ctx = s;
    envlist_inherit(&s->base_env, environ);
    orphans_adopt();
    loop_timer_set(l, &s->reminder, s->started_us + REMIND_US);
    loop_timer_set(l, &s->deadline, s->started_us + o->ready_timeout_s * SECOND_US);
    return s;
}

int supervisor_run(supervisor *s)
{
    if (!s->stopping || !all_ended(s))
        loop_run(s->world.loop);
    orphans_kill(guard_pid(s->world.guard));
    return s->exit_status;
}

void supervisor_free(supervisor *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++) {
        child_free(s->slots[i].now);
        child_free(s->slots[i].next);
    }
    child_free(s->command);
    loop_timer_cancel(s->world.loop, &s->reminder);
    loop_timer_cancel(s->world.loop, &s->deadline);
    loop_timer_cancel(s->world.loop, &s->sweeper);
    envlist_free(&s->base_env);
    free(s->own_path);
    free(s->slots);
    free(s);
}
