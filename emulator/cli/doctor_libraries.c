/* Each client library's way to a token, walked over real sockets: its probe, its redirect, its
 * request for the token. All libraries at once, in three rounds. */
#include <stdlib.h>
#include <string.h>

#include "cli/client_libraries.h"
#include "cli/doctor.h"
#include "jose/jws.h"

enum { REQUEST_MAX = 8192, REPLY_MAX = 512 * 1024, WHY_MAX = 512 };

/* A library on its way. */
typedef struct walk {
    const client_library *library;
    library_row *row;
    bool found, asks; /* asks: a call of this round is its own */
    char *why;        /* owned; becomes the row's */
    buf text;         /* of the request */
    http_call call;
} walk;

static void stop(walk *w, char *why)
{
    w->found = false;
    w->asks = false;
    free(w->why);
    w->why = why;
}

/* ---- requests ---- */

/* Where a request goes and what it says. */
typedef struct target {
    char *host;   /* as in the URL: "127.0.0.1:8181" */
    char *prefix; /* what a variable with a path puts in front of ours: "/x" */
} target;

static void target_free(target *t)
{
    free(t->host);
    free(t->prefix);
}

static bool slashes_only(span path)
{
    while (span_starts(path, SPAN_LIT("/")))
        path = span_from(path, 1);
    return path.n == 0;
}

/* http:// + value, as the library puts it together. */
static target target_of(const client_library *l, const char *value)
{
    span s = span_of(value);
    if (l->takes_scheme && span_starts(s, SPAN_LIT("http://")))
        s = span_from(s, strlen("http://"));
    const size_t slash = span_find(s, '/');
    span path = span_from(s, slash);
    if (l->path == PATH_REPLACES || (l->path == PATH_COLLAPSES && slashes_only(path)))
        path.n = 0;
    return (target){span_dup((span){s.p, slash}), span_dup(path)};
}

static bool resolve(const doctor *d, walk *w, const char *where, net_addr *out)
{
    switch (doctor_names_address(d->names, span_of(where), 80, out)) {
    case NAME_FOUND:
        return true;
    case NAME_HANGS:
        stop(w, text_of("the name in %s is being looked up for too long", where));
        return false;
    case NAME_UNKNOWN:
        if (strcmp(where, "http:") == 0 || strcmp(where, "https:") == 0)
            stop(w, text_of("takes the scheme in the variable for the host"));
        else
            stop(w, text_of("%s: no such host", where));
        return false;
    }
    abort();
}

static uint16_t port_in(const char *host)
{
    const char *colon = strrchr(host, ':');
    uint64_t port = 80;
    return colon && span_u64(span_of(colon + 1), UINT16_MAX, &port) ? (uint16_t)port : 80;
}

/* Through a proxy the request line has the whole URL. gaxios asks a proxy for a tunnel, which is
 * not dug here. */
static const char *through(const doctor *d, proxy_family family, const char *host)
{
    auto_free char *bare = span_dup((span){host, strcspn(host, ":")});
    proxy_use use = {0};
    if (family != PROXY_NEVER)
        use = proxy_for(family, d->env, false, bare, port_in(host));
    return use.proxy;
}

static void set_request(const doctor *d, walk *w, const char *value, proxy_family family,
                        const char *path, const char *fields, int64_t patience_us)
{
    AUTO(target_free) target t = target_of(w->library, value);
    const char *proxy = through(d, family, t.host);
    auto_free char *where = span_dup(proxy ? proxy_address(proxy) : span_of(t.host));
    if (proxy && family == PROXY_NODE) {
        stop(w, text_of("goes through the proxy %s", where));
        return;
    }
    buf_clear(&w->text);
    buf_str(&w->text, "GET ");
    if (proxy)
        buf_fmt(&w->text, "http://%s", t.host);
    /* A root that has a path already is asked for as it is. */
    buf_fmt(&w->text, "%s%s%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", t.prefix,
            *path || !*t.prefix ? "/" : "", path, t.host, fields);
    w->call = (http_call){.request = buf_view(&w->text), .reply_max = REPLY_MAX};
    doctor_call_limits(d, &w->call, patience_us);
    if (!buf_ok(&w->text))
        stop(w, text_of("the variable is too long"));
    else if (resolve(d, w, where, &w->call.to))
        w->asks = true;
}

static void run_round(walk *walks, size_t n)
{
    http_call *calls = calloc(n + 1, sizeof *calls);
    size_t count = 0;
    if (!calls)
        abort();
    for (size_t i = 0; i < n; i++)
        if (walks[i].asks)
            calls[count++] = walks[i].call;
    http_calls_run(calls, count);
    count = 0;
    for (size_t i = 0; i < n; i++)
        if (walks[i].asks)
            walks[i].call = calls[count++];
    free(calls);
}

/* ---- the probe ---- */

static void begin(const doctor *d, walk *w)
{
    const char *variable = NULL, *why = NULL;
    const client_library *l = w->library;
    const char *address = client_library_address(l, d->env, false, &variable);
    w->row->asks = text_of("%s", address);
    w->row->reachable_by_variables = l->vars[0] != NULL;
    if (l->adc && envlist_get(d->env, "GOOGLE_APPLICATION_CREDENTIALS") &&
        *envlist_get(d->env, "GOOGLE_APPLICATION_CREDENTIALS")) {
        stop(w, text_of("GOOGLE_APPLICATION_CREDENTIALS goes first"));
        return;
    }
    const gate_result gate = client_library_gate(l, d->env, d->dmi, &why);
    if (gate != GATE_ASK) {
        w->found = gate == GATE_FOUND;
        w->why = w->found ? NULL : text_of("%s", why);
        return;
    }
    const int64_t own = (int64_t)l->probe_ms * 1000, most = 2 * d->patience_us;
    set_request(d, w, client_library_address(l, d->env, true, &variable), l->ping_proxy, l->probe,
                l->fields, own < most ? own : most);
}

/* Go's other probe: does the name lead to the usual address? */
static bool by_name(const doctor *d, const client_library *l)
{
    net_addr a;
    char ip[NET_ADDR_TEXT_MAX];
    return l->gate == GATE_VARIABLE &&
           doctor_names_find(d->names, SPAN_LIT("metadata.google.internal."), &a) == NAME_FOUND &&
           strcmp(net_addr_ip(&a, ip), "169.254.169.254") == 0;
}

/* Whether the machine's product name, or the name service, makes up for a probe that failed. */
static void probe_failed(const doctor *d, walk *w, char *why)
{
    if (!client_library_dmi(w->library, d->dmi) && !by_name(d, w->library)) {
        stop(w, why);
        return;
    }
    free(why);
    w->found = true;
}

static void judge_probe(const doctor *d, walk *w)
{
    if (w->call.outcome != HTTP_ANSWERED) {
        auto_buf buf why = buf_make(WHY_MAX);
        const char *variable = NULL;
        http_call_trouble(&w->call, &why);
        const char *asked = client_library_address(w->library, d->env, true, &variable);
        probe_failed(d, w, text_of("%s: %s", asked, why.p ? why.p : ""));
        return;
    }
    const char *fault = client_library_fault(w->library, &w->call);
    if (fault)
        probe_failed(d, w, text_of("%s (status %u)", fault, w->call.status));
    else
        w->found = true;
}

/* 301: the same host's directory. */
static void follow(const doctor *d, walk *w)
{
    span location;
    const bool redirected = w->asks && w->call.outcome == HTTP_ANSWERED && w->call.status == 301 &&
                            http_call_field(&w->call, "Location", &location);
    if (!redirected) {
        if (w->asks)
            judge_probe(d, w);
        http_call_free(&w->call);
        w->asks = false;
        return;
    }
    const char *variable = NULL;
    if (span_starts(location, SPAN_LIT("http://"))) {
        location = span_from(location, strlen("http://"));
        location = span_from(location, span_find(location, '/'));
    }
    auto_free char *path = span_dup(location.n ? span_from(location, 1) : location);
    AUTO(target_free)
    target t = target_of(w->library, client_library_address(w->library, d->env, true, &variable));
    http_call_free(&w->call);
    w->asks = false;
    set_request(d, w, t.host, w->library->ping_proxy, path, w->library->fields, d->patience_us);
}

/* ---- the token ---- */

static void ask_for_token(const doctor *d, walk *w)
{
    const char *variable = NULL;
    if (!w->found)
        return;
    auto_buf buf path = buf_make(REQUEST_MAX);
    const service *any = snapshot_service_count(d->s) ? snapshot_service(d->s, 0) : NULL;
    const char *url = d->svc ? d->svc->url : any ? any->url : "http://nobody.invalid";
    buf_str(&path, w->library->token);
    if (!w->library->token_is_email)
        buf_percent(&path, span_of(url));
    set_request(d, w, client_library_address(w->library, d->env, false, &variable),
                w->library->proxy, path.p, "Metadata-Flavor: Google\r\n", d->patience_us);
}

static void take_token(const doctor *d, walk *w)
{
    claims *c = NULL;
    span value;
    if (w->call.status != 200) {
        stop(w, text_of("no token: status %u%s", w->call.status,
                        w->call.status == 403 ? ", as for what a proxy passes on" : ""));
        return;
    }
    if (w->library->gate == GATE_NODE && !http_call_field(&w->call, "Metadata-Flavor", &value)) {
        stop(w, text_of("the answer has no Metadata-Flavor: Google"));
        return;
    }
    if (w->library->token_is_email) {
        w->row->as = span_dup(w->call.body);
        return;
    }
    const bool doubtful = d->keys && jws_verify(d->keys, w->call.body, &c, NULL) != JWS_OK;
    if (!d->keys)
        (void)jws_peek(w->call.body, NULL, NULL, &c, NULL);
    if (!c || !c->email)
        stop(w, text_of("the answer is no identity token"));
    else if (doubtful)
        w->why = text_of("but the gateway's keys do not confirm the token");
    if (c && c->email)
        w->row->as = span_dup(span_of(c->email));
    claims_free(c);
}

static void judge_token(const doctor *d, walk *w)
{
    if (!w->asks)
        return;
    auto_buf buf why = buf_make(WHY_MAX);
    if (w->call.outcome == HTTP_ANSWERED) {
        take_token(d, w);
    } else {
        http_call_trouble(&w->call, &why);
        stop(w, text_of("%s: %s", w->row->asks, why.p ? why.p : ""));
    }
    http_call_free(&w->call);
    w->asks = false;
}

/* ---- what is to be said of it ---- */

static void tell_lost(const doctor *d, const char *names, size_t lost)
{
    finding *f =
        report_add(d->report, d->svc ? FINDING_PROBLEM : FINDING_WARNING, "libraries",
                   "libraries_lost", "%zu client libraries do not get a token: %s", lost, names);
    if (d->svc)
        finding_expect(f, "tokens of %s", d->svc->account->email);
    if (d->mend_env)
        finding_mend(f, "%s", d->mend_env);
    else
        finding_mend(f, "eval \"$(%s env SERVICE)\", as one of the services", d->as_invoker);
}

static void tell_others(const doctor *d, const char *names, const char *as)
{
    finding *f = report_add(d->report, FINDING_PROBLEM, "libraries", "libraries_other_account",
                            "these client libraries call as %s: %s", as, names);
    finding_expect(f, "%s, which %s runs as", d->svc->account->email, d->svc->name);
    finding_mend(f, "%s", d->mend_env);
}

static void sum_up(const doctor *d)
{
    const report *r = d->report;
    auto_buf buf lost = buf_make(REQUEST_MAX), others = buf_make(REQUEST_MAX);
    size_t lost_count = 0, readers = 0;
    const char *as = NULL;
    for (size_t i = 0; i < r->library_count; i++) {
        const library_row *row = &r->libraries[i];
        readers += row->reachable_by_variables;
        if (row->reachable_by_variables && !row->found) {
            buf_fmt(&lost, "%s%s", lost_count ? ", " : "", row->name);
            lost_count++;
        }
        if (!d->svc || !row->as || strcmp(row->as, d->svc->account->email) == 0)
            continue;
        buf_fmt(&others, "%s%s", as ? ", " : "", row->name);
        as = row->as;
    }
    auto_free char *who = as ? span_dup(span_of(as)) : NULL;
    if (lost_count)
        tell_lost(d, lost.p, lost_count);
    else
        report_add(d->report, FINDING_OK, "libraries", "libraries",
                   "all %zu client libraries that read a variable get a token", readers);
    if (who)
        tell_others(d, others.p, who);
}

void doctor_libraries(doctor *d)
{
    const size_t n = CLIENT_LIBRARY_COUNT;
    walk *walks = calloc(n, sizeof *walks);
    if (!walks)
        abort();
    for (size_t i = 0; i < n; i++)
        (void)report_add_library(d->report, CLIENT_LIBRARIES[i].name);
    for (size_t i = 0; i < n; i++) {
        walks[i] = (walk){.library = &CLIENT_LIBRARIES[i],
                          .row = &d->report->libraries[i],
                          .text = buf_make(REQUEST_MAX)};
        begin(d, &walks[i]);
    }
    run_round(walks, n);
    for (size_t i = 0; i < n; i++)
        follow(d, &walks[i]);
    run_round(walks, n);
    for (size_t i = 0; i < n; i++) {
        if (walks[i].asks)
            judge_probe(d, &walks[i]);
        http_call_free(&walks[i].call);
        walks[i].asks = false;
        ask_for_token(d, &walks[i]);
    }
    run_round(walks, n);
    for (size_t i = 0; i < n; i++) {
        judge_token(d, &walks[i]);
        walks[i].row->found = walks[i].found;
        walks[i].row->why = walks[i].why;
        buf_free(&walks[i].text);
    }
    free(walks);
    sum_up(d);
}
