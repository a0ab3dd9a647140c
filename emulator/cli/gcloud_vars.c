/* gcloud's properties may also come from variables, which then win over its files ("gcloud topic
 * configurations"). */
#include "cli/gcloud_vars.h"

#include <unistd.h>

#include "base/span.h"

static bool outdoes(span name)
{
    static const char *const prefixes[] = {"CLOUDSDK_ACTIVE_CONFIG_NAME",
                                           "CLOUDSDK_API_ENDPOINT_OVERRIDES_",
                                           "CLOUDSDK_AUTH_",
                                           "CLOUDSDK_CORE_ACCOUNT",
                                           "CLOUDSDK_CORE_CHECK_GCE_METADATA",
                                           "CLOUDSDK_CORE_PROJECT",
                                           "CLOUDSDK_CORE_UNIVERSE_",
                                           "CLOUDSDK_PROXY_",
                                           "CLOUDSDK_RUN_"};
    for (size_t i = 0; i < countof(prefixes); i++)
        if (span_starts(name, span_of(prefixes[i])))
            return true;
    return false;
}

service_vars gcloud_vars(const char *dir, arena *names)
{
    service_vars vars = {0};
    service_vars_add(&vars, "CLOUDSDK_CONFIG", dir, NULL);
    for (char **v = environ; *v; v++) {
        const span name = {*v, span_find(span_of(*v), '=')};
        if (outdoes(name))
            service_vars_add(&vars, arena_dup(names, name), NULL, NULL);
    }
    return vars;
}

envlist gcloud_environment(const char *dir)
{
    envlist env = {0};
    arena *names = arena_new();
    service_vars vars = gcloud_vars(dir, names);
    envlist_inherit(&env, environ);
    service_vars_apply(&vars, &env);
    service_vars_free(&vars);
    arena_free(names);
    return env;
}
