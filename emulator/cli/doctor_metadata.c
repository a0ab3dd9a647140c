/* The metadata servers themselves: the service's own (or all), asked as a client does; what they
 * say about the time; a token, and whether the gateway's keys confirm it. */
#include <string.h>

#include "base/clock.h"
#include "cli/doctor.h"
#include "jose/jws.h"

#define AREA  "metadata"
#define PROBE "GET /%s HTTP/1.1\r\nHost: %s\r\nMetadata-Flavor: Google\r\nConnection: close\r\n\r\n"
#define IDENTITY                                                                                   \
    "computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience="

enum { SERVERS_MAX = 32, REQUEST_MAX = 4096, REPLY_MAX = 256 * 1024, WHY_MAX = 256 };

/* Beyond this a clock is not just a little late. */
enum { GAP_SEEN_S = 5 };

/* A metadata server and what was asked of it. */
typedef struct server {
    const service *svc; /* NULL: the shared one */
    char *address;
    buf probe_text, token_text;
    http_call *probe, *token;
} server;

/* ---- the clock ---- */

/* Sun, 10 May 2026 05:57:08 GMT */
static bool parse_date(span text, int64_t *out_s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t day = 0, year = 0;
    char iso[CLOCK_RFC3339_MAX];
    int64_t us = 0;
    if (text.n < 29 || !span_u64((span){text.p + 5, 2}, 31, &day) ||
        !span_u64((span){text.p + 12, 4}, 9999, &year))
        return false;
    for (int month = 0; month < 12; month++) {
        if (memcmp(text.p + 8, months + 3 * (size_t)month, 3) != 0)
            continue;
        (void)snprintf(iso, sizeof iso, "%04u-%02d-%02uT%.8sZ", (unsigned)year, month + 1,
                       (unsigned)day, text.p + 17);
        if (!clock_parse_rfc3339(span_of(iso), &us))
            return false;
        *out_s = us / 1000000;
        return true;
    }
    return false;
}

/* The Date field against our clock, in seconds; false: there is none. */
static bool clock_gap(const http_call *c, int64_t now_s, int64_t *out_gap_s)
{
    span date;
    int64_t theirs = 0;
    if (!http_call_field(c, "Date", &date) || !parse_date(date, &theirs))
        return false;
    *out_gap_s = theirs - now_s;
    return true;
}

static void check_clock(const doctor *d, const server *m)
{
    int64_t gap = 0;
    if (!clock_gap(m->probe, clock_now_s(clock_system()), &gap))
        return;
    const int64_t skew = snapshot_emulation(d->s)->clock_skew_s;
    const int64_t size = gap < 0 ? -gap : gap;
    if (size <= GAP_SEEN_S)
        return;
    finding *f =
        report_add(d->report, size > skew ? FINDING_PROBLEM : FINDING_WARNING, "clock", "clock_gap",
                   "the metadata server at %s is %lld s %s of this machine's clock: tokens look %s",
                   m->address, (long long)size, gap > 0 ? "ahead" : "behind",
                   gap > 0 ? "not yet valid to a verifier here" : "expired too early");
    finding_expect(f, "the same time; the gateway forgives %lld s, Python's verifier none",
                   (long long)skew);
    finding_mend(f, "sudo timedatectl set-ntp true, on the machine whose clock is wrong");
}

static void check_times(const doctor *d, const server *m, const claims *c)
{
    const int64_t now = clock_now_s(clock_system());
    const int64_t skew = snapshot_emulation(d->s)->clock_skew_s;
    const bool early = c->has_iat && c->iat_s > now + 1, late = c->has_exp && c->exp_s <= now;
    if (!early && !late)
        return;
    finding *f =
        report_add(d->report, late || c->iat_s > now + skew ? FINDING_PROBLEM : FINDING_WARNING,
                   "clock", "token_times", "a fresh token of %s %s by this machine's clock",
                   m->address, late ? "has expired" : "is from the future");
    finding_expect(f, "iat <= now < exp; the gateway forgives %lld s", (long long)skew);
    finding_mend(f, "sudo timedatectl set-ntp true, on the machine whose clock is wrong");
}

/* ---- answers ---- */

static const char *name_of(const server *m)
{
    return m->svc ? m->svc->name : "the shared listener";
}

static bool answers(const doctor *d, const server *m)
{
    span flavour;
    auto_buf buf why = buf_make(WHY_MAX);
    if (m->probe->outcome == HTTP_ANSWERED) {
        if (http_call_field(m->probe, "Metadata-Flavor", &flavour) &&
            span_eq_str(flavour, "Google") && m->probe->status == 200)
            return true;
        finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "no_flavour",
                                "what answers at %s (status %u) is no metadata server", m->address,
                                m->probe->status);
        finding_expect(f, "status 200 with the field Metadata-Flavor: Google, from %s", name_of(m));
        finding_mend(f, "stop what listens there, then %s up", d->as_invoker);
        return false;
    }
    http_call_trouble(m->probe, &why);
    finding *f =
        report_add(d->report, d->status ? FINDING_PROBLEM : FINDING_WARNING, AREA, "metadata_down",
                   "the metadata server of %s, %s: %s", name_of(m), m->address, why.p ? why.p : "");
    finding_mend(f, "%s up, or %s metadata", d->as_invoker, d->as_invoker);
    return false;
}

/* What stands in the way of the token; NULL: nothing. *out is the caller's. */
static const char *token_fault(const doctor *d, const server *m, claims **out, buf *why)
{
    if (m->token->outcome != HTTP_ANSWERED) {
        http_call_trouble(m->token, why);
        return why->p ? why->p : "";
    }
    if (m->token->status != 200) {
        buf_fmt(why, "status %u: %.*s", m->token->status,
                (int)(m->token->body.n < 80 ? m->token->body.n : 80), m->token->body.p);
        return why->p;
    }
    if (!d->keys)
        return NULL;
    error e = {0};
    const jws_result r = jws_verify(d->keys, m->token->body, out, &e);
    if (r == JWS_OK)
        return NULL;
    buf_fmt(why, "the gateway's keys do not confirm it (%s)", jws_result_name(r));
    return why->p;
}

static void check_token(const doctor *d, const server *m)
{
    claims *c = NULL;
    auto_buf buf why = buf_make(WHY_MAX);
    const char *fault = token_fault(d, m, &c, &why);
    if (fault) {
        finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "token",
                                "a token of %s at %s: %s", name_of(m), m->address, fault);
        finding_expect(f, "an identity token that the gateway accepts");
        finding_mend(f,
                     "let the metadata server and the gateway be of one `up`, or start the "
                     "gateway with --jwks http://%s/oauth2/v3/certs",
                     m->address);
    } else if (c && m->svc && c->email && strcmp(c->email, m->svc->account->email) != 0) {
        finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "token_account",
                                "the metadata server of %s at %s gives tokens of %s", name_of(m),
                                m->address, c->email);
        finding_expect(f, "%s", m->svc->account->email);
        finding_mend(f, "%s up: what listens there is of another topology", d->as_invoker);
    } else if (c) {
        report_add(d->report, FINDING_OK, AREA, "token",
                   "%s, %s: tokens of %s, which the gateway's keys confirm", name_of(m), m->address,
                   c->email ? c->email : "nobody");
    }
    if (c)
        check_times(d, m, c);
    claims_free(c);
}

/* ---- all ---- */

static void add_server(const doctor *d, server *list, size_t *n, const service *svc,
                       const char *listen)
{
    if (!listen || *n == SERVERS_MAX)
        return;
    server *m = &list[(*n)++];
    const char *audience = svc                            ? svc->url
                           : snapshot_service_count(d->s) ? snapshot_service(d->s, 0)->url
                                                          : "http://nobody.invalid";
    *m = (server){.svc = svc,
                  .address = reachable_address(listen),
                  .probe_text = buf_make(REQUEST_MAX),
                  .token_text = buf_make(REQUEST_MAX)};
    auto_buf buf path = buf_make(REQUEST_MAX);
    buf_str(&path, IDENTITY);
    buf_percent(&path, span_of(audience));
    buf_fmt(&m->probe_text, PROBE, "", m->address);
    buf_fmt(&m->token_text, PROBE, path.p, m->address);
}

static void set_call(const doctor *d, http_call *c, const server *m, const buf *text)
{
    *c = (http_call){.request = buf_view(text), .reply_max = REPLY_MAX};
    (void)doctor_names_address(d->names, span_of(m->address), 80, &c->to);
    doctor_call_limits(d, c, d->patience_us);
}

void doctor_metadata(doctor *d)
{
    server list[SERVERS_MAX];
    http_call calls[2 * SERVERS_MAX];
    size_t n = 0;
    if (d->svc && d->svc->metadata)
        add_server(d, list, &n, d->svc, d->svc->metadata);
    else
        add_server(d, list, &n, NULL, snapshot_project(d->s)->metadata_listen);
    for (size_t i = 0; !d->svc && i < snapshot_service_count(d->s); i++)
        add_server(d, list, &n, snapshot_service(d->s, i), snapshot_service(d->s, i)->metadata);
    for (size_t i = 0; i < n; i++) {
        list[i].probe = &calls[2 * i];
        list[i].token = &calls[2 * i + 1];
        set_call(d, list[i].probe, &list[i], &list[i].probe_text);
        set_call(d, list[i].token, &list[i], &list[i].token_text);
    }
    http_calls_run(calls, 2 * n);
    for (size_t i = 0; i < n; i++) {
        if (answers(d, &list[i])) {
            check_clock(d, &list[i]);
            check_token(d, &list[i]);
        }
        http_call_free(list[i].probe);
        http_call_free(list[i].token);
        buf_free(&list[i].probe_text);
        buf_free(&list[i].token_text);
        free(list[i].address);
    }
}

/* ---- the address that clients are born with ---- */

void doctor_link_local(doctor *d)
{
    static const char address[] = "169.254.169.254:80";
    auto_buf buf request = buf_make(REQUEST_MAX);
    buf_fmt(&request, PROBE, "", "169.254.169.254");
    http_call c = {.request = buf_view(&request), .reply_max = REPLY_MAX};
    (void)net_addr_parse(span_of(address), &c.to, NULL);
    doctor_call_limits(d, &c, d->patience_us * 3 / 4);
    http_calls_run(&c, 1);
    span flavour, by = SPAN_LIT("it does not say what it is");
    (void)http_call_field(&c, "Server", &by);
    const bool there = c.outcome == HTTP_ANSWERED &&
                       http_call_field(&c, "Metadata-Flavor", &flavour) &&
                       span_eq_str(flavour, "Google");
    if (there && !span_eq_str(by, "Metadata Server for Serverless")) {
        finding *f = report_add(d->report, FINDING_WARNING, AREA, "real_metadata_server",
                                "%s is a metadata server, and not the emulator's (%.*s): clients "
                                "that read no variable act as this machine's own account, for real",
                                address, SPAN_ARG(by));
        finding_mend(f, "run such clients in containers (docker-compose.linklocal.yml)");
    } else if (there) {
        report_add(d->report, FINDING_OK, AREA, "link_local",
                   "%s answers (%.*s): clients that read no variable find it", address,
                   SPAN_ARG(by));
    } else {
        report_add(d->report, FINDING_OK, AREA, "link_local",
                   "nobody is a metadata server at %s: clients that read no variable (PHP, gRPC's "
                   "C core) find none",
                   address);
    }
    http_call_free(&c);
}
