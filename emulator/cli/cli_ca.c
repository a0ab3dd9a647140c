/* Finding and opening the local certificate authority. */
#include "cli/cli_ca.h"

#include <stdlib.h>

#include "cli/cli_keys.h"
#include "pki/ca.h"

const char *cli_ca_option(const char *option)
{
    const char *variable = getenv("INVOKER_CA");
    if (option)
        return option;
    return variable && *variable ? variable : NULL;
}

char *cli_ca_dir(const char *ca_option, const char *keys_option, const snapshot *s)
{
    const char *named = ca_option ? ca_option : keys_option ? NULL : cli_ca_option(NULL);
    if (named)
        return span_dup(span_of(named));
    auto_free char *keys = cli_keys_dir(keys_option, s);
    return ca_dir_in(keys);
}

bool cli_trust(const char *dir, trust_files *out, error *e)
{
    *out = (trust_files){0};
    ca *c = ca_open(dir, true, clock_system(), e);
    const bool ok = c && ca_refresh_bundle(c, e);
    if (ok)
        *out = (trust_files){.certificate = span_dup(span_of(ca_certificate_path(c))),
                             .bundle = span_dup(span_of(ca_bundle_path(c)))};
    ca_close(c);
    return ok;
}

void cli_trust_free(trust_files *t)
{
    free(t->certificate);
    free(t->bundle);
    *t = (trust_files){0};
}
