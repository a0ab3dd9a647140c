/* POST /token: Google's OAuth endpoint, for users (refresh tokens) and for service accounts' keys
 * (assertions). */
#ifndef METADATA_OAUTH_H
#define METADATA_OAUTH_H

#include "metadata/room.h"

/* Always answers. */
void oauth_serve(metadata *m, http_request *r);

#endif
