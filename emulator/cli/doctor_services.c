/* The services: their processes accept connections, and calls get what the topology says. Only GET
 * / is sent, and only where a caller would be let in does it reach the process. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/doctor.h"
#include "cli/why.h"

#define AREA "service"
#define IDENTITY                                                                                   \
    "computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience="

enum { CALLS_MAX = 24, REQUEST_MAX = 32 * 1024, REPLY_MAX = 1024 * 1024, WHY_MAX = 256 };

/* A call of target by the process of `by`; NULL: by nobody in particular. */
typedef struct
try {
    const service *target, *by;
    buf text;
    http_call call;
    char *token; /* NULL: none could be got, or none is meant to be */
}
try;

typedef struct tries {
    try items[CALLS_MAX];
    size_t count;
} tries;

/* ---- which calls ---- */

static bool concerns(const doctor *d, const service *svc)
{
    return !d->svc || d->svc == svc;
}

static void add(tries *t, const service *target, const service *by)
{
    if (t->count < CALLS_MAX && target->listen && (!by || by->metadata))
        t->items[t->count++] = (try){.target = target, .by = by, .text = buf_make(REQUEST_MAX)};
}

/* The first service whose account may call it and whose metadata server can be asked. */
static const service *allowed_caller(const doctor *d, const service *target)
{
    for (size_t i = 0; i < snapshot_service_count(d->s); i++) {
        const service *by = snapshot_service(d->s, i);
        const principal who = {MEMBER_SERVICE_ACCOUNT, span_of(by->account->email)};
        if (by->metadata && by != target && !by->account->disabled &&
            snapshot_grant(d->s, target, &who, clock_wall_us()))
            return by;
    }
    return NULL;
}

/* ---- what the topology says of it ---- */

static decision expected(const doctor *d, const try *one, bool internal)
{
    const char *const audiences[] = {one->target->url};
    const int64_t now = clock_wall_us();
    const account *a = one->by ? one->by->account : NULL;
    const claims c = {.iss = "https://accounts.google.com",
                      .sub = a ? a->unique_id : NULL,
                      .email = a ? a->email : NULL,
                      .email_verified = true,
                      .aud = audiences,
                      .aud_count = 1,
                      .has_exp = true,
                      .has_iat = true,
                      .iat_s = now / 1000000,
                      .exp_s = now / 1000000 + 3600};
    const request_facts f = {.service = one->target,
                             .internal = internal,
                             .header = a ? HEADER_AUTHORIZATION : HEADER_NONE,
                             .token = a ? TOKEN_VERIFIED : TOKEN_ABSENT,
                             .claims = a ? &c : NULL};
    decision judged = decide(d->s, &f, now);
    judged.audience_got = NULL; /* ours ends here */
    return judged;
}

/* Somebody with a token where one is needed. */

static void choose(const doctor *d, tries *t)
{
    for (size_t i = 0; i < snapshot_service_count(d->s); i++) {
        const service *svc = snapshot_service(d->s, i);
        if (!concerns(d, svc)) {
            add(t, svc, d->svc);
            continue;
        }
        const service *by = allowed_caller(d, svc);
        const reason alone = expected(d, &(try){.target = svc}, false).reason;
        add(t, svc, NULL);
        if (by && !reason_info(alone)->allows)
            add(t, svc, by);
    }
}

/* ---- rounds ---- */

static void set_call(const doctor *d, http_call *c, const char *address, const buf *text)
{
    auto_free char *where = reachable_address(address);
    *c = (http_call){.request = buf_view(text), .reply_max = REPLY_MAX};
    (void)doctor_names_address(d->names, span_of(where), 80, &c->to);
    doctor_call_limits(d, c, d->patience_us);
}

static void run(tries *t)
{
    http_call calls[CALLS_MAX];
    for (size_t i = 0; i < t->count; i++)
        calls[i] = t->items[i].call;
    http_calls_run(calls, t->count);
    for (size_t i = 0; i < t->count; i++)
        t->items[i].call = calls[i];
}

static void get_tokens(const doctor *d, tries *t)
{
    tries askers = {0};
    size_t owners[CALLS_MAX] = {0};
    for (size_t i = 0; i < t->count; i++) {
        try *one = &t->items[i];
        if (!one->by)
            continue;
        try *asker = &askers.items[askers.count];
        asker->text = buf_make(REQUEST_MAX);
        buf_str(&asker->text, "GET /" IDENTITY);
        buf_percent(&asker->text, span_of(one->target->url));
        buf_fmt(&asker->text,
                " HTTP/1.1\r\nHost: %s\r\nMetadata-Flavor: Google\r\nConnection: close\r\n\r\n",
                one->by->metadata);
        set_call(d, &asker->call, one->by->metadata, &asker->text);
        owners[askers.count++] = i;
    }
    run(&askers);
    for (size_t i = 0; i < askers.count; i++) {
        try *asker = &askers.items[i];
        if (asker->call.outcome == HTTP_ANSWERED && asker->call.status == 200)
            t->items[owners[i]].token = span_dup(asker->call.body);
        http_call_free(&asker->call);
        buf_free(&asker->text);
    }
}

static void make_calls(const doctor *d, tries *t)
{
    for (size_t i = 0; i < t->count; i++) {
        try *one = &t->items[i];
        buf_fmt(&one->text, "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: invoker-doctor\r\n",
                one->target->listen);
        if (one->token)
            buf_fmt(&one->text, "Authorization: Bearer %s\r\n", one->token);
        buf_str(&one->text, "Connection: close\r\n\r\n");
        set_call(d, &one->call, one->target->listen, &one->text);
    }
    run(t);
}

/* ---- what came of it ---- */

/* Is it one of the pages that the gateway refuses with? A service may answer 403 by itself. */
static bool is_refusal(const http_call *c)
{
    static const char *const marks[] = {"<h1>Error: Forbidden</h1>", "<h1>Error: Unauthorized</h1>",
                                        "<h1>Error: Page not found</h1>", "Error 404 (Not Found)"};
    for (size_t i = 0; i < countof(marks); i++)
        if (c->body.n && memmem(c->body.p, c->body.n, marks[i], strlen(marks[i])))
            return c->status == 401 || c->status == 403 || c->status == 404;
    return false;
}

static bool as_expected(const http_call *c, reason r)
{
    return reason_info(r)->allows ? !is_refusal(c) : c->status == why_status(r);
}

static const char *caller_name(const try *one)
{
    return one->by ? one->by->account->email : "nobody (without a token)";
}

static void mend_call(const doctor *d, finding *f, const try *one)
{
    if (one->by)
        finding_mend(f, "%s why --last, or: %s why --as %s --to %s", d->as_invoker, d->as_invoker,
                     one->by->account->email, one->target->name);
    else
        finding_mend(f, "%s why --last, or: %s why --anonymous --to %s", d->as_invoker,
                     d->as_invoker, one->target->name);
}

static void check_call(const doctor *d, const try *one)
{
    const reason outside = expected(d, one, false).reason, inside = expected(d, one, true).reason;
    if (one->by && !one->token)
        return; /* the metadata server's trouble is told already */
    if (one->call.outcome != HTTP_ANSWERED) {
        auto_buf buf why = buf_make(WHY_MAX);
        http_call_trouble(&one->call, &why);
        finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "listener",
                                "%s's listener at the gateway, %s: %s", one->target->name,
                                one->target->listen, why.p ? why.p : "");
        finding_mend(f, "%s up, or %s gateway", d->as_invoker, d->as_invoker);
        return;
    }
    const bool in = as_expected(&one->call, inside);
    if (as_expected(&one->call, outside) || in) {
        const reason r = in ? inside : outside;
        report_add(d->report, FINDING_OK, AREA, "call", "GET / of %s by %s: %u, %s (%s)",
                   one->target->name, caller_name(one), one->call.status,
                   reason_info(r)->allows ? "let in" : "refused", reason_info(r)->name);
        return;
    }
    finding *f =
        report_add(d->report, FINDING_PROBLEM, AREA, "call_unexpected", "GET / of %s by %s got %u",
                   one->target->name, caller_name(one), one->call.status);
    finding_expect(f, "%s (%s) by the topology", why_status_text(outside),
                   reason_info(outside)->name);
    mend_call(d, f, one);
}

/* ---- the processes behind ---- */

static void check_upstream(const doctor *d, const service *svc, const http_call *c)
{
    auto_buf buf why = buf_make(WHY_MAX);
    if (c->outcome == HTTP_ANSWERED) {
        report_add(d->report, FINDING_OK, AREA, "upstream",
                   "%s's process accepts connections at %s", svc->name, svc->upstream);
        return;
    }
    http_call_trouble(c, &why);
    finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "upstream_down",
                            "nothing listens for %s at its upstream %s (%s): callers get 503",
                            svc->name, svc->upstream, why.p ? why.p : "");
    if (svc->command)
        finding_mend(f, "look into the log of `%s up`, which runs its command", d->as_invoker);
    else
        finding_mend(f, "%s run %s -- YOUR COMMAND", d->as_invoker, svc->name);
}

static void check_upstreams(const doctor *d)
{
    http_call calls[CALLS_MAX] = {0};
    const service *owners[CALLS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < snapshot_service_count(d->s) && n < CALLS_MAX; i++) {
        const service *svc = snapshot_service(d->s, i);
        http_call *c = &calls[n];
        if (!svc->upstream ||
            doctor_names_address(d->names, span_of(svc->upstream), 80, &c->to) != NAME_FOUND)
            continue;
        doctor_call_limits(d, c, d->patience_us);
        owners[n++] = svc;
    }
    http_calls_run(calls, n);
    for (size_t i = 0; i < n; i++) {
        check_upstream(d, owners[i], &calls[i]);
        http_call_free(&calls[i]);
    }
}

void doctor_services(doctor *d)
{
    tries t = {0};
    if (!d->status)
        return; /* nothing runs: that is told already */
    check_upstreams(d);
    choose(d, &t);
    get_tokens(d, &t);
    make_calls(d, &t);
    for (size_t i = 0; i < t.count; i++) {
        check_call(d, &t.items[i]);
        http_call_free(&t.items[i].call);
        buf_free(&t.items[i].text);
        free(t.items[i].token);
    }
}
