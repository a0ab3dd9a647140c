/* Finding and opening the local certificate authority. */
#include "cli/cli_ca.h"

#include <stdlib.h>

const char *cli_ca_option(const char *option)
{
    const char *variable = getenv("INVOKER_CA");
    if (option)
        return option;
    return variable && *variable ? variable : NULL;
}
