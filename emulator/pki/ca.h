/* The local certificate authority: one folder with ca.pem (certificate), ca.key (its private key,
 * 0600) and bundle.pem (the system's roots, then ca.pem), and server certificates on demand.
 *
 * Threads: immutable once opened, so that any number of threads may share one; nothing is locked
 * and nothing is remembered. Whoever serves many connections keeps the leaves it was given. */
#ifndef PKI_CA_H
#define PKI_CA_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

typedef struct ca ca;

enum { CA_LEAF_NAMES_MAX = 64 };

/* Opens dir; where there is no authority yet, makes folder and authority (create = true; EC P-256,
 * ten years) or fails with ERR_NOT_FOUND. Safe when several processes do so at once: all end up
 * with the same one. Refuses a key that others may read, a key of another certificate, and an
 * authority that has expired, naming the file and the mending command. */
ca *ca_open(const char *dir, bool create, clock_source clock, error *e);
void ca_close(ca *c); /* NULL is fine; what ca_leaf gave lives on */

/* Makes what ca_open would make, and looks whether it may read what is there, without reading it:
 * ca_open takes half a MiB of OpenSSL's code and tables, which nobody needs before the first TLS
 * client. */
bool ca_ensure(const char *dir, clock_source clock, error *e);

/* KEYS/ca, where the authority lives unless somebody says otherwise; caller frees. */
char *ca_dir_in(const char *keys_dir);

/* Absolute paths, whatever dir was. */
const char *ca_certificate_path(const ca *c);
const char *ca_key_path(const ca *c);
const char *ca_bundle_path(const ca *c);

/* Writes bundle.pem anew unless it is as it should be already. */
bool ca_refresh_bundle(const ca *c, error *e);

const char *ca_fingerprint(const ca *c); /* SHA-256, "AB:CD:…" */
int64_t ca_expires_s(const ca *c);

/* The authority's certificate, for the chain; owned by c. */
X509 *ca_certificate(const ca *c);

/* The key of every leaf: made at ca_open, never written down; owned by c. */
EVP_PKEY *ca_leaf_key(const ca *c);

/* A server's certificate for ca_leaf_key and the n names (host names, "*.x" too, and IP addresses
 * without brackets or port), valid from an hour ago for 397 days. Caller frees; NULL and *e, with
 * ERR_INVALID for what is no name. */
X509 *ca_leaf(const ca *c, const char *const *names, size_t n, error *e);

#endif
