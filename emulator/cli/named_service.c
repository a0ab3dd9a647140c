/* Looking a service up by the name that was typed. */
#include "cli/named_service.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/hash.h"
#include "cli/cli.h"

const service *named_service(const char *command, const snapshot *s, const char *name)
{
    const service *found = snapshot_find_service(s, span_of(name));
    if (found)
        return found;
    size_t n = snapshot_service_count(s);
    auto_free const char **names = calloc(n + 1, sizeof *names);
    if (!names)
        abort();
    for (size_t i = 0; i < n; i++)
        names[i] = snapshot_service(s, i)->name;
    const char *near = did_you_mean(span_of(name), names);
    const char *file = snapshot_project(s)->file;
    if (near)
        (void)cli_usage_error(command, "no service '%s' in %s; did you mean '%s'?", name, file,
                              near);
    else
        (void)cli_usage_error(command, "no service '%s' in %s", name, file);
    return NULL;
}
