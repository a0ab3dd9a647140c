/* The service that the user named on the command line. */
#ifndef CLI_NAMED_SERVICE_H
#define CLI_NAMED_SERVICE_H

#include "policy/snapshot.h"

/* NULL after a message with did-you-mean on stderr. */
const service *named_service(const char *command, const snapshot *s, const char *name);

#endif
