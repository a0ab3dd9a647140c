/* A request that waits for an answer from elsewhere, while its client may leave. */
#ifndef CONTROL_LATER_H
#define CONTROL_LATER_H

#include "http/server.h"

typedef struct later later;

/* Defers the request. */
later *later_begin(http_request *r);
/* Frees l; the request, to be answered now, or NULL: the client left. */
http_request *later_end(later *l);

#endif
