/* What the commands that need the local certificate authority share: which folder, which files. */
#ifndef CLI_CLI_CA_H
#define CLI_CLI_CA_H

#include "base/error.h"
#include "cli/up_env.h"

/* The help text of --ca. */
#define CLI_CA_HELP "the local certificate authority ($INVOKER_CA, else ca in the keys folder)"

/* Of --keys, where it is only about the authority. */
#define CLI_CA_KEYS_HELP "the keys folder that `up` was given, which has the authority in `ca`"

/* --ca, else $INVOKER_CA, else NULL; a view. */
const char *cli_ca_option(const char *option);

/* The folder: --ca, else ca in the folder that --keys names, else $INVOKER_CA, else ca in the keys
 * folder of the topology (nullable). Caller frees. */
char *cli_ca_dir(const char *ca_option, const char *keys_option, const snapshot *s);

/* Opens the authority, made when it is missing, and brings its bundle up to date. *out is empty
 * after a failure. */
bool cli_trust(const char *dir, trust_files *out, error *e);
void cli_trust_free(trust_files *t);

#endif
