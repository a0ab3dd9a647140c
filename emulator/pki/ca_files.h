/* The authority's folder: what lies in it, who may write. Private to the pki room. */
#ifndef PKI_CA_FILES_H
#define PKI_CA_FILES_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct ca_paths {
    char *dir, *certificate, *key, *bundle; /* absolute */
} ca_paths;

/* The folder exists afterwards and nobody else may write to it. */
bool ca_paths_open(ca_paths *out, const char *dir, bool create, error *e);
void ca_paths_free(ca_paths *p);

/* Held until the descriptor is closed; -1 and *e. */
int ca_files_lock(const ca_paths *p, error *e);

/* Whether there is an authority: its certificate is the last of it that is written. */
bool ca_files_present(const ca_paths *p);

/* Both files are there and may be read, and the key by nobody else. */
bool ca_files_check(const ca_paths *p, error *e);

/* Both are the caller's; they belong together. */
bool ca_files_read(const ca_paths *p, X509 **out_certificate, EVP_PKEY **out_key, error *e);
bool ca_files_write(const ca_paths *p, X509 *certificate, EVP_PKEY *key, error *e);

/* Replaces the bundle where it is not the system's roots (if any) and the authority. */
bool ca_files_bundle(const ca_paths *p, error *e);

#endif
