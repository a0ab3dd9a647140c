/* OpenSSL on a non-blocking socket: its wants become the wire's flags. */
#include "proxy/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "base/attr.h"

struct tls_context {
    SSL_CTX *ctx; /* NULL until the first client: it costs half a MiB */
    tls_options o;
};

/* ---- what a handshake asks for ---- */

/* Called for every ClientHello, with a name or without. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
    const tls_context *c = arg;
    net_addr local = {0};
    (void)net_local(SSL_get_fd(ssl), &local);
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    const span name = span_of(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    if (c->o.certificate(c->o.ctx, name, &local, &cert, &key) &&
        SSL_use_certificate(ssl, cert) == 1 && SSL_use_PrivateKey(ssl, key) == 1)
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                        const unsigned char *theirs, unsigned theirs_n, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    (void)ssl;
    (void)arg;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, theirs, theirs_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- the context ---- */

static bool set_up(tls_context *c)
{
    SSL_CTX *ctx = c->ctx;
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE |
                                       /* HTTP's own framing tells what was cut short */
                                       SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    /* Records that came together take one system call. */
    SSL_CTX_set_read_ahead(ctx, 1);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets do */
    (void)SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_alpn_select_cb(ctx, on_protocols, NULL);
    (void)SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    (void)SSL_CTX_set_tlsext_servername_arg(ctx, c);
    unsigned char ticket_key[TLS_TICKET_KEY_BYTES];
    if (c->o.ticket_key) {
        memcpy(ticket_key, c->o.ticket_key, sizeof ticket_key);
        if (SSL_CTX_set_tlsext_ticket_keys(ctx, ticket_key, sizeof ticket_key) != 1)
            return false;
    }
    static const unsigned char session_context[] = "invoker";
    return SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1) == 1 &&
           SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
}

tls_context *tls_context_new(const tls_options *o)
{
    tls_context *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->o = *o;
    return c;
}

static bool make_ready(tls_context *c)
{
    if (c->ctx)
        return true;
    c->ctx = SSL_CTX_new(TLS_server_method());
    if (c->ctx && set_up(c))
        return true;
    ERR_clear_error();
    SSL_CTX_free(TAKE(c->ctx));
    return false;
}

void tls_context_free(tls_context *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ctx);
    free(c);
}

/* ---- a wire's ---- */

/* A short read emptied the socket, as in wire_recv: no further one is needed to find that out. */
static long on_bio(BIO *bio, int what, const char *p, size_t n, int argi, long argl, int result,
                   size_t *processed)
{
    (void)p;
    (void)argi;
    (void)argl;
    wire *w = (wire *)(void *)BIO_get_callback_arg(bio);
    if (what == (BIO_CB_READ | BIO_CB_RETURN) && result > 0 && *processed < n && !w->hung_up)
        w->readable = false;
    return result;
}

bool tls_begin(tls_context *c, wire *w)
{
    SSL *ssl = make_ready(c) ? SSL_new(c->ctx) : NULL;
    if (!ssl)
        return false;
    if (SSL_set_fd(ssl, w->watch.fd) != 1) {
        SSL_free(ssl);
        return false;
    }
    BIO_set_callback_ex(SSL_get_rbio(ssl), on_bio);
    BIO_set_callback_arg(SSL_get_rbio(ssl), (char *)(void *)w);
    SSL_set_accept_state(ssl);
    w->tls = ssl;
    return true;
}

/* What a call that did nothing means: 0: not now; WIRE_EOF; WIRE_BROKEN. */
static ssize_t refused(wire *w, int result)
{
    const int cause = errno;
    switch (SSL_get_error(w->tls, result)) {
    case SSL_ERROR_WANT_READ:
        w->readable = false;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        w->writable = false;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return WIRE_EOF;
    case SSL_ERROR_SYSCALL:
        w->error = cause ? cause : ECONNRESET;
        return WIRE_BROKEN;
    default:
        w->error = EPROTO;
        return WIRE_BROKEN;
    }
}

tls_progress tls_handshake(wire *w)
{
    ERR_clear_error();
    errno = 0;
    const int done = SSL_do_handshake(w->tls);
    if (done == 1) {
        w->readable = w->writable = true; /* bytes behind the handshake may be in the buffer */
        return TLS_DONE;
    }
    return refused(w, done) == 0 ? TLS_MORE : TLS_FAILED;
}

const char *tls_failure(const wire *w)
{
    const unsigned long code = ERR_peek_last_error();
    if (w->error != EPROTO || !code)
        return "the client left in the middle of the handshake";
    switch (ERR_GET_REASON(code)) {
    case SSL_R_CALLBACK_FAILED:
        return "no certificate for the name that the client asked for: is it the topology's?";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        return "the client does not trust the certificate";
    default:
        break;
    }
    const char *reason = ERR_reason_error_string(code);
    return reason ? reason : "what the client sent is not TLS";
}

bool tls_speaks_h2(const wire *w)
{
    const unsigned char *name = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(w->tls, &name, &n);
    return n == 2 && memcmp(name, "h2", 2) == 0;
}

static int at_most_int(size_t n)
{
    return n < INT_MAX ? (int)n : INT_MAX;
}

/* A record at a time. One that did not leave is kept by OpenSSL, which wants to be offered the same
 * bytes first when it is called again. */
ssize_t tls_send(wire *w, const void *p, size_t n)
{
    size_t sent = 0;
    while (sent < n) {
        ERR_clear_error();
        errno = 0;
        const int wrote = SSL_write(w->tls, (const char *)p + sent, at_most_int(n - sent));
        if (wrote <= 0) {
            if (refused(w, wrote) != 0 && sent == 0)
                return -1;
            break;
        }
        sent += (size_t)wrote;
    }
    return (ssize_t)sent;
}

ssize_t tls_recv(wire *w, void *p, size_t n)
{
    ERR_clear_error();
    errno = 0;
    const int got = SSL_read(w->tls, p, at_most_int(n));
    if (got <= 0)
        return refused(w, got);
    if (SSL_has_pending(w->tls))
        w->readable = true;
    w->received += (uint64_t)got;
    return got;
}

static bool may_speak(const wire *w)
{
    return !w->error && SSL_is_init_finished(w->tls) &&
           !(SSL_get_shutdown(w->tls) & SSL_SENT_SHUTDOWN);
}

bool tls_shut(wire *w)
{
    if (!may_speak(w))
        return true;
    ERR_clear_error();
    errno = 0;
    const int told = SSL_shutdown(w->tls);
    return told >= 0 || refused(w, told) != 0;
}

void tls_end(wire *w)
{
    (void)tls_shut(w);
    SSL_free(w->tls);
    w->tls = NULL;
    ERR_clear_error();
}
