/* Each change (topology, keys, attachments, names) becomes a new view for every worker. */
#include "gateway/process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "gateway/process_impl.h"
#include "jose/keystore.h"
#include "pki/ca.h"

enum {
    DEFAULT_WORKERS_MAX = 4,
    CONNECTIONS_MAX = 60000,
    DRAIN_US = 700 * 1000,
    CONNECT_TIMEOUT_US = 1000 * 1000
};

#define CERTS_PATH "/oauth2/v3/certs"

/* ---- views ---- */

static void publish(process *p)
{
    view *v = view_new(&(view_parts){.serial = ++p->serial,
                                     .snap = p->snap,
                                     .keys = p->keys,
                                     .keys_attempt = p->keys_attempt,
                                     .keys_attempt_us = p->keys_attempt_us,
                                     .upstreams = p->upstreams,
                                     .before = p->view});
    view_unref(p->view);
    p->view = v;
    for (unsigned i = 0; i < p->worker_count; i++)
        worker_take_view(p->workers[i], v);
}

static void on_names(void *ctx)
{
    process *p = ctx;
    if (p->snap)
        publish(p);
}

/* ---- readiness ---- */

static void become_ready(process *p)
{
    if (p->ready || !p->running || !p->keys)
        return;
    p->ready = true;
    log_at(LOG_INFO, "ready", LOG_I("services", snapshot_service_count(p->snap)),
           LOG_I("workers", p->worker_count), LOG_I("keys", jwks_count(p->keys)));
    if (p->ready_fd < 0)
        return;
    if (write(p->ready_fd, "ready\n", 6) != 6)
        log_at(LOG_WARN, "nobody listens at --ready-fd");
    (void)close(p->ready_fd);
    p->ready_fd = -1;
}

/* ---- keys ---- */

static void on_keys_attempt(void *ctx, jwks *keys)
{
    process *p = ctx;
    p->keys_attempt++;
    p->keys_attempt_us = clock_mono_us();
    *(keys ? &p->fetched_keys : &p->failed_fetches) += 1;
    if (!keys && !p->keys)
        return; /* nobody has an interest in that */
    if (keys) {
        jwks_unref(p->keys);
        p->keys = keys;
    }
    publish(p);
    become_ready(p);
}

static void keys_wanted(void *ctx, void *arg)
{
    const process *p = ctx;
    (void)arg;
    if (!p->closing)
        keys_fetch_ask(p->keys_fetch);
}

/* On a worker's thread. */
static void want_keys(void *ctx)
{
    process *p = ctx;
    mailbox_post(p->mailbox, keys_wanted, p, NULL);
}

char *process_keys_source(const process *p, error *e)
{
    if (p->o.jwks)
        return span_dup(span_of(p->o.jwks));
    const char *listen = snapshot_project(p->snap)->metadata_listen;
    if (!listen) {
        error_set(e, ERR_INVALID,
                  "%s states no listen.metadata: say where the keys are with --jwks",
                  snapshot_project(p->snap)->file);
        return NULL;
    }
    auto_buf buf url = buf_make(1024);
    buf_fmt(&url, "http://%s" CERTS_PATH, listen);
    return buf_take(&url);
}

static bool follow_keys_source(process *p, error *e)
{
    auto_free char *source = process_keys_source(p, e);
    return source && keys_fetch_source(p->keys_fetch, source, e);
}

/* ---- topology ---- */

/* Each time: nobody may take what passes here for what passes in production. */
static void say_mode(const snapshot *old, const snapshot *s)
{
    if (snapshot_emulation(s)->audit)
        log_at(LOG_WARN,
               "audit mode: nothing is refused for lack of authorization, only recorded "
               "(emulation.mode)",
               LOG_S("topology", snapshot_project(s)->file));
    else if (old && snapshot_emulation(old)->audit)
        log_at(LOG_INFO, "audit mode is over: refusals are enforced again");
}

static void on_snapshot(void *ctx, snapshot *s)
{
    process *p = ctx;
    if (p->closing)
        return; /* the workers are gone, and the loop turns on only to close what is left */
    snapshot *old = p->snap;
    p->snap = snapshot_ref(s);
    say_mode(old, s);
    snapshot_unref(old);
    publish(p);
    if (!p->listeners)
        return; /* still opening */
    error e = {0};
    (void)listeners_follow(p->listeners, s, false, NULL);
    if (!follow_keys_source(p, &e))
        log_at(LOG_ERROR, "the keys stay where they were", LOG_S("error", e.text));
    if (p->o.on_snapshot)
        p->o.on_snapshot(p->o.ctx, s);
}

static void on_signal(void *ctx, int signo)
{
    process *p = ctx;
    if (signo != SIGHUP) {
        loop_stop(p->loop);
        return;
    }
    (void)live_reload(p->live);
    keys_fetch_now(p->keys_fetch);
    if (p->recorder)
        recorder_reopen(p->recorder);
}

/* ---- opening ---- */

static unsigned default_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1)
        return 1;
    return cores < DEFAULT_WORKERS_MAX ? (unsigned)cores : DEFAULT_WORKERS_MAX;
}

static bool start_workers(process *p, error *e)
{
    const unsigned n = p->o.workers ? p->o.workers : default_workers();
    if (p->o.record.path && !(p->recorder = recorder_open(&p->o.record, n, e)))
        return error_wrap(e, "--record");
    while (p->worker_count < n) {
        record_queue *records = p->recorder ? recorder_queue(p->recorder, p->worker_count) : NULL;
        worker *w = worker_start(&(worker_options){.index = p->worker_count,
                                                   .records = records,
                                                   .connections_max = CONNECTIONS_MAX / n,
                                                   .log_mode = p->o.log_mode,
                                                   .start_wait_us = p->o.start_wait_us,
                                                   .decision_header = p->o.decision_header,
                                                   .ca_dir = p->ca_dir,
                                                   .ticket_key = p->ticket_key,
                                                   .want_keys = want_keys,
                                                   .ctx = p},
                                 p->view, e);
        if (!w)
            return false;
        p->workers[p->worker_count++] = w;
    }
    return true;
}

static bool open_main(process *p, error *e)
{
    static const int list[] = {SIGTERM, SIGINT, SIGHUP, 0};
    p->loop = loop_new(e);
    if (!p->loop)
        return false;
    p->mailbox = mailbox_new(p->loop);
    p->signals = signals_open(p->loop, list, on_signal, p, e);
    if (!p->signals)
        return false;
    p->names = host_names_open(p->loop, on_names, p);
    p->upstreams = upstreams_new(p->names);
    p->proxy = proxy_open(p->loop,
                          &(proxy_options){.upstream_idle_s = 1,
                                           .upstream_idle_max = 1,
                                           .connect_timeout_us = CONNECT_TIMEOUT_US},
                          e);
    if (!p->proxy)
        return false;
    p->keys_fetch = keys_fetch_new(&(keys_fetch_options){.loop = p->loop,
                                                         .proxy = p->proxy,
                                                         .names = p->names,
                                                         .on_attempt = on_keys_attempt,
                                                         .ctx = p});
    return true;
}

static bool open_topology(process *p, diagnostics *out, error *e)
{
    p->live = live_open(p->loop,
                        &(live_options){.path = p->o.config_path,
                                        .addresses_path = p->o.addresses_path,
                                        .watch = p->o.watch,
                                        .state = p->o.state,
                                        .on_snapshot = on_snapshot,
                                        .ctx = p},
                        out, e);
    return p->live != NULL;
}

/* Everything but TLS works without it: a container's read-only keys folder is no mistake. */
static void find_ca(process *p)
{
    error e = {0};
    auto_free char *keys = keystore_default_dir(NULL, snapshot_project(p->snap)->keys_dir);
    auto_free char *dir = p->o.ca_dir ? span_dup(span_of(p->o.ca_dir)) : ca_dir_in(keys);
    if (ca_ensure(dir, clock_system(), &e))
        p->ca_dir = TAKE(dir);
    else
        log_at(LOG_WARN, "TLS is off: there is no certificate authority", LOG_S("why", e.text));
}

static bool open_gateway(process *p, error *e)
{
    find_ca(p);
    if (!start_workers(p, e))
        return false;
    listeners *l = listeners_new(p->workers, p->worker_count, p->o.addresses_path != NULL);
    if (!listeners_follow(l, p->snap, true, e)) {
        listeners_free(l);
        return false;
    }
    p->listeners = l;
    if (!follow_keys_source(p, e))
        return false;
    if (p->o.on_snapshot)
        p->o.on_snapshot(p->o.ctx, p->snap);
    return true;
}

process *process_open(const process_options *o, diagnostics *out_problems, error *e)
{
    process *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->o = *o;
    p->ready_fd = o->ready_fd;
    p->started_us = clock_mono_us();
    p->started_wall_us = clock_wall_us();
    random_bytes(p->ticket_key, sizeof p->ticket_key);
    if (open_main(p, e) && open_topology(p, out_problems, e) && open_gateway(p, e))
        return p;
    process_close(p);
    return NULL;
}

/* ---- running and closing ---- */

/* The workers end first: whatever they still had to say is then heard before anything is freed. */
static void end_threads(process *p)
{
    int64_t deadline_us = clock_mono_us() + DRAIN_US;
    p->closing = true;
    for (unsigned i = 0; i < p->worker_count; i++)
        worker_drain(p->workers[i], deadline_us);
    for (unsigned i = 0; i < p->worker_count; i++)
        worker_join(p->workers[i]);
    p->worker_count = 0;
    recorder_close(p->recorder);
    p->recorder = NULL;
    mailbox_free(p->mailbox);
    p->mailbox = NULL;
}

void process_run(process *p)
{
    p->running = true;
    become_ready(p);
    loop_run(p->loop);
    log_at(LOG_INFO, "stopping");
    end_threads(p);
}

void process_close(process *p)
{
    end_threads(p);
    listeners_free(p->listeners);
    keys_fetch_free(p->keys_fetch);
    if (p->proxy)
        proxy_close(p->proxy);
    live_close(p->live);
    upstreams_free(p->upstreams);
    host_names_close(p->names);
    signals_close(p->signals);
    view_unref(p->view);
    jwks_unref(p->keys);
    free(p->ca_dir);
    snapshot_unref(p->snap);
    if (p->loop)
        loop_free(p->loop);
    if (p->ready_fd >= 0)
        (void)close(p->ready_fd);
    free(p);
}

/* ---- small questions ---- */

loop *process_loop(process *p)
{
    return p->loop;
}

const snapshot *process_snapshot(const process *p)
{
    return p->snap;
}

const live *process_live(const process *p)
{
    return p->live;
}

jwks *process_keys(const process *p)
{
    return p->keys;
}

bool process_ready(const process *p)
{
    return p->ready;
}

/* ---- changes by the APIs ---- */

bool process_commit(process *p, json_t *draft, error *e)
{
    return live_commit(p->live, draft, e);
}

/* ---- attachments ---- */

bool process_attach(process *p, span service_name, span address, error *e)
{
    net_addr a;
    if (!snapshot_find_service(p->snap, service_name))
        return error_set(e, ERR_NOT_FOUND, "there is no service \"%.*s\" in %s",
                         SPAN_ARG(service_name), snapshot_project(p->snap)->file);
    if (!net_addr_parse(address, &a, e))
        return false;
    if (net_addr_port(&a) == 0)
        return error_set(e, ERR_INVALID, "an upstream needs a port other than 0");
    upstreams_attach(p->upstreams, service_name, &a);
    publish(p);
    log_at(LOG_INFO, "upstream attached", LOG_V("service", service_name), LOG_V("to", address));
    return true;
}

bool process_detach(process *p, span service_name, error *e)
{
    if (!upstreams_detach(p->upstreams, service_name))
        return error_set(e, ERR_NOT_FOUND, "nothing is attached to \"%.*s\"",
                         SPAN_ARG(service_name));
    publish(p);
    log_at(LOG_INFO, "upstream detached", LOG_V("service", service_name));
    return true;
}
