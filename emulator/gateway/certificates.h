/* Which certificate a TLS client is shown: one for each name of the topology, made when it is first
 * asked for. One worker's, touched by its thread only. */
#ifndef GATEWAY_CERTIFICATES_H
#define GATEWAY_CERTIFICATES_H

#include "base/clock.h"
#include "gateway/view.h"
#include "proxy/tls.h"

typedef struct certificates certificates;

/* The authority in ca_dir, a name that outlives it, is opened for the first client: it costs half a
 * MiB. first: taken over by count. */
certificates *certificates_new(const char *ca_dir, clock_source clock, view *first);
void certificates_free(certificates *c); /* NULL is fine */

/* Takes over the count; what was made for names of the former one is forgotten. */
void certificates_take_view(certificates *c, view *v);

/* tls_options.certificate; ctx is the certificates. Without a name, or with an address instead of
 * one, the certificate is for the local addresses. */
bool certificates_find(void *ctx, span name, const net_addr *local, X509 **out_cert,
                       EVP_PKEY **out_key);

#endif
