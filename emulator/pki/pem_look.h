/* Looking into a file of certificates that somebody else made. */
#ifndef PKI_PEM_LOOK_H
#define PKI_PEM_LOOK_H

#include <openssl/types.h>
#include <stddef.h>

#include "base/error.h"

enum { PEM_LOOK_MAX = 32 * 1024 * 1024 };

/* How many certificates the file has, and whether `wanted` (nullable) is among them. false: it
 * cannot be read, or holds what is no certificate where one begins. */
bool pem_look(const char *path, const X509 *wanted, size_t *out_count, bool *out_has, error *e);

/* The first certificate of a file; caller frees with X509_free. */
X509 *pem_first(const char *path, error *e);

#endif
