/* The table, and the few rules that are no data. */
#include "cli/client_libraries.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define FLAVOUR    "Metadata-Flavor: Google\r\n"
#define ACCOUNT    "computeMetadata/v1/instance/service-accounts/default/"
#define LINK_LOCAL "169.254.169.254"
#define NAME       "metadata.google.internal"

const client_library CLIENT_LIBRARIES[] = {
    {.name = "Python google-auth",
     .vars = {"GCE_METADATA_HOST", "GCE_METADATA_ROOT"},
     .host = NAME,
     .ping_vars = {"GCE_METADATA_IP"},
     .ping_host = LINK_LOCAL,
     .path = PATH_COLLAPSES,
     .gate = GATE_PYTHON,
     .dmi = DMI_STARTS,
     .probe = "",
     .fields = "metadata-flavor: Google\r\nx-goog-api-client: gl-python/3 auth/2.48.0 "
               "auth-request-type/mds\r\n",
     .probe_ms = 3000,
     .accepts = ACCEPTS_200,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_PYTHON,
     .adc = true,
     .token = ACCOUNT "identity?format=full&audience="},
    {.name = "Node google-auth-library",
     .vars = {"GCE_METADATA_IP", "GCE_METADATA_HOST"},
     .host = LINK_LOCAL,
     .takes_scheme = true,
     .path = PATH_REPLACES,
     .gate = GATE_NODE,
     .probe = "computeMetadata/v1/instance",
     .fields = FLAVOUR,
     .probe_ms = 3000,
     .accepts = ACCEPTS_2XX,
     .ping_proxy = PROXY_NODE,
     .proxy = PROXY_NODE,
     .adc = true,
     .token = ACCOUNT "identity?format=full&audience="},
    {.name = "Go api/idtoken",
     .vars = {"GCE_METADATA_HOST"},
     .host = LINK_LOCAL,
     .gate = GATE_VARIABLE,
     .dmi = DMI_EQUALS,
     .probe = "",
     .fields = "User-Agent: gcloud-golang/0.1\r\n",
     .probe_ms = 2000,
     .accepts = ACCEPTS_FLAVOUR,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .adc = true,
     .token = ACCOUNT "identity?format=full&audience="},
    {.name = "Java google-auth-library",
     .vars = {"GCE_METADATA_HOST"},
     .host = NAME,
     .gate = GATE_JAVA,
     .dmi = DMI_STARTS,
     .probe = "",
     .fields = FLAVOUR "x-goog-api-client: gl-java/17 auth/1.43.0 auth-request-type/mds\r\n",
     .probe_ms = 500,
     .accepts = ACCEPTS_2XX,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .adc = true,
     .token = ACCOUNT "identity?audience="},
    {.name = ".NET Google.Apis.Auth",
     .vars = {"GCE_METADATA_HOST"},
     .host = LINK_LOCAL,
     .gate = GATE_PROBES,
     .dmi = DMI_EQUALS,
     .probe = "",
     .fields = FLAVOUR,
     .probe_ms = 500,
     .accepts = ACCEPTS_FLAVOUR,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .adc = true,
     .token = ACCOUNT "identity?format=full&audience="},
    {.name = ".NET Google.Api.Gax",
     .vars = {"GCE_METADATA_HOST", "METADATA_EMULATOR_HOST"},
     .host = LINK_LOCAL,
     .gate = GATE_PROBES,
     .probe = "computeMetadata/v1?recursive=true",
     .fields = FLAVOUR,
     .probe_ms = 500,
     .accepts = ACCEPTS_LENGTH,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .token = ACCOUNT "email",
     .token_is_email = true},
    {.name = "Ruby googleauth",
     .vars = {"GCE_METADATA_HOST"},
     .host = LINK_LOCAL,
     .takes_scheme = true,
     .path = PATH_REPLACES,
     .gate = GATE_CLOUD_RUN,
     .dmi = DMI_CONTAINS,
     .probe = "",
     .fields = FLAVOUR,
     .probe_ms = 500,
     .accepts = ACCEPTS_200,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .adc = true,
     .token = ACCOUNT "identity?format=full&audience="},
    {.name = "Rust google-cloud-auth",
     .vars = {"GCE_METADATA_HOST"},
     .host = NAME,
     .path = PATH_COLLAPSES,
     .gate = GATE_NONE,
     .proxy = PROXY_NEVER,
     .adc = true,
     .token = ACCOUNT "identity?audience="},
    {.name = "C++ google-cloud-cpp",
     .vars = {"GCE_METADATA_ROOT"},
     .host = NAME ".",
     .gate = GATE_NONE,
     .proxy = PROXY_CURL,
     .adc = true,
     .token = ACCOUNT "identity?audience="},
    {.name = "gcloud",
     .vars = {"GCE_METADATA_ROOT"},
     .host = NAME,
     .gate = GATE_PROBES,
     .probe = "computeMetadata/v1/project/numeric-project-id",
     .fields = FLAVOUR,
     .probe_ms = 3000,
     .accepts = ACCEPTS_DIGITS,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .token = ACCOUNT "identity?format=standard&licenses=FALSE&audience="},
    {.name = "PHP google/auth",
     .host = LINK_LOCAL,
     .gate = GATE_PROBES,
     .dmi = DMI_STARTS,
     .probe = "",
     .fields = FLAVOUR,
     .probe_ms = 500,
     .accepts = ACCEPTS_2XX,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .adc = true,
     .token = ACCOUNT "identity?audience="},
    {.name = "gRPC C core",
     .host = NAME ".",
     .gate = GATE_PROBES,
     .probe = "",
     .fields = "",
     .probe_ms = 1000,
     .accepts = ACCEPTS_EXACT_NAME,
     .ping_proxy = PROXY_NEVER,
     .proxy = PROXY_NEVER,
     .adc = true,
     .token = ACCOUNT "email",
     .token_is_email = true},
};
const size_t CLIENT_LIBRARY_COUNT = countof(CLIENT_LIBRARIES);

static const char *set(const envlist *env, const char *name)
{
    const char *value = envlist_get(env, name);
    return value && *value ? value : NULL;
}

const char *client_library_address(const client_library *l, const envlist *env, bool ping,
                                   const char **out_variable)
{
    const bool own = ping && l->ping_host;
    const char *const *names = own ? l->ping_vars : l->vars;
    *out_variable = NULL;
    for (size_t i = 0; i < LIBRARY_VARS_MAX && names[i]; i++) {
        const char *value = set(env, names[i]);
        if (!value)
            continue;
        *out_variable = names[i];
        return value;
    }
    return own ? l->ping_host : l->host;
}

bool client_library_dmi(const client_library *l, const char *dmi)
{
    switch (l->dmi) {
    case DMI_IGNORED:
        return false;
    case DMI_STARTS:
        return strncmp(dmi, "Google", 6) == 0;
    case DMI_EQUALS:
        return strcmp(dmi, "Google") == 0 || strcmp(dmi, "Google Compute Engine") == 0;
    case DMI_CONTAINS:
        return strstr(dmi, "Google") != NULL;
    }
    abort();
}

static gate_result no_gce_check(const envlist *env, bool any_case, const char **out_why)
{
    const char *value = set(env, "NO_GCE_CHECK");
    if (!value || !(any_case ? span_ieq_str(span_of(value), "true") : strcmp(value, "true") == 0))
        return GATE_ASK;
    *out_why = "NO_GCE_CHECK is set";
    return GATE_ABSENT;
}

static gate_result node_gate(const envlist *env, const char **out_why)
{
    const char *value = set(env, "METADATA_SERVER_DETECTION");
    const span mode = span_trim(span_of(value));
    if (set(env, "K_SERVICE") || set(env, "CLOUD_RUN_JOB") || set(env, "FUNCTION_NAME")) {
        *out_why = "does not probe: K_SERVICE says Cloud Run";
        return GATE_FOUND;
    }
    if (!value || span_ieq_str(mode, "ping-only"))
        return GATE_ASK;
    if (span_ieq_str(mode, "assume-present")) {
        *out_why = "does not probe: METADATA_SERVER_DETECTION";
        return GATE_FOUND;
    }
    *out_why = "METADATA_SERVER_DETECTION forbids it";
    return GATE_ABSENT;
}

static gate_result cloud_run_gate(const client_library *l, const envlist *env, const char *dmi,
                                  const char **out_why)
{
    if (client_library_dmi(l, dmi) ||
        (set(env, "K_SERVICE") && set(env, "K_REVISION") && set(env, "K_CONFIGURATION")))
        return GATE_ASK;
    *out_why = "does not look: K_SERVICE, K_REVISION and K_CONFIGURATION are not all set";
    return GATE_ABSENT;
}

gate_result client_library_gate(const client_library *l, const envlist *env, const char *dmi,
                                const char **out_why)
{
    const char *variable = NULL;
    switch (l->gate) {
    case GATE_PROBES:
        return GATE_ASK;
    case GATE_NONE:
        *out_why = "does not probe";
        return GATE_FOUND;
    case GATE_PYTHON:
        return no_gce_check(env, false, out_why);
    case GATE_JAVA:
        return no_gce_check(env, true, out_why);
    case GATE_NODE:
        return node_gate(env, out_why);
    case GATE_VARIABLE:
        (void)client_library_address(l, env, false, &variable);
        *out_why = "does not probe where the variable is set";
        return variable ? GATE_FOUND : GATE_ASK;
    case GATE_CLOUD_RUN:
        return cloud_run_gate(l, env, dmi, out_why);
    }
    abort();
}

/* ---- the answer to the probe ---- */

static bool has_exact_name(const http_call *c)
{
    static const char field[] = "\r\nMetadata-Flavor:";
    return memmem(c->head.p, c->head.n, field, sizeof field - 1) != NULL;
}

static bool is_flavoured(const http_call *c)
{
    span value;
    return http_call_field(c, "Metadata-Flavor", &value) && span_eq_str(value, "Google");
}

/* What an answer lacks that has the flavour, or needs none; NULL: nothing. */
static const char *shape_fault(probe_accepts accepts, const http_call *c)
{
    span value;
    uint64_t n;
    const bool ok = c->status == 200;
    switch (accepts) {
    case ACCEPTS_FLAVOUR:
        return NULL;
    case ACCEPTS_2XX:
        return c->status / 100 == 2 ? NULL : "the answer's status is not 2xx";
    case ACCEPTS_200:
        return ok ? NULL : "the answer's status is not 200";
    case ACCEPTS_LENGTH:
        return ok && http_call_field(c, "Content-Length", &value)
                   ? NULL
                   : "the answer is not 200 with a Content-Length";
    case ACCEPTS_EXACT_NAME:
        return ok && has_exact_name(c) ? NULL
                                       : "the answer is not 200 with Metadata-Flavor, spelt so";
    case ACCEPTS_DIGITS:
        return ok && span_u64(c->body, UINT64_MAX, &n) ? NULL : "the answer is no project number";
    }
    abort();
}

const char *client_library_fault(const client_library *l, const http_call *c)
{
    if (l->accepts != ACCEPTS_DIGITS && !is_flavoured(c))
        return "the answer has no Metadata-Flavor: Google";
    return shape_fault(l->accepts, c);
}
