#include <string.h>

#include "policy/model.h"

const char *const INGRESS_NAMES[] = {[INGRESS_ALL] = "all",
                                     [INGRESS_INTERNAL] = "internal",
                                     [INGRESS_INTERNAL_AND_LB] =
                                         "internal-and-cloud-load-balancing",
                                     [INGRESS_NONE] = "none",
                                     NULL};

bool ingress_parse(const char *name, ingress *out)
{
    for (size_t i = 0; INGRESS_NAMES[i]; i++)
        if (strcmp(INGRESS_NAMES[i], name) == 0) {
            *out = (ingress)i;
            return true;
        }
    return false;
}
