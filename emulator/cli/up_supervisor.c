/* Slots of children, and what follows from each change of one of them. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/up_orphans.h"
#include "cli/up_spawn.h"
#include "cli/up_supervisor_impl.h"

enum {
    DAEMON_STARTS_MAX = 3,  /* deaths in a row before it was ready; then up gives up */
    SERVICE_STARTS_MAX = 5, /* only before everything was ready once */
    REMIND_US = 10 * 1000 * 1000,
    STOP_MAX_US = 950 * 1000,
    SECOND_US = 1000 * 1000
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

/* Those that the file does not have are waited for until they fail, or until it is late. */
static bool all_ready(const supervisor *s, bool late)
{
    for (size_t i = 0; i < s->count; i++) {
        const slot *at = &s->slots[i];
        bool awaited = !at->made || (!late && child_failed_starts(at->now) == 0);
        if (awaited && child_state_of(at->now) != CHILD_READY)
            return false;
    }
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

static void on_deadline(loop_timer *t)
{
    supervisor *s = container_of(t, supervisor, deadline);
    if (s->stopping) {
        loop_stop(s->world.loop);
        return;
    }
    if (all_ready(s, true)) {
        announce(s);
        return;
    }
    log_at(LOG_ERROR, "not ready in time, giving up",
           LOG_I("ready_timeout_s", s->options.ready_timeout_s));
    stop_all(s, CLI_FAILED, SIGTERM);
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

static const slot *slot_of(const supervisor *s, const child *c)
{
    size_t i = 0;
    while (i < s->count && s->slots[i].now != c)
        i++;
    return i < s->count ? &s->slots[i] : NULL;
}

static void announce_if_ready(supervisor *s)
{
    if (!s->announced && !s->stopping && all_ready(s, false))
        announce(s);
}

static void on_failed(supervisor *s, const child *c)
{
    const slot *at = slot_of(s, c);
    if (at && at->made) {
        announce_if_ready(s);
        return;
    }
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
        announce_if_ready(s);
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
                  .logs = log_sender_open(l),
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
    log_sender_close(s->world.logs);
    loop_timer_cancel(s->world.loop, &s->reminder);
    loop_timer_cancel(s->world.loop, &s->deadline);
    loop_timer_cancel(s->world.loop, &s->sweeper);
    envlist_free(&s->base_env);
    free(s->own_path);
    free(s->slots);
    free(s);
}
