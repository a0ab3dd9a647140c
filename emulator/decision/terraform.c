/* Terraform for what a change of the infrastructure mends. */
#include "decision/terraform.h"

#include "decision/explain_text.h"
#include "policy/role.h"

/* A string of HCL: nothing in it is interpolated. */
static void put_quoted(buf *b, span text)
{
    buf_char(b, '"');
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (c == '"' || c == '\\')
            buf_char(b, '\\');
        if ((c == '$' || c == '%') && i + 1 < text.n && text.p[i + 1] == '{')
            buf_char(b, c);
        explain_char(b, c);
    }
    buf_char(b, '"');
}

/* A service's name is one; of others, letters and digits stay. */
static void put_label(buf *b, span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_';
        buf_add(b, plain ? &c : "_", 1);
    }
}

static void put_pair(buf *b, const char *key, span value)
{
    buf_fmt(b, "  %s = ", key);
    put_quoted(b, value);
    buf_char(b, '\n');
}

/* ---- grants ---- */

static void put_member(buf *b, const evidence *e, const char *who, span label)
{
    buf_str(b, "resource \"google_cloud_run_v2_service_iam_member\" \"");
    put_label(b, e->service);
    buf_char(b, '_');
    put_label(b, label);
    buf_str(b, "\" {\n");
    put_pair(b, "project ", e->project);
    put_pair(b, "location", e->region);
    put_pair(b, "name    ", e->service);
    put_pair(b, "role    ", SPAN_LIT(ROLE_INVOKER));
    put_pair(b, "member  ", span_of(who));
    buf_char(b, '}');
}

static void grant(buf *b, const evidence *e)
{
    auto_buf buf who = buf_make(b->max);
    const span email = e->principal.email;
    if (!email.n)
        return;
    explain_member(&who, &e->principal);
    put_member(b, e, who.p, (span){email.p, span_find(email, '@')});
}

static void open_to_all(buf *b, const evidence *e)
{
    buf_str(b, "# if it is meant to be public\n");
    put_member(b, e, "allUsers", SPAN_LIT("allUsers"));
}

/* ---- settings ---- */

/* One attribute of a resource that is there. */
static void put_setting(buf *b, const char *type, span name, const char *setting)
{
    buf_fmt(b, "resource \"%s\" \"", type);
    put_label(b, name);
    buf_fmt(b, "\" {\n  # …\n%s}", setting);
}

#define SERVICE "google_cloud_run_v2_service"

static void account_of_caller(buf *b, const evidence *e)
{
    auto_buf buf setting = buf_make(b->max);
    buf_str(&setting, "  template {\n    service_account = ");
    put_quoted(&setting, e->mend_value);
    buf_str(&setting, "\n  }\n");
    put_setting(b, SERVICE, e->mend_service, setting.p);
}

static void audience(buf *b, const evidence *e)
{
    auto_buf buf setting = buf_make(b->max);
    auto_buf buf url = buf_make(b->max);
    buf_str(&url, "https://");
    buf_span(&url, e->mend_value);
    buf_str(&setting, "  custom_audiences = [");
    put_quoted(&setting, buf_view(&url));
    buf_str(&setting, "]\n");
    put_setting(b, SERVICE, e->service, setting.p);
}

/* deniedPrincipals of IAM v2 name an account so. */
static void exception(buf *b, const evidence *e)
{
    auto_buf buf who = buf_make(b->max);
    auto_buf buf setting = buf_make(b->max);
    if (!e->principal.email.n)
        return;
    buf_str(&who, e->principal.kind == MEMBER_SERVICE_ACCOUNT
                      ? "principal://iam.googleapis.com/projects/-/serviceAccounts/"
                      : "principal://goog/subject/");
    buf_span(&who, e->principal.email);
    buf_str(&setting, "  rules {\n    deny_rule {\n      exception_principals = [");
    put_quoted(&setting, buf_view(&who));
    buf_str(&setting, "]\n    }\n  }\n");
    put_setting(b, "google_iam_deny_policy", e->deny_policy.n ? e->deny_policy : SPAN_LIT("POLICY"),
                setting.p);
}

static void enabled(buf *b, const evidence *e)
{
    const span email = e->principal.email;
    put_setting(b, "google_service_account", (span){email.p, span_find(email, '@')},
                "  disabled = false\n");
}

void evidence_terraform(buf *b, const evidence *e)
{
    if (e->mend_service.n && e->reason == REASON_NO_GRANT)
        account_of_caller(b, e);
    else if (e->mend_service.n)
        audience(b, e);
    else if (e->reason == REASON_NO_GRANT || e->reason == REASON_CONDITION_NOT_MET)
        grant(b, e);
    else if (e->reason == REASON_NO_CREDENTIAL)
        open_to_all(b, e);
    else if (e->reason == REASON_DEFAULT_URL_DISABLED)
        put_setting(b, SERVICE, e->service, "  default_uri_disabled = false\n");
    else if (e->reason == REASON_INGRESS_BLOCKED)
        put_setting(b, SERVICE, e->service, "  ingress = \"INGRESS_TRAFFIC_ALL\"\n");
    else if (e->reason == REASON_ACCOUNT_DISABLED)
        enabled(b, e);
    else if (e->reason == REASON_DENIED)
        exception(b, e);
}
