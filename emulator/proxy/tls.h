/* The server's side of TLS on a wire: once the handshake is done, wire_send and wire_recv carry the
 * plain bytes. TLS 1.2 or newer; h2 or http/1.1 by ALPN; the certificate by the name asked for.
 * OpenSSL writes to the socket by itself: the process has to ignore SIGPIPE. */
#ifndef PROXY_TLS_H
#define PROXY_TLS_H

#include <openssl/ssl.h>

#include "base/net.h"
#include "base/span.h"
#include "proxy/wire.h"

enum { TLS_TICKET_KEY_BYTES = 80 };

typedef struct tls_options {
    /* What to prove to a client that asks for `name` (empty: it named nobody) at the connection's
     * own address. Both stay the callee's and need to live until it is called again. false: there
     * is no such name here, and the client is told so. */
    bool (*certificate)(void *ctx, span name, const net_addr *local, X509 **out_cert,
                        EVP_PKEY **out_key);
    void *ctx;
    /* TLS_TICKET_KEY_BYTES, the same for all contexts whose sessions can be resumed at each other;
     * NULL: none but this. */
    const unsigned char *ticket_key;
} tls_options;

/* One thread's: contexts are not shared. */
typedef struct tls_context tls_context;

tls_context *tls_context_new(const tls_options *o);
void tls_context_free(tls_context *c); /* after its wires; NULL is fine */

/* Makes a wire, on which nothing was sent or received yet, speak TLS. false: OpenSSL is not up to
 * it (no memory). */
bool tls_begin(tls_context *c, wire *w);

typedef enum tls_progress { TLS_MORE, TLS_DONE, TLS_FAILED } tls_progress;
/* Called at first and on every event until it is not TLS_MORE. */
tls_progress tls_handshake(wire *w);
/* After TLS_FAILED: a clause about why; static. */
const char *tls_failure(const wire *w);
/* After TLS_DONE: the client chose h2. */
bool tls_speaks_h2(const wire *w);

/* For wire.c: as wire_send, wire_recv, wire_shut, and the farewell before the socket is closed. */
ssize_t tls_send(wire *w, const void *p, size_t n);
ssize_t tls_recv(wire *w, void *p, size_t n);
bool tls_shut(wire *w);
void tls_end(wire *w);

#endif
