/* What an accepted socket speaks: told from its first bytes, which stay unread. */
#ifndef PROXY_LANDING_H
#define PROXY_LANDING_H

#include "base/span.h"
#include "proxy/guest.h"

typedef enum landing_kind {
    LANDING_UNDECIDED, /* more bytes will tell */
    LANDING_TLS,
    LANDING_H2,
    LANDING_CONNECT,
    LANDING_H1 /* whatever is nothing of the above: libmicrohttpd answers it */
} landing_kind;

enum { LANDING_BYTES = 24 }; /* tell everything */

landing_kind landing_decide(span seen);

#endif
