/* What mends a refusal: the production command, and the line of the topology file. */
#include "decision/explain_text.h"

#include "decision/explain.h"
#include "policy/role.h"

/* ---- production ---- */

/* The account that the token speaks of, or a word to fill in. */
static span account_email(const decision *d, const request_facts *f)
{
    if (d->principal.email.n)
        return d->principal.email;
    const claims *c = f->claims;
    if (c && c->email && strchr(c->email, '@'))
        return span_of(c->email);
    if (c && c->iss && member_kind_of_email(span_of(c->iss)) == MEMBER_SERVICE_ACCOUNT)
        return span_of(c->iss);
    return SPAN_LIT("ACCOUNT");
}

static void put_value(buf *b, span name, const snapshot *s, const decision *d,
                      const request_facts *f)
{
    const service *svc = d->service;
    if (span_eq_str(name, "service"))
        buf_str(b, svc ? svc->name : "SERVICE");
    else if (span_eq_str(name, "region"))
        explain_shell(b, span_of(snapshot_project(s)->region));
    else if (span_eq_str(name, "project"))
        explain_shell(b, span_of(snapshot_project(s)->id));
    else if (span_eq_str(name, "url"))
        buf_str(b, svc ? explain_production_url(svc) : "URL");
    else if (span_eq_str(name, "account"))
        explain_shell(b, account_email(d, f));
    else if (span_eq_str(name, "member") && d->principal.email.n) {
        auto_buf buf who = buf_make(b->max);
        explain_member(&who, &d->principal);
        explain_shell(b, buf_view(&who));
    } else
        buf_str(b, "MEMBER");
}

/* The template with its {names} replaced. */
static void put_template(buf *b, const char *template, const snapshot *s, const decision *d,
                         const request_facts *f)
{
    span rest = span_of(template), text, name;
    while (span_cut(&rest, '{', &text)) {
        buf_span(b, text);
        span_cut(&rest, '}', &name);
        put_value(b, name, s, d, f);
    }
    buf_span(b, text);
}

/* Somebody whose grant on the service shows which account the caller should run as. */
static const binding *rightful_caller(const snapshot *s, const service *svc)
{
    const size_t count = snapshot_binding_count(s);
    for (size_t i = 0; i < count; i++) {
        const binding *g = snapshot_binding(s, i);
        if (g->invokes && g->service == svc->index &&
            span_starts(span_of(g->member), SPAN_LIT("serviceAccount:")))
            return g;
    }
    return NULL;
}

static const service *first_on_default_account(const snapshot *s)
{
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *svc = snapshot_service(s, i);
        if (svc->account_is_default)
            return svc;
    }
    return NULL;
}

/* A caller on the default account needs an account of its own, not a grant for everybody's: the
 * grant that shows which, or NULL. */
static const binding *wanted_account(const snapshot *s, const decision *d)
{
    const char *compute = snapshot_project(s)->default_account;
    if (d->reason != REASON_NO_GRANT || !span_ieq_str(d->principal.email, compute))
        return NULL;
    return rightful_caller(s, d->service);
}

static bool mend_default_account(const snapshot *s, const decision *d, span *out_service,
                                 span *out_value)
{
    const binding *g = wanted_account(s, d);
    if (!g)
        return false;
    const service *caller = first_on_default_account(s);
    *out_service = caller ? span_of(caller->name) : SPAN_LIT("CALLER");
    *out_value = span_from(span_of(g->member), strlen("serviceAccount:"));
    return true;
}

/* The listed domain of the service, as it stands in the topology: nothing of the token's text gets
 * into a command. */
static bool mend_custom_domain(const decision *d, span *out_service, span *out_value)
{
    const service *svc = d->service;
    if (d->reason != REASON_WRONG_AUDIENCE || d->audience != AUDIENCE_CUSTOM_DOMAIN)
        return false;
    const char *domain = svc->hosts[0];
    for (const char *const *h = svc->hosts; *h; h++) {
        if (strstr(d->audience_got, *h))
            domain = *h;
    }
    *out_service = span_of(svc->name);
    *out_value = span_of(domain);
    return true;
}

void explain_mend(const snapshot *s, const decision *d, span *out_service, span *out_value)
{
    if (mend_default_account(s, d, out_service, out_value) ||
        mend_custom_domain(d, out_service, out_value))
        return;
    *out_service = *out_value = (span){NULL, 0};
}

static bool fix_otherwise(buf *b, const snapshot *s, const decision *d)
{
    span name, value;
    explain_mend(s, d, &name, &value);
    if (!name.n)
        return false;
    buf_fmt(b, "gcloud run services update %.*s --region=", SPAN_ARG(name));
    explain_shell(b, span_of(snapshot_project(s)->region));
    if (d->reason == REASON_WRONG_AUDIENCE) {
        buf_str(b, " --add-custom-audiences=https://");
        buf_span(b, value);
    } else {
        buf_str(b, " --service-account=");
        explain_shell(b, value);
    }
    return true;
}

/* gcloud refuses to add to a policy with conditions unless it is told that this one has none. */
static bool has_conditions(const snapshot *s, const service *svc)
{
    const size_t count = snapshot_binding_count(s);
    for (size_t i = 0; i < count; i++) {
        const binding *g = snapshot_binding(s, i);
        if (g->condition && g->service == svc->index)
            return true;
    }
    return false;
}

void explain_fix(buf *b, const snapshot *s, const decision *d, const request_facts *f)
{
    const reason_row *row = reason_info(d->reason);
    if (row->allows || !row->fix)
        return;
    if (fix_otherwise(b, s, d))
        return;
    put_template(b, row->fix, s, d, f);
    if (d->reason == REASON_NO_GRANT && has_conditions(s, d->service))
        buf_str(b, " --condition=None");
}

/* ---- here ---- */

/* "frontend-sa: [backend-api, db-service]": the caller's line as it should be. */
static void put_matrix_line(buf *b, const snapshot *s, const decision *d)
{
    auto_buf buf who = buf_make(b->max);
    explain_member(&who, &d->principal);
    explain_caller(b, s, &d->principal);
    buf_str(b, ": [");
    size_t shown = 0;
    const size_t count = snapshot_binding_count(s);
    for (size_t i = 0; i < count; i++) {
        const binding *g = snapshot_binding(s, i);
        if (g->service == BINDING_NO_SERVICE || g->condition ||
            strcmp(g->role, ROLE_INVOKER) != 0 || !span_eq_str(buf_view(&who), g->member))
            continue;
        if (++shown > NAMES_SHOWN_MAX)
            break;
        buf_fmt(b, "%s, ", snapshot_service(s, g->service)->name);
    }
    buf_fmt(b, "%s%s]", shown > NAMES_SHOWN_MAX ? "…, " : "", d->service->name);
}

static void fix_grant_here(buf *b, const snapshot *s, const decision *d)
{
    span name, email;
    if (mend_default_account(s, d, &name, &email)) {
        buf_fmt(b, "services: %.*s: service_account: ", SPAN_ARG(name));
        explain_caller(b, s, &(principal){MEMBER_SERVICE_ACCOUNT, email});
        return;
    }
    buf_fmt(b, "matrix: add %s to ", d->service->name);
    explain_caller(b, s, &d->principal);
    buf_str(b, ", so that it reads ");
    put_matrix_line(b, s, d);
}

static void fix_audience_here(buf *b, const decision *d)
{
    const service *svc = d->service;
    if (d->audience == AUDIENCE_CUSTOM_DOMAIN) {
        buf_fmt(b, "services: %s: custom_audiences: add ", svc->name);
        explain_quoted(b, span_of(d->audience_got));
    } else {
        buf_fmt(b, "ask for the audience %s", svc->url);
    }
}

static void fix_deny_here(buf *b, const decision *d)
{
    if (d->deny->policy) {
        buf_fmt(b, "delete the deny policy %s, or add ", d->deny->policy);
        buf_str(b, "the caller to its exceptionPrincipals");
        return;
    }
    buf_str(b, "deny: add the caller to exceptionPrincipals");
    if (d->deny->place.file) {
        buf_str(b, " of the rule at ");
        place_put(b, d->deny->place, true);
    }
}

/* Only those reasons that a line of the topology answers; the others need another request. */
static void fix_service_here(buf *b, const snapshot *s, const decision *d)
{
    const char *name = d->service->name;
    if (d->reason == REASON_DEFAULT_URL_DISABLED)
        buf_fmt(b, "services: %s: default_url: true", name);
    else if (d->reason == REASON_INGRESS_BLOCKED)
        buf_fmt(b, "services: %s: ingress: all", name);
    else if (d->reason == REASON_NO_CREDENTIAL)
        buf_fmt(b, "matrix: add %s to allUsers, if it is meant to be public", name);
    else if (d->reason == REASON_WRONG_AUDIENCE)
        fix_audience_here(b, d);
    else if (d->reason == REASON_NO_GRANT)
        fix_grant_here(b, s, d);
    else if (d->reason == REASON_CONDITION_NOT_MET)
        fix_grant_here(b, s, d);
    else if (d->reason == REASON_DENIED)
        fix_deny_here(b, d);
    else if (d->reason == REASON_NOT_PROPAGATED)
        buf_str(b, "emulation: { propagation_delay: 0s }, or wait");
}

void explain_local_fix(buf *b, const snapshot *s, const decision *d, const request_facts *f)
{
    (void)f;
    if (d->reason == REASON_ACCOUNT_DISABLED) {
        buf_str(b, "service_accounts: ");
        explain_caller(b, s, &d->principal);
        buf_str(b, ": { disabled: false }");
    } else if (d->service) {
        fix_service_here(b, s, d);
    }
}
