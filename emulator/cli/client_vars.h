/* What HTTP clients read from the environment: whom they trust, and which proxy they use. */
#ifndef CLI_CLIENT_VARS_H
#define CLI_CLIENT_VARS_H

#include "cli/up_env.h"

/* The trust variables, unless there is no authority; the shared ingress as proxy, unless there is
 * none; and what no proxy may see, metadata ("HOST:PORT", nullable) included. What is there already
 * stays, in both spellings of a proxy's. */
void client_vars_add(service_vars *v, const project *p, const char *metadata,
                     const trust_files *trust);

/* The trust variables alone. */
void client_vars_add_trust(service_vars *v, const trust_files *trust);

#endif
