/* The rows. Log texts are production's ("Troubleshoot Cloud Run", 401 and 403), so they are kept
 * verbatim: one text serves many causes, which is why the cause has its own column. */
#include "decision/reasons.h"

#include <assert.h>
#include <stddef.h>

#define LOG_EMPTY                                                                                  \
    "The request was not authenticated. Either allow unauthenticated invocations or set the "      \
    "proper Authorization header. Empty Authorization header value."
#define LOG_BAD                                                                                    \
    "The request was not authorized to invoke this service. The access token could not be "        \
    "verified."
#define LOG_DENY                                                                                   \
    "The request was not authorized to invoke this service. Read more at "                         \
    "https://cloud.google.com/run/docs/securing/authenticating Additional troubleshooting "        \
    "documentation can be found at: "                                                              \
    "https://cloud.google.com/run/docs/troubleshooting#unauthorized-client"

#define RUN_DOCS  "https://cloud.google.com/run/docs/"
#define IAM_DOCS  "https://cloud.google.com/iam/docs/"
#define AUTH_DOCS "https://cloud.google.com/docs/authentication/"

#define FIX_FETCH                                                                                  \
    "curl -H \"Metadata-Flavor: Google\" \"http://metadata.google.internal/computeMetadata/v1/"    \
    "instance/service-accounts/default/identity?audience={url}\""
#define FIX_SEND "curl -H \"Authorization: Bearer $(gcloud auth print-identity-token)\" {url}"
#define FIX_GRANT                                                                                  \
    "gcloud run services add-iam-policy-binding {service} --region={region} --member={member} "    \
    "--role=roles/run.invoker"
#define FIX_UPDATE "gcloud run services update {service} --region={region} "

/* The columns that go together; the name comes from the list in the header. */
#define ALLOWED(text)                .allows = true, .page = PAGE_NONE, .logged = true, .summary = text
#define NOT_FOUND(which, text, cure) .page = which, .summary = text, .fix = cure
#define UNVERIFIED(text, cure)                                                                     \
    .page = PAGE_401, .challenge = true, .log_text = LOG_BAD, .logged = true, .summary = text,     \
    .fix = cure
#define FORBIDDEN(production, text, cure)                                                          \
    .page = PAGE_403, .log_text = production, .logged = true, .summary = text, .fix = cure

#define ROW_REASON_GRANTED        ALLOWED("A binding lets the caller invoke the service.")
#define ROW_REASON_PUBLIC         ALLOWED("allUsers may invoke the service, so no token is looked at.")
#define ROW_REASON_CHECK_DISABLED ALLOWED("The service's invoker IAM check is switched off.")

#define ROW_REASON_UNKNOWN_HOST                                                                    \
    NOT_FOUND(PAGE_404, "No service has this host name.",                                          \
              "gcloud run services list --region={region}")
#define ROW_REASON_RESERVED_PATH                                                                   \
    NOT_FOUND(PAGE_404_ROBOT, "Cloud Run keeps this path to itself; no container ever sees it.",   \
              "Serve it under another path: /healthz/, /health and /readyz reach the container.")
#define ROW_REASON_DEFAULT_URL_DISABLED                                                            \
    NOT_FOUND(PAGE_404, "The service's run.app URLs are switched off.",                            \
              "gcloud beta run services update {service} --region={region} --default-url")
#define ROW_REASON_INGRESS_BLOCKED                                                                 \
    NOT_FOUND(PAGE_404, "The service's ingress setting does not admit this traffic.",              \
              FIX_UPDATE "--ingress=all")

#define ROW_REASON_NO_CREDENTIAL FORBIDDEN(LOG_EMPTY, "The request carries no token.", FIX_SEND)
#define ROW_REASON_EMPTY_CREDENTIAL                                                                \
    FORBIDDEN(LOG_EMPTY, "The header that should carry the token is empty.", FIX_SEND)
#define ROW_REASON_NOT_BEARER                                                                      \
    UNVERIFIED("The header does not say \"Bearer\" in front of a token.", FIX_SEND)
#define ROW_REASON_REPEATED_HEADER                                                                 \
    UNVERIFIED("The header that counts came more than once.", FIX_SEND)
#define ROW_REASON_SEVERAL_TOKENS UNVERIFIED("One header carries several tokens.", FIX_SEND)
#define ROW_REASON_ACCESS_TOKEN                                                                    \
    UNVERIFIED("This is an OAuth access token; Cloud Run wants an ID token.", FIX_FETCH)
#define ROW_REASON_NOT_A_JWT UNVERIFIED("The token is not a well-formed JWT.", FIX_FETCH)
#define ROW_REASON_SIGNATURE_REMOVED                                                               \
    UNVERIFIED("A token that a service had received was sent on; its signature is gone.", FIX_FETCH)
#define ROW_REASON_BAD_ALG UNVERIFIED("The token is not signed with RS256.", FIX_FETCH)
#define ROW_REASON_UNKNOWN_KEY                                                                     \
    UNVERIFIED("The token is signed with a key that the issuer does not publish.", FIX_FETCH)
#define ROW_REASON_BAD_SIGNATURE UNVERIFIED("The signature does not match the token.", FIX_FETCH)
#define ROW_REASON_BAD_CLAIMS    UNVERIFIED("The token lacks claims or has bad ones.", FIX_FETCH)
#define ROW_REASON_SELF_SIGNED                                                                     \
    UNVERIFIED("A service account signed this itself; it must be exchanged for an ID token.",      \
               "gcloud auth print-identity-token --impersonate-service-account={account} "         \
               "--audiences={url}")
#define ROW_REASON_WRONG_ISSUER UNVERIFIED("The token was not issued by Google.", FIX_FETCH)
#define ROW_REASON_EXPIRED      UNVERIFIED("The token has expired.", FIX_FETCH)
#define ROW_REASON_NOT_YET_VALID                                                                   \
    UNVERIFIED("The token is not valid yet; a clock is wrong.", "sudo timedatectl set-ntp true")
#define ROW_REASON_NO_AUDIENCE    UNVERIFIED("The token has no audience.", FIX_FETCH)
#define ROW_REASON_WRONG_AUDIENCE UNVERIFIED("The token was made for another audience.", FIX_FETCH)

#define ROW_REASON_NO_PRINCIPAL                                                                    \
    FORBIDDEN(LOG_DENY, "The token names nobody whom a binding could mean.",                       \
              "gcloud auth print-identity-token --impersonate-service-account={account} "          \
              "--audiences={url} --include-email")
#define ROW_REASON_ACCOUNT_DISABLED                                                                \
    UNVERIFIED("The caller's service account is disabled.",                                        \
               "gcloud iam service-accounts enable {account}")
#define ROW_REASON_DENIED                                                                          \
    FORBIDDEN(LOG_DENY, "A deny policy forbids it, whatever is granted.",                          \
              "gcloud iam policies list --kind=denypolicies "                                      \
              "--attachment-point=cloudresourcemanager.googleapis.com/projects/{project}")
#define ROW_REASON_CONDITION_NOT_MET                                                               \
    FORBIDDEN(LOG_DENY,                                                                            \
              "A binding lets the caller invoke the service, but its condition is not "            \
              "met.",                                                                              \
              FIX_GRANT " --condition=None")
#define ROW_REASON_NO_GRANT                                                                        \
    FORBIDDEN(LOG_DENY, "The token is good, but its owner may not invoke the service.", FIX_GRANT)
#define ROW_REASON_NOT_PROPAGATED                                                                  \
    FORBIDDEN(LOG_DENY, "Access was granted a moment ago and has not propagated yet.",             \
              "gcloud run services get-iam-policy {service} --region={region}")
#define ROW_REASON_KEYS_UNAVAILABLE                                                                \
    UNVERIFIED("The signing keys are not known yet, so nothing can be proved.",                    \
               "curl https://www.googleapis.com/oauth2/v3/certs")

/* ---- where to read on ---- */

#define LEARN_REASON_GRANTED              RUN_DOCS "securing/managing-access"
#define LEARN_REASON_PUBLIC               RUN_DOCS "authenticating/public"
#define LEARN_REASON_CHECK_DISABLED       RUN_DOCS "authenticating/public"
#define LEARN_REASON_UNKNOWN_HOST         RUN_DOCS "troubleshooting#404"
#define LEARN_REASON_RESERVED_PATH        RUN_DOCS "known-issues"
#define LEARN_REASON_DEFAULT_URL_DISABLED RUN_DOCS "securing/ingress"
#define LEARN_REASON_INGRESS_BLOCKED      RUN_DOCS "securing/ingress"
#define LEARN_REASON_NO_CREDENTIAL        RUN_DOCS "authenticating/overview"
#define LEARN_REASON_EMPTY_CREDENTIAL     RUN_DOCS "authenticating/service-to-service"
#define LEARN_REASON_NOT_BEARER           RUN_DOCS "authenticating/service-to-service"
#define LEARN_REASON_REPEATED_HEADER      RUN_DOCS "troubleshooting#401"
#define LEARN_REASON_SEVERAL_TOKENS       RUN_DOCS "troubleshooting#401"
#define LEARN_REASON_ACCESS_TOKEN         AUTH_DOCS "token-types"
#define LEARN_REASON_NOT_A_JWT            AUTH_DOCS "get-id-token"
#define LEARN_REASON_SIGNATURE_REMOVED    RUN_DOCS "troubleshooting#401"
#define LEARN_REASON_BAD_ALG              AUTH_DOCS "get-id-token"
#define LEARN_REASON_UNKNOWN_KEY          AUTH_DOCS "get-id-token"
#define LEARN_REASON_BAD_SIGNATURE        AUTH_DOCS "get-id-token"
#define LEARN_REASON_BAD_CLAIMS           AUTH_DOCS "get-id-token"
#define LEARN_REASON_SELF_SIGNED          AUTH_DOCS "get-id-token"
#define LEARN_REASON_WRONG_ISSUER         AUTH_DOCS "token-types"
#define LEARN_REASON_EXPIRED              RUN_DOCS "authenticating/service-to-service"
#define LEARN_REASON_NOT_YET_VALID        RUN_DOCS "troubleshooting#401"
#define LEARN_REASON_NO_AUDIENCE          RUN_DOCS "authenticating/service-to-service"
#define LEARN_REASON_WRONG_AUDIENCE       RUN_DOCS "configuring/custom-audiences"
#define LEARN_REASON_NO_PRINCIPAL         AUTH_DOCS "get-id-token"
#define LEARN_REASON_ACCOUNT_DISABLED     IAM_DOCS "service-accounts-disable-enable"
#define LEARN_REASON_DENIED               IAM_DOCS "deny-access"
#define LEARN_REASON_CONDITION_NOT_MET    IAM_DOCS "conditions-overview"
#define LEARN_REASON_NO_GRANT             RUN_DOCS "securing/managing-access"
#define LEARN_REASON_NOT_PROPAGATED       IAM_DOCS "access-change-propagation"
#define LEARN_REASON_KEYS_UNAVAILABLE     AUTH_DOCS "token-types"

static const reason_row rows[REASON_COUNT_] = {
#define X(id, text) [id] = {.name = text, .learn_more = LEARN_##id, ROW_##id},
    REASONS(X)
#undef X
};

const reason_row *reason_info(reason r)
{
    assert((size_t)r < REASON_COUNT_);
    return &rows[r];
}

unsigned reason_status(reason r)
{
    static const unsigned statuses[] = {[PAGE_NONE] = 200,
                                        [PAGE_401] = 401,
                                        [PAGE_403] = 403,
                                        [PAGE_404] = 404,
                                        [PAGE_404_ROBOT] = 404};
    return statuses[reason_info(r)->page];
}

bool reason_by_name(span name, reason *out)
{
    for (size_t i = 0; i < REASON_COUNT_; i++) {
        if (!span_eq_str(name, rows[i].name))
            continue;
        *out = (reason)i;
        return true;
    }
    return false;
}
