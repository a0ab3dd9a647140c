/* What the control listener asks, answered by the gateway's process and, by way of it, the metadata
 * process. */
#ifndef CLI_GATEWAY_BACKEND_H
#define CLI_GATEWAY_BACKEND_H

#include "control/control.h"
#include "gateway/metadata_link.h"
#include "gateway/process.h"

typedef struct gateway_backend {
    process *process;
    metadata_link *link;
} gateway_backend;

/* b, which outlives the control listener, with both parts open. */
control_backend gateway_backend_of(gateway_backend *b);

#endif
