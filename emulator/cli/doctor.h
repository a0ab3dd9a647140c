/* `invoker doctor` from the inside: the case at hand, and the checks, each of which adds what it
 * found to the report. Nothing here changes anything; sockets are only opened where it is said. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <jansson.h>

#include "cli/doctor_names.h"
#include "cli/doctor_report.h"
#include "cli/http_call.h"
#include "cli/up_env.h"
#include "jose/jwks.h"

/* How long is waited for an answer unless --patience says otherwise; all of it together may take
 * DOCTOR_TOTAL times that. */
enum { DOCTOR_PATIENCE_MS = 400, DOCTOR_TOTAL = 6 };

/* The case. Everything is the command's and outlives the checks. */
typedef struct doctor {
    report *report;
    const snapshot *s;        /* as it runs, where it runs; else as the file says */
    const service *svc;       /* whose environment it should be; NULL: nobody's in particular */
    const envlist *env;       /* the environment in question */
    const char *env_name;     /* "this shell", "process 4711 (python3)" */
    char *as_invoker;         /* "invoker" with the options that mean this topology; NULL never */
    char *mend_env;           /* the command that sets what SERVICE needs; with svc only */
    const trust_files *trust; /* the local authority's files; NULL: there are none that are good */
    const char *keys_dir, *ca_dir;
    const char *control; /* "HOST:PORT"; NULL: the topology has none */
    const char *dmi;     /* the machine's product name; "" where it has none */
    json_t *status;      /* of the running gateway; NULL: nobody answers */
    jwks *keys;          /* that the gateway verifies with; NULL: not known */
    doctor_names *names; /* NULL: nothing was looked up */
    int64_t patience_us; /* with who should answer at once */
    int64_t until_us;    /* clock_mono_us() at which all must be over */
} doctor;

/* ---- without sockets ---- */

/* What the topology leaves open: services that nothing runs for, the default account. */
void doctor_topology(doctor *d);
/* Who listens on the topology's ports, by /proc. */
void doctor_ports(doctor *d);
/* GCE_METADATA_HOST, _IP and _ROOT. */
void doctor_env_metadata(doctor *d);
/* Variables that keep a library from the metadata server, or make it somebody else. */
void doctor_env_switches(doctor *d);
/* Proxies that would get what is meant for the metadata server or a service. */
void doctor_env_proxies(doctor *d);
/* Files of certificates that clients are told to trust. */
void doctor_env_trust(doctor *d);
/* The folders of signing keys and of the certificate authority. */
void doctor_keys(doctor *d);

/* ---- with sockets ---- */

/* Asks the control listener; sets d->status. */
void doctor_control(doctor *d);
/* Is what runs what the file says? Needs d->status. */
void doctor_running(doctor *d, const char *config_path);
/* Looks up the names that matter, d->names, and says which are missing. */
void doctor_dns(doctor *d);
/* The keys that the gateway verifies with; sets d->keys. */
void doctor_jwks(doctor *d);
/* Each client library's way to a token. */
void doctor_libraries(doctor *d);
/* The metadata servers themselves: their answers, the clock, a token and who confirms it. */
void doctor_metadata(doctor *d);
/* 169.254.169.254, where clients look that read no variable. */
void doctor_link_local(doctor *d);
/* Upstreams accept connections; calls get what the topology says. */
void doctor_services(doctor *d);

/* ---- shared ---- */

/* A call that is told how long it has. to has to be set already. */
void doctor_call_limits(const doctor *d, http_call *c, int64_t patience_us);

/* Whose address "HOST:PORT" is in the topology. */
typedef enum whose_kind {
    WHOSE_NOBODYS,
    WHOSE_METADATA, /* of a service, svc */
    WHOSE_SHARED_METADATA,
    WHOSE_GATEWAY, /* a service's listener at the gateway, svc */
    WHOSE_UPSTREAM,
    WHOSE_INGRESS,
    WHOSE_CONTROL
} whose_kind;
typedef struct whose {
    whose_kind kind;
    const service *svc; /* NULL: shared */
} whose;
whose whose_address(const snapshot *s, const char *value);
/* "db-service's metadata server" */
void whose_words(whose w, buf *out);
/* Do both name the same address? 0.0.0.0 stands for the loopback's. */
bool same_address(const char *a, const char *b);
/* The metadata server that svc's process should use; NULL: none. Caller frees. */
char *wanted_metadata(const snapshot *s, const service *svc);

#endif
