/* The ready line and the summary. */
#include "cli/up_ready.h"

#include <string.h>

/* ,"key":"PREFIXvalueSUFFIX" or ,"key":null */
static void pair(buf *out, const char *key, const char *prefix, const char *value,
                 const char *suffix)
{
    buf_json(out, span_of(key));
    buf_char(out, ':');
    if (!value) {
        buf_str(out, "null");
        return;
    }
    auto_buf buf text = buf_make(UP_READY_MAX);
    buf_fmt(&text, "%s%s%s", prefix, value, suffix);
    buf_json(out, buf_view(&text));
}

static void next_pair(buf *out, const char *key, const char *prefix, const char *value,
                      const char *suffix)
{
    buf_char(out, ',');
    pair(out, key, prefix, value, suffix);
}

static void service_json(buf *out, const service *svc, const char *shared_metadata)
{
    auto_free char *metadata = reachable_address(svc->metadata ? svc->metadata : shared_metadata);
    buf_json(out, span_of(svc->name));
    buf_str(out, ":{");
    pair(out, "url", "", svc->url, "");
    next_pair(out, "metadata", "", metadata, "");
    next_pair(out, "upstream", "http://", svc->upstream, "");
    next_pair(out, "service_account", "", svc->account->email, "");
    buf_char(out, '}');
}

void up_ready_json(buf *out, const snapshot *s, const trust_files *trust, const char *state_dir)
{
    const project *p = snapshot_project(s);
    auto_free char *control = reachable_address(p->control_listen);
    auto_free char *front_door = reachable_address(p->ingress_listen);
    auto_free char *metadata = reachable_address(p->metadata_listen);
    buf_str(out, "{\"ready\":true");
    next_pair(out, "control", "http://", control, "");
    next_pair(out, "ingress", "", front_door, "");
    next_pair(out, "metadata", "", metadata, "");
    next_pair(out, "certs_v1", "http://", metadata, "/oauth2/v1/certs");
    next_pair(out, "certs_v3", "http://", metadata, "/oauth2/v3/certs");
    next_pair(out, "ca", "", trust ? trust->certificate : NULL, "");
    next_pair(out, "ca_bundle", "", trust ? trust->bundle : NULL, "");
    next_pair(out, "state", "", state_dir, "");
    buf_str(out, ",\"services\":{");
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        if (i)
            buf_char(out, ',');
        service_json(out, snapshot_service(s, i), p->metadata_listen);
    }
    buf_str(out, "}}");
}

/* ---- for people ---- */

typedef struct widths {
    int name, url, account;
} widths;

static void widen(int *width, const char *text)
{
    int n = (int)strlen(text);
    if (n > *width)
        *width = n;
}

static widths measure(const snapshot *s)
{
    widths w = {(int)strlen("SERVICE"), (int)strlen("URL"), (int)strlen("RUNS AS")};
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *svc = snapshot_service(s, i);
        widen(&w.name, svc->name);
        widen(&w.url, svc->url);
        widen(&w.account, svc->account->email);
    }
    return w;
}

static const char *upstream_text(const service *svc)
{
    return svc->upstream ? svc->upstream : "none attached (503)";
}

static void table(buf *out, const snapshot *s, const char *bold, const char *plain)
{
    widths w = measure(s);
    buf_fmt(out, "%s%-*s  %-*s  %-*s  %s%s\n", bold, w.name, "SERVICE", w.url, "URL", w.account,
            "RUNS AS", "UPSTREAM", plain);
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *svc = snapshot_service(s, i);
        buf_fmt(out, "%-*s  %-*s  %-*s  %s\n", w.name, svc->name, w.url, svc->url, w.account,
                svc->account->email, upstream_text(svc));
    }
}

void up_ready_text(buf *out, const snapshot *s, const char *state_dir, bool colour)
{
    const project *p = snapshot_project(s);
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
    auto_free char *control = reachable_address(p->control_listen);
    auto_free char *front_door = reachable_address(p->ingress_listen);
    auto_free char *metadata = reachable_address(p->metadata_listen);
    buf_fmt(out, "%sInvoker is ready: %s%s\n\n", bold, p->file, plain);
    if (snapshot_service_count(s))
        table(out, s, bold, plain);
    else
        buf_str(out, "No service yet: deploy one with 'invoker gcloud -- run deploy NAME ...'.\n");
    if (front_door)
        buf_fmt(out, "\ningress   http://%s  (routed by Host: NAME.localhost)\n", front_door);
    if (metadata)
        buf_fmt(out, "metadata  http://%s  (keys: /oauth2/v3/certs)\n", metadata);
    if (control)
        buf_fmt(out, "control   http://%s\n", control);
    if (state_dir)
        buf_fmt(out, "state     %s\n", state_dir);
    else
        buf_str(out,
                "state     ephemeral: what gcloud changes is forgotten (--state DIR keeps it)\n");
    if (snapshot_emulation(s)->audit)
        buf_fmt(out, "%smode      audit: nothing is refused, only recorded (emulation.mode)%s\n",
                bold, plain);
    buf_str(out, "\nCtrl-C stops everything.\n");
}
