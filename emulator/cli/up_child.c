/* The life of one supervised process. */
#include "cli/up_child_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/up_spawn.h"

enum {
    BACKOFF_FIRST_US = 100 * 1000,
    BACKOFF_MAX_US = 10 * 1000 * 1000,
    HEALTHY_US = 10 * 1000 * 1000, /* a life this long forgives former deaths */
    GRACE_US = 800 * 1000,
    EVENT_MAX = 160
};

static void changed(child *c)
{
    c->world->on_change(c->world->ctx, c);
}

/* ---- starting ---- */

static void fail(child *c);

static void kill_group(child *c, int signo)
{
    if (c->group)
        (void)kill(-c->group, signo);
    else if (c->pid)
        (void)kill(c->pid, signo);
}

static void forget_group(child *c)
{
    if (c->group)
        guard_remove(c->world->guard, c->group);
    c->group = 0;
}

void child_start(child *c)
{
    error e = {0};
    kill_group(c, SIGKILL); /* what a former life left behind still holds the port */
    forget_group(c);
    c->state = CHILD_STARTING;
    c->started_us = loop_now_us(c->world->loop);
    c->exec_failed = false;
    pid_t pid = child_spawn(c, &e);
    if (pid < 0) {
        log_at(LOG_ERROR, "a child cannot be started", LOG_S("child", c->name),
               LOG_S("why", e.text));
        c->exec_failed = true;
        c->wait_status = W_EXITCODE(127, 0);
        fail(c);
        return;
    }
    c->pid = pid;
    if (c->kind != CHILD_COMMAND || isatty(STDIN_FILENO) == 0) {
        c->group = pid;
        guard_add(c->world->guard, pid);
    }
    if (c->kind == CHILD_COMMAND)
        c->state = CHILD_READY;
}

/* ---- dying and starting again ---- */

static int64_t backoff_us(unsigned failures)
{
    int64_t us = BACKOFF_FIRST_US;
    while (failures-- > 1 && us < BACKOFF_MAX_US)
        us *= 2;
    return us < BACKOFF_MAX_US ? us : BACKOFF_MAX_US;
}

static void end(child *c)
{
    c->state = CHILD_ENDED;
    loop_timer_cancel(c->world->loop, &c->kill);
    loop_timer_cancel(c->world->loop, &c->again);
    changed(c);
}

/* restart_ms < 0: it is not started again. */
static void log_end(const child *c, int64_t restart_ms)
{
    char text[SPAWN_STATUS_TEXT_MAX], event[EVENT_MAX];
    snprintf(event, sizeof event, "%.64s %s", c->name, spawn_status_text(c->wait_status, text));
    if (restart_ms < 0)
        log_at(LOG_WARN, event, LOG_S("child", c->name));
    else
        log_at(LOG_WARN, event, LOG_S("child", c->name), LOG_I("restart_in_ms", restart_ms));
}

/* The process is gone though nobody asked it to go. */
static void fail(child *c)
{
    child_unwatch(c);
    if (c->kind == CHILD_COMMAND) {
        c->state = CHILD_STOPPING;
        child_check_group(c);
        return;
    }
    int64_t now = loop_now_us(c->world->loop);
    c->failures = now - c->started_us >= HEALTHY_US ? 1 : c->failures + 1;
    c->failed_starts += c->state == CHILD_STARTING;
    c->state = CHILD_BACKOFF;
    int64_t wait = backoff_us(c->failures);
    loop_timer_set(c->world->loop, &c->again, now + wait);
    if (!c->exec_failed)
        log_end(c, wait / 1000);
    changed(c);
}

static void on_again(loop_timer *t)
{
    child_start(container_of(t, child, again));
}

static void on_kill(loop_timer *t)
{
    kill_group(container_of(t, child, kill), SIGKILL);
}

/* A daemon that is asked to stop exits with 0; anything else is worth knowing. */
static void mention_odd_end(const child *c)
{
    if (c->kind == CHILD_DAEMON && c->wait_status != 0)
        log_end(c, -1);
}

bool child_reap(child *c, pid_t pid)
{
    if (c->pid != pid)
        return false;
    if (c->state != CHILD_STOPPING)
        kill_group(c, SIGTERM); /* its id is still taken: nobody else can be hit */
    if (waitpid(pid, &c->wait_status, WNOHANG) != pid)
        return true;
    c->pid = 0;
    if (c->state != CHILD_STOPPING) {
        fail(c);
        return true;
    }
    mention_odd_end(c);
    child_check_group(c);
    return true;
}

void child_check_group(child *c)
{
    if (c->group && !c->pid && kill(-c->group, 0) != 0 && errno == ESRCH)
        forget_group(c);
    if (c->state != CHILD_STOPPING || c->pid)
        return;
    if (!c->group)
        end(c);
    else if (!c->kill.slot)
        child_stop(c); /* CMD ended by itself and left processes behind */
}

void child_stop(child *c)
{
    child_stop_by(c, SIGTERM);
}

/* On a terminal Ctrl-C and Ctrl-\ reach CMD, which is in our group, without us. */
static bool told_by_terminal(const child *c, int signo)
{
    return c->kind == CHILD_COMMAND && !c->group && (signo == SIGINT || signo == SIGQUIT);
}

void child_stop_by(child *c, int signo)
{
    loop_timer_cancel(c->world->loop, &c->again);
    child_unwatch(c);
    if (c->state == CHILD_ENDED)
        return;
    c->state = CHILD_STOPPING;
    if (!c->pid && !c->group) {
        end(c);
        return;
    }
    if (c->kill.slot)
        return;
    if (!told_by_terminal(c, signo))
        kill_group(c, signo);
    loop_timer_set(c->world->loop, &c->kill, loop_now_us(c->world->loop) + GRACE_US);
}

void child_reload(child *c)
{
    c->reload_pending = c->state != CHILD_READY;
    if (c->state == CHILD_READY && c->pid)
        (void)kill(c->pid, SIGHUP);
}

/* ---- making and asking ---- */

static char **copy_list(const char *const *from, size_t *out_count)
{
    size_t n = 0;
    while (from[n])
        n++;
    char **list = calloc(n + 1, sizeof *list);
    if (!list)
        abort();
    for (size_t i = 0; i < n; i++)
        list[i] = span_dup(span_of(from[i]));
    *out_count = n;
    return list;
}

child *child_new(child_world *w, const child_spec *spec)
{
    child *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    *c = (child){.world = w,
                 .name = span_dup(span_of(spec->name)),
                 .kind = spec->kind,
                 .file = span_dup(span_of(spec->file ? spec->file : spec->argv[0])),
                 .address = spec->address ? span_dup(span_of(spec->address)) : NULL,
                 .ready = {.fd = -1},
                 .again = {.fire = on_again},
                 .kill = {.fire = on_kill}};
    c->argv = copy_list(spec->argv, &c->argc);
    envlist_inherit(&c->env, spec->env->items);
    return c;
}

void child_free(child *c)
{
    if (!c)
        return;
    child_unwatch(c);
    relay_close(c->output);
    relay_close(c->errors);
    loop_timer_cancel(c->world->loop, &c->again);
    loop_timer_cancel(c->world->loop, &c->kill);
    for (size_t i = 0; i < c->argc; i++)
        free(c->argv[i]);
    free(c->argv);
    envlist_free(&c->env);
    free(c->address);
    free(c->file);
    free(c->name);
    free(c);
}

static bool same_arguments(const child *c, const char *const *argv)
{
    for (size_t i = 0; i < c->argc; i++)
        if (!argv[i] || strcmp(c->argv[i], argv[i]) != 0)
            return false;
    return argv[c->argc] == NULL;
}

bool child_same(const child *c, const child_spec *spec)
{
    return same_arguments(c, spec->argv) && envlist_equal(&c->env, spec->env) &&
           (c->address == NULL) == (spec->address == NULL) &&
           (!c->address || strcmp(c->address, spec->address) == 0);
}

const char *child_name(const child *c)
{
    return c->name;
}

const char *child_address(const child *c)
{
    return c->address;
}

child_kind child_kind_of(const child *c)
{
    return c->kind;
}

child_state child_state_of(const child *c)
{
    return c->state;
}

unsigned child_failed_starts(const child *c)
{
    return c->failed_starts;
}

int child_wait_status(const child *c)
{
    return c->wait_status;
}

bool child_exec_failed(const child *c)
{
    return c->exec_failed;
}
