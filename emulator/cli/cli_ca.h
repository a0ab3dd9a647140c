/* What the commands that need the local certificate authority share: which folder, which files. */
#ifndef CLI_CLI_CA_H
#define CLI_CLI_CA_H

/* --ca, else $INVOKER_CA, else NULL; a view. */
const char *cli_ca_option(const char *option);

#endif
