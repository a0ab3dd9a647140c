/* What runs: the control listener, whether it serves the file that is on the disk, the keys. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/doctor.h"

enum {
    REQUEST_MAX = 4096,
    REPLY_MAX = 16 * 1024 * 1024,
    WHY_MAX = 256,
    PATH_TEXT_MAX = 64,
    WRITE_GRACE_US = 1500 * 1000 /* a change that is younger than that may be on its way */
};

/* ---- asking ---- */

void doctor_call_limits(const doctor *d, http_call *c, int64_t patience_us)
{
    c->connect_us = patience_us;
    c->idle_us = patience_us;
    c->until_us = d->until_us;
    if (!c->reply_max)
        c->reply_max = REPLY_MAX;
}

static void get(const doctor *d, const char *where, const char *path, buf *request, http_call *c)
{
    buf_fmt(request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, where);
    c->request = buf_view(request);
    doctor_call_limits(d, c, d->patience_us);
}

static bool ask(const doctor *d, const char *where, const char *path, http_call *c, buf *why)
{
    auto_buf buf request = buf_make(REQUEST_MAX);
    if (doctor_names_address(d->names, span_of(where), 80, &c->to) != NAME_FOUND) {
        buf_fmt(why, "the name is not known");
        return false;
    }
    get(d, where, path, &request, c);
    http_calls_run(c, 1);
    c->request = (span){0};
    if (c->outcome == HTTP_ANSWERED)
        return true;
    http_call_trouble(c, why);
    return false;
}

/* ---- the control listener ---- */

static void nobody_answers(const doctor *d, const char *why)
{
    finding *f = report_add(d->report, FINDING_PROBLEM, "gateway", "not_running",
                            "nothing answers at %s, the control listener: %s", d->control, why);
    finding_mend(f, "%s up", d->as_invoker);
    free(d->report->notice);
    d->report->notice =
        text_of("Nothing answers at %s: start it by `%s up`. What follows is what can be told "
                "without it.",
                d->control, d->as_invoker);
}

static void not_ready(const doctor *d, const http_call *c)
{
    finding *f;
    if (c->status == 503) {
        f = report_add(d->report, FINDING_PROBLEM, "gateway", "not_ready",
                       "the gateway at %s is still starting: it has no verification keys yet",
                       d->control);
        finding_mend(f, "start the metadata server: `%s metadata`, or all by `%s up`",
                     d->as_invoker, d->as_invoker);
        return;
    }
    f = report_add(d->report, FINDING_PROBLEM, "gateway", "not_a_gateway",
                   "%s answers /healthz with status %u: it is no control listener", d->control,
                   c->status);
    finding_mend(f, "name the control listener with --control or INVOKER_CONTROL");
}

void doctor_control(doctor *d)
{
    http_call health = {0}, status = {0};
    auto_buf buf why = buf_make(WHY_MAX);
    if (!d->control) {
        report_add(d->report, FINDING_WARNING, "gateway", "no_control",
                   "%s states no listen.control: what runs cannot be asked",
                   snapshot_project(d->s)->file);
        return;
    }
    if (!ask(d, d->control, "/healthz", &health, &why)) {
        nobody_answers(d, why.p ? why.p : "");
    } else if (ask(d, d->control, "/invoker/v1/status", &status, &why)) {
        d->status = json_loadb(status.body.p, status.body.n, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(json_object_get(d->status, "services"))) {
            json_decref(d->status);
            d->status = NULL;
        }
        if (health.status != 200 || !d->status)
            not_ready(d, &health);
    } else {
        nobody_answers(d, why.p ? why.p : "");
    }
    http_call_free(&health);
    http_call_free(&status);
}

/* ---- is it the file's topology? ---- */

static const char *text_in(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* The running topology's path as we see it: it is relative to the gateway's folder. */
static char *running_file(const doctor *d)
{
    const char *file = text_in(d->status, "topology");
    const json_int_t pid =
        json_integer_value(json_object_get(json_object_get(d->status, "process"), "pid"));
    if (!file)
        return NULL;
    if (file[0] == '/')
        return realpath(file, NULL);
    char folder[PATH_TEXT_MAX];
    (void)snprintf(folder, sizeof folder, "/proc/%lld/cwd", (long long)pid);
    auto_free char *whole = file_join(folder, file);
    return realpath(whole, NULL);
}

static void other_file(const doctor *d, const char *config_path, const char *running)
{
    finding *f = report_add(d->report, FINDING_PROBLEM, "gateway", "other_topology",
                            "the gateway at %s runs another topology: %s", d->control, running);
    finding_expect(f, "%s", config_path);
    finding_mend(f, "invoker doctor -c %s, or name the right one with --control", running);
}

static int64_t changed_us(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
}

static void check_load(const doctor *d, const char *config_path)
{
    const json_t *load = json_object_get(d->status, "load");
    const json_int_t problems = json_integer_value(json_object_get(load, "problems"));
    const json_int_t pid =
        json_integer_value(json_object_get(json_object_get(d->status, "process"), "pid"));
    const char *at = text_in(load, "at");
    int64_t at_us = 0;
    if (!at || !clock_parse_rfc3339(span_of(at), &at_us))
        return;
    if (problems) {
        finding *f = report_add(d->report, FINDING_PROBLEM, "gateway", "reload_failed",
                                "the gateway's last reload, at %s, failed (problems: %lld): it "
                                "still runs what it had before",
                                at, (long long)problems);
        finding_mend(f, "%s check %s", "invoker", config_path);
        return;
    }
    const int64_t changed = changed_us(config_path);
    if (changed <= at_us || clock_wall_us() - changed < WRITE_GRACE_US)
        return;
    finding *f = report_add(d->report, FINDING_PROBLEM, "gateway", "reload_missing",
                            "%s was changed after the gateway read it (%s)", config_path, at);
    finding_mend(f, "kill -HUP %lld", (long long)pid);
}

void doctor_running(doctor *d, const char *config_path)
{
    if (!d->status)
        return;
    auto_free char *running = running_file(d);
    auto_free char *ours = realpath(config_path, NULL);
    const char *told = text_in(d->status, "topology");
    if (running && ours && strcmp(running, ours) != 0) {
        other_file(d, config_path, running);
        return;
    }
    if (running && ours)
        check_load(d, config_path);
    if (json_is_true(json_object_get(d->status, "ready")))
        report_add(d->report, FINDING_OK, "gateway", "gateway",
                   "%s answers and is ready; topology %s", d->control, told ? told : "?");
}

/* ---- the keys ---- */

static void no_keys(const doctor *d, const char *source, const char *why)
{
    if (!d->status)
        return; /* nothing runs: that is told already */
    finding *f = report_add(d->report, FINDING_PROBLEM, "keys", "jwks_unreachable",
                            "the keys that tokens are verified with, %s: %s", source, why);
    finding_mend(f, "%s up, or %s metadata", d->as_invoker, d->as_invoker);
}

static void take_keys(doctor *d, const char *source, span json)
{
    error e = {0};
    d->keys = jwks_parse(json, &e);
    if (d->keys)
        report_add(d->report, FINDING_OK, "keys", "jwks", "%s: %zu %s", source, jwks_count(d->keys),
                   jwks_count(d->keys) == 1 ? "key" : "keys");
    else
        no_keys(d, source, e.text);
}

static void fetch_keys(doctor *d, const char *source)
{
    const span url = span_from(span_of(source), strlen("http://"));
    const size_t slash = span_find(url, '/');
    auto_free char *stated = span_dup((span){url.p, slash});
    auto_free char *where = reachable_address(stated);
    auto_free char *path = span_dup(span_from(url, slash));
    auto_buf buf why = buf_make(WHY_MAX);
    http_call c = {.reply_max = JWKS_TEXT_MAX};
    if (ask(d, where, path, &c, &why) && c.status == 200)
        take_keys(d, source, c.body);
    else if (c.outcome == HTTP_ANSWERED)
        no_keys(d, source, "the answer's status is not 200");
    else
        no_keys(d, source, why.p ? why.p : "");
    http_call_free(&c);
}

void doctor_jwks(doctor *d)
{
    const char *metadata = snapshot_project(d->s)->metadata_listen;
    auto_free char *usual = metadata ? text_of("http://%s/oauth2/v3/certs", metadata) : NULL;
    const char *told = text_in(d->status, "jwks");
    const char *source = told ? told : usual;
    if (!source)
        return;
    if (span_starts(span_of(source), SPAN_LIT("http://"))) {
        fetch_keys(d, source);
        return;
    }
    error e = {0};
    size_t n = 0;
    auto_free char *text = file_read(source, JWKS_TEXT_MAX, &n, &e);
    if (text)
        take_keys(d, source, (span){text, n});
    else
        no_keys(d, source, e.text);
}
