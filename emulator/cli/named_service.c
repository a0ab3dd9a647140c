/* Looking a service up by the name that was typed. */
#include "cli/named_service.h"

#include "cli/cli.h"
#include "decision/lookup.h"

const service *named_service(const char *command, const snapshot *s, const char *name)
{
    error e = {0};
    const service *found = lookup_service(s, name, &e);
    if (!found)
        (void)cli_usage_error(command, "%s", e.text);
    return found;
}
