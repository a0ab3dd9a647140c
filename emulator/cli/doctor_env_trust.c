/* Files of certificates that clients are told to trust instead of the system's. */
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "cli/doctor.h"
#include "pki/pem_look.h"

#define AREA "trust"

enum { LIST_MAX = 16 * 1024 };

static void x509_auto(X509 **p)
{
    X509_free(*p);
}

static const struct variable {
    const char *name, *readers;
} variables[] = {
    {"SSL_CERT_FILE", "OpenSSL, Go, Ruby, Rust and .NET"}, {"CURL_CA_BUNDLE", "curl"},
    {"REQUESTS_CA_BUNDLE", "Python's requests"},           {"NODE_EXTRA_CA_CERTS", "Node"},
    {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "gRPC's C core"},
};

static void mend(const doctor *d, finding *f, const char *name)
{
    if (d->mend_env)
        finding_mend(f, "%s", d->mend_env);
    else if (d->trust)
        finding_mend(f, "eval \"$(%s ca env)\"", d->as_invoker);
    else
        finding_mend(f, "unset %s", name);
}

/* true: the file is fine, but the authority is missing from it. */
static bool check_file(const doctor *d, const struct variable *v, const char *path,
                       const X509 *authority)
{
    error e = {0};
    size_t count = 0;
    bool has = false;
    if (!pem_look(path, authority, &count, &has, &e) || count == 0) {
        finding *f =
            report_add(d->report, FINDING_PROBLEM, AREA, "trust_file",
                       "%s=%s: %s; %s cannot use https at all, or not trust anybody", v->name, path,
                       count || !e.text[0] ? "holds no certificate" : e.text, v->readers);
        mend(d, f, v->name);
        return false;
    }
    if (authority && !has)
        return true;
    report_add(d->report, FINDING_OK, AREA, "trust", "%s=%s: certificates: %zu%s", v->name, path,
               count, authority ? ", the local authority's among them" : "");
    return false;
}

static void they_lack_ours(const doctor *d, const char *list)
{
    finding *f =
        report_add(d->report, d->svc ? FINDING_PROBLEM : FINDING_WARNING, AREA, "trust_lacks",
                   "the local authority is missing from the files of %s: the gateway's "
                   "https is not trusted there",
                   list);
    finding_expect(f, "%s; for Node %s", d->trust->bundle, d->trust->certificate);
    mend(d, f, "");
}

static void none_set(const doctor *d)
{
    finding *f = report_add(d->report, FINDING_WARNING, AREA, "trust_unset",
                            "no variable tells clients to trust the local authority: https to the "
                            "gateway fails with an unknown issuer");
    finding_expect(f, "the variables of `%s ca env`, unless only http:// is called", d->as_invoker);
    mend(d, f, "");
}

static void check_node_off(const doctor *d)
{
    const char *value = envlist_get(d->env, "NODE_TLS_REJECT_UNAUTHORIZED");
    if (!value || strcmp(value, "0") != 0)
        return;
    finding *f = report_add(d->report, FINDING_WARNING, AREA, "trust_off",
                            "NODE_TLS_REJECT_UNAUTHORIZED=0: Node trusts everybody, so that what "
                            "works here may fail in production");
    finding_mend(f, "unset NODE_TLS_REJECT_UNAUTHORIZED");
}

void doctor_env_trust(doctor *d)
{
    error e = {0};
    AUTO(x509_auto) X509 *authority = d->trust ? pem_first(d->trust->certificate, &e) : NULL;
    size_t set = 0;
    auto_buf buf lacking = buf_make(LIST_MAX);
    for (size_t i = 0; i < countof(variables); i++) {
        const char *path = envlist_get(d->env, variables[i].name);
        if (!path || !*path)
            continue;
        set++;
        if (check_file(d, &variables[i], path, authority))
            buf_fmt(&lacking, "%s%s=%s (%s)", lacking.n ? ", " : "", variables[i].name, path,
                    variables[i].readers);
    }
    if (lacking.n)
        they_lack_ours(d, lacking.p);
    if (!set && d->svc && d->trust)
        none_set(d);
    check_node_off(d);
}
