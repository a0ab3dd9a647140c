/* Files of certificates that clients are told to trust instead of the system's. */
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "cli/doctor.h"
#include "pki/pem_look.h"

#define AREA "trust"

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

/* The authority is missing from a file that is otherwise fine. */
static void lacks_ours(const doctor *d, const struct variable *v, const char *path, size_t count)
{
    finding *f =
        report_add(d->report, d->svc ? FINDING_PROBLEM : FINDING_WARNING, AREA, "trust_lacks",
                   "%s=%s holds %zu certificates, but not the local authority's: to %s the "
                   "gateway's https is not trusted",
                   v->name, path, count, v->readers);
    finding_expect(f, "%s",
                   strcmp(v->name, "NODE_EXTRA_CA_CERTS") == 0 ? d->trust->certificate
                                                               : d->trust->bundle);
    mend(d, f, v->name);
}

static void check_file(const doctor *d, const struct variable *v, const char *path,
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
        return;
    }
    if (authority && !has)
        lacks_ours(d, v, path, count);
    else
        report_add(d->report, FINDING_OK, AREA, "trust", "%s=%s: %zu certificates%s", v->name, path,
                   count, authority ? ", the local authority's among them" : "");
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
    for (size_t i = 0; i < countof(variables); i++) {
        const char *path = envlist_get(d->env, variables[i].name);
        if (!path || !*path)
            continue;
        set++;
        check_file(d, &variables[i], path, authority);
    }
    if (!set && d->svc && d->trust)
        none_set(d);
    check_node_off(d);
}
