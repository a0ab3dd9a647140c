/* "type":"service_account", as Google's libraries read it (AIP-4112). */
#include "control/iam_key_file.h"

#include <string.h>

#include "jose/base64.h"

enum { FILE_MAX = 64 * 1024, AUTHORITY_MAX = 300 };

/* Where this API was asked, for that is where its caller reaches us; in absolute-form through a
 * proxy it may be a name of Google's, then where the file says that we listen. */
static void add_origin(const api_call *c, buf *b)
{
    const span google = SPAN_LIT(".googleapis.com");
    const span host = c->request ? http_host(c->request) : (span){0};
    const char *listen = snapshot_project(api_snapshot(c))->control_listen;
    const bool usable = host.n > 0 && host.n < AUTHORITY_MAX &&
                        !span_ends((span){host.p, span_find(host, ':')}, google);
    buf_str(b, "http://");
    if (usable)
        buf_span(b, host);
    else
        buf_str(b, listen ? listen : "localhost");
}

static void add_member(buf *b, const char *name, span value, bool last)
{
    buf_fmt(b, "  \"%s\": ", name);
    buf_json(b, value);
    buf_str(b, last ? "\n" : ",\n");
}

static void add_url(buf *b, const api_call *c, const char *name, const char *path, const char *more)
{
    auto_buf buf url = buf_make(FILE_MAX);
    add_origin(c, &url);
    buf_str(&url, path);
    if (more)
        buf_percent(&url, span_of(more));
    add_member(b, name, buf_view(&url), false);
}

static void forget(buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_free(b);
}

json_t *iam_key_file(const api_call *c, const account *a, const account_key *key)
{
    buf b = buf_make(FILE_MAX), encoded = buf_make(FILE_MAX);
    buf_str(&b, "{\n");
    add_member(&b, "type", SPAN_LIT("service_account"), false);
    add_member(&b, "project_id", span_of(snapshot_project(api_snapshot(c))->id), false);
    add_member(&b, "private_key_id", span_of(key->id), false);
    add_member(&b, "private_key", span_of(key->private_pem), false);
    add_member(&b, "client_email", span_of(a->email), false);
    add_member(&b, "client_id", span_of(a->unique_id), false);
    add_url(&b, c, "auth_uri", "/o/oauth2/auth", NULL);
    add_url(&b, c, "token_uri", "/token", NULL);
    add_url(&b, c, "auth_provider_x509_cert_url", "/oauth2/v1/certs", NULL);
    add_url(&b, c, "client_x509_cert_url", "/robot/v1/metadata/x509/", a->email);
    add_member(&b, "universe_domain", SPAN_LIT("googleapis.com"), true);
    buf_str(&b, "}\n");
    base64_encode(&encoded, b.p, b.n);
    json_t *out = json_string(encoded.p);
    forget(&b);
    forget(&encoded);
    return out;
}
