/* A certificate, what a server needs to show it, and a client that takes it from anybody. */
#ifndef TLS_FIXTURE_H
#define TLS_FIXTURE_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>

#include "check_main.h"
#include "proxy/tls.h"

static EVP_PKEY *fixture_key;
static X509 *fixture_certificate;
static SSL_CTX *fixture_client;

/* Before Check forks. */
static inline void fixture_tls_once(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    fixture_key = EVP_EC_gen("P-256");
    fixture_certificate = X509_new();
    X509 *x = fixture_certificate;
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_set_pubkey(x, fixture_key);
    (void)X509_sign(x, fixture_key, EVP_sha256());
    fixture_client = SSL_CTX_new(TLS_client_method());
}

static inline void fixture_tls_free(void)
{
    EVP_PKEY_free(fixture_key);
    X509_free(fixture_certificate);
    SSL_CTX_free(fixture_client);
}

static inline bool fixture_find(void *ctx, span name, const net_addr *local, X509 **out_cert,
                                EVP_PKEY **out_key)
{
    (void)ctx;
    (void)local;
    *out_cert = fixture_certificate;
    *out_key = fixture_key;
    return name.n == 0 || span_eq_str(name, "known.test");
}

static const tls_options fixture_tls = {.certificate = fixture_find};

/* alpn: with length bytes, or NULL; name: NULL sends none. */
static inline SSL *fixture_dial(int fd, const char *name, const char *alpn)
{
    SSL *ssl = SSL_new(fixture_client);
    ck_assert_ptr_nonnull(ssl);
    ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
    SSL_set_connect_state(ssl);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (name) {
        char copy[64];
        (void)snprintf(copy, sizeof copy, "%s", name);
        ck_assert_int_eq(SSL_set_tlsext_host_name(ssl, copy), 1);
    }
    if (alpn)
        ck_assert_int_eq(
            SSL_set_alpn_protos(ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn)), 0);
    return ssl;
}

/* true: it has to wait for the other side. */
static inline bool fixture_waits(const SSL *ssl, int result)
{
    const int e = SSL_get_error(ssl, result);
    return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

#endif
