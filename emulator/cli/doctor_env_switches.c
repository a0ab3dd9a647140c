/* Variables and files that keep a client from the metadata server, or make it believe that it is
 * somebody else. The order of Application Default Credentials:
 * https://cloud.google.com/docs/authentication/application-default-credentials */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/doctor.h"

#define AREA "environment"

enum { NAMES_TEXT_MAX = 128 };

static const char *get(const doctor *d, const char *name)
{
    const char *value = envlist_get(d->env, name);
    return value && *value ? value : NULL;
}

/* Whoever means to be a service cannot do with it; else it is only worth knowing. */
static finding_level seriously(const doctor *d)
{
    return d->svc ? FINDING_PROBLEM : FINDING_WARNING;
}

static void mend_unset(finding *f, const char *name)
{
    finding_mend(f, "unset %s", name);
}

/* ---- switches ---- */

static void check_detection(const doctor *d)
{
    const char *value = get(d, "METADATA_SERVER_DETECTION");
    if (!value)
        return;
    const span trimmed = span_trim(span_of(value));
    const bool harmless =
        span_ieq_str(trimmed, "assume-present") || span_ieq_str(trimmed, "ping-only");
    const bool known =
        harmless || span_ieq_str(trimmed, "none") || span_ieq_str(trimmed, "bios-only");
    if (harmless) {
        report_add(d->report, FINDING_OK, AREA, "detection",
                   "METADATA_SERVER_DETECTION=%s: Node finds the metadata server", value);
        return;
    }
    finding *f = report_add(d->report, seriously(d), AREA, "detection",
                            "METADATA_SERVER_DETECTION=%s: Node's gcp-metadata %s", value,
                            known ? "does not look for a metadata server on the network"
                                  : "refuses a value that it does not know");
    finding_expect(f, "not set, or assume-present");
    mend_unset(f, "METADATA_SERVER_DETECTION");
}

static void check_no_gce(const doctor *d)
{
    const char *value = get(d, "NO_GCE_CHECK");
    if (!value || !span_ieq_str(span_of(value), "true"))
        return;
    const bool python = strcmp(value, "true") == 0;
    finding *f = report_add(d->report, seriously(d), AREA, "no_gce_check",
                            "NO_GCE_CHECK=%s: %s not look for a metadata server", value,
                            python ? "newer Python libraries and Java do" : "Java does");
    finding_expect(f, "not set");
    mend_unset(f, "NO_GCE_CHECK");
}

/* ---- other credentials ---- */

static void check_key_file(const doctor *d)
{
    const char *path = get(d, "GOOGLE_APPLICATION_CREDENTIALS");
    if (!path)
        return;
    const bool there = access(path, R_OK) == 0;
    finding *f = report_add(
        d->report, seriously(d), AREA, "key_file", "GOOGLE_APPLICATION_CREDENTIALS=%s: %s", path,
        there ? "its credentials win over the metadata server in every client library"
              : "there is no such file to read, and every client library gives up");
    finding_expect(f, "not set");
    mend_unset(f, "GOOGLE_APPLICATION_CREDENTIALS");
}

/* What `gcloud auth application-default login` leaves. */
static char *user_credentials(const doctor *d)
{
    static const char name[] = "application_default_credentials.json";
    const char *folder = get(d, "CLOUDSDK_CONFIG"), *home = get(d, "HOME");
    auto_free char *usual = home ? file_join(home, ".config/gcloud") : NULL;
    char *path = folder ? file_join(folder, name) : usual ? file_join(usual, name) : NULL;
    if (path && access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static void check_user_credentials(const doctor *d)
{
    if (get(d, "GOOGLE_APPLICATION_CREDENTIALS"))
        return;
    auto_free char *path = user_credentials(d);
    if (!path)
        return;
    finding *f = report_add(
        d->report, FINDING_WARNING, AREA, "user_credentials",
        "%s is there: client libraries that use Application Default Credentials are that user, "
        "and ask Google, before they look for a metadata server",
        path);
    finding_expect(f, "no such file, as in a container");
    finding_mend(f, "mv %s %s.away", path, path);
}

/* ---- who and where the process is told to be ---- */

static void check_project(const doctor *d)
{
    static const char *const said[] = {"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT",
                                       "CLOUDSDK_CORE_PROJECT"};
    const project *p = snapshot_project(d->s);
    for (size_t i = 0; i < countof(said); i++) {
        const char *value = get(d, said[i]);
        if (!value || strcmp(value, p->id) == 0)
            continue;
        finding *f = report_add(d->report, FINDING_WARNING, AREA, "project",
                                "%s=%s: clients take that for their project", said[i], value);
        finding_expect(f, "%s, as the metadata server says (project.id of %s)", p->id, p->file);
        finding_mend(f, "export %s=%s", said[i], p->id);
    }
}

static const char *const names[] = {"K_SERVICE", "K_REVISION", "K_CONFIGURATION"};

static void tell_missing_names(const doctor *d)
{
    auto_buf buf list = buf_make(NAMES_TEXT_MAX);
    for (size_t i = 0; i < countof(names); i++)
        if (!get(d, names[i]))
            buf_fmt(&list, "%s%s", list.n ? ", " : "", names[i]);
    finding *f = report_add(d->report, FINDING_WARNING, AREA, "service_name",
                            "not set: %s. Ruby looks for a metadata server only where all three "
                            "say that this is Cloud Run",
                            list.p);
    if (d->mend_env)
        finding_mend(f, "%s", d->mend_env);
    else
        finding_mend(f, "eval \"$(%s env SERVICE)\", or unset %s %s %s", d->as_invoker, names[0],
                     names[1], names[2]);
}

static void check_names(const doctor *d)
{
    size_t missing = 0, set = 0;
    for (size_t i = 0; i < countof(names); i++) {
        const bool there = get(d, names[i]) != NULL;
        set += there;
        missing += !there;
    }
    const char *name = get(d, "K_SERVICE");
    if (d->svc && name && strcmp(name, d->svc->name) != 0) {
        finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "service_name",
                                "K_SERVICE=%s: the process takes itself for that service", name);
        finding_expect(f, "K_SERVICE=%s", d->svc->name);
        finding_mend(f, "%s", d->mend_env);
    } else if (missing && (set || d->svc)) {
        tell_missing_names(d);
    }
}

/* What a client would do with it has to fit where the gateway sends the service's requests. */
static void check_port(const doctor *d)
{
    const char *value = get(d, "PORT");
    const char *colon = d->svc && d->svc->upstream ? strrchr(d->svc->upstream, ':') : NULL;
    if (!value || !colon || strcmp(value, colon + 1) == 0)
        return;
    finding *f =
        report_add(d->report, FINDING_WARNING, AREA, "port",
                   "PORT=%s: a service that listens there is not found by the gateway", value);
    finding_expect(f, "PORT=%s, as %s's upstream %s", colon + 1, d->svc->name, d->svc->upstream);
    finding_mend(f, "export PORT=%s", colon + 1);
}

static void check_gcloud_folder(const doctor *d)
{
    struct stat st;
    const char *folder = get(d, "CLOUDSDK_CONFIG");
    if (!folder)
        return;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        finding *f =
            report_add(d->report, FINDING_WARNING, AREA, "gcloud_folder",
                       "CLOUDSDK_CONFIG=%s: no such folder, so gcloud is logged out", folder);
        finding_mend(f, "eval \"$(%s gcloud env)\"", d->as_invoker);
        return;
    }
    report_add(d->report, FINDING_OK, AREA, "gcloud_folder", "CLOUDSDK_CONFIG=%s", folder);
}

static void check_mtls(const doctor *d)
{
    const char *mode = get(d, "GCE_METADATA_MTLS_MODE");
    if (!mode || strcmp(mode, "strict") != 0)
        return;
    finding *f = report_add(d->report, seriously(d), AREA, "mtls",
                            "GCE_METADATA_MTLS_MODE=strict: Python asks a metadata server by https "
                            "only, and none that a variable names");
    finding_expect(f, "not set, or none");
    mend_unset(f, "GCE_METADATA_MTLS_MODE");
}

void doctor_env_switches(doctor *d)
{
    check_key_file(d);
    check_user_credentials(d);
    check_detection(d);
    check_no_gce(d);
    check_mtls(d);
    check_names(d);
    check_port(d);
    check_project(d);
    check_gcloud_folder(d);
}
