/* The IAM Service Account Credentials API, v1: tokens and signatures of one account for another. */
#ifndef METADATA_CREDENTIALS_H
#define METADATA_CREDENTIALS_H

#include "metadata/room.h"

/* path: behind "/v1/". Always answers. */
void credentials_serve(metadata *m, http_request *r, span path);

#endif
