/* Callers' side over HTTP/2 (RFC 9113): each stream is an exchange. */
#ifndef PROXY_H2_FRONT_H
#define PROXY_H2_FRONT_H

#include "proxy/exchange.h"
#include "proxy/wire.h"

typedef struct h2_front h2_front;

/* One per proxy. */
h2_front *h2_front_open(proxy *p);
void h2_front_close(h2_front *f); /* its connections must be closed; NULL is fine */

/* Takes over the wire, which malloc made; the client's preface is still unread on it. */
void h2_front_adopt(proxy *p, wire *w, const net_addr *peer, void *tag, bool secure);

/* No further streams; each connection ends with its last one. */
void h2_front_drain(proxy *p);

#endif
