/* How each of Google's client libraries looks for the metadata server, as data: read in their
 * sources (google-auth 2.48, gcp-metadata 8.1, compute/metadata 0.9, google-auth-library-java 1.43,
 * google-cloud-env, google/auth 1.52, Google.Apis.Auth and Gax, google-cloud-cpp,
 * google-cloud-auth, gRPC's C core, gcloud 528). */
#ifndef CLI_CLIENT_LIBRARIES_H
#define CLI_CLIENT_LIBRARIES_H

#include "cli/http_call.h"
#include "cli/no_proxy.h"

enum { LIBRARY_VARS_MAX = 3 };

/* What an answer to the probe must be. */
typedef enum probe_accepts {
    ACCEPTS_200,        /* status 200 with Metadata-Flavor: Google */
    ACCEPTS_2XX,        /* any 2xx with it */
    ACCEPTS_FLAVOUR,    /* any status with it */
    ACCEPTS_LENGTH,     /* 200 with it, and a Content-Length */
    ACCEPTS_EXACT_NAME, /* 200, and the field's name spelt exactly so */
    ACCEPTS_DIGITS      /* 200 and a body of digits */
} probe_accepts;

/* What comes before, or instead of, the probe. */
typedef enum probe_gate {
    GATE_PROBES,   /* nothing */
    GATE_NONE,     /* never probes: the metadata server is the last resort */
    GATE_PYTHON,   /* NO_GCE_CHECK=true, as it is spelt */
    GATE_JAVA,     /* NO_GCE_CHECK */
    GATE_NODE,     /* METADATA_SERVER_DETECTION; K_SERVICE is as good as a probe */
    GATE_VARIABLE, /* a variable that is set is as good as a probe */
    GATE_CLOUD_RUN /* only where K_SERVICE, K_REVISION and K_CONFIGURATION are set */
} probe_gate;

/* What becomes of a path in the variable, a slash mostly. */
typedef enum path_rule {
    PATH_APPENDS,   /* "/x" + "/computeMetadata" */
    PATH_COLLAPSES, /* the same, but slashes alone vanish */
    PATH_REPLACES   /* ours takes its place */
} path_rule;

/* The machine's product name (DMI) that is taken for an answer when the probe has none. */
typedef enum dmi_rule { DMI_IGNORED, DMI_STARTS, DMI_EQUALS, DMI_CONTAINS } dmi_rule;

typedef struct client_library {
    const char *name;
    const char *vars[LIBRARY_VARS_MAX]; /* the address: the first that is set; all NULL: none */
    const char *host;                   /* else */
    const char *ping_vars[LIBRARY_VARS_MAX]; /* the probe's, where it has one of its own */
    const char *ping_host;                   /* NULL: as the address above */
    bool takes_scheme;                       /* http:// in the variable does no harm */
    path_rule path;
    probe_gate gate;
    dmi_rule dmi;
    const char *probe;  /* path of the probe, behind the slash */
    const char *fields; /* of the probe, each with its CR LF */
    int probe_ms;
    probe_accepts accepts;
    proxy_family ping_proxy, proxy; /* whose rules its requests follow */
    bool adc;                       /* GOOGLE_APPLICATION_CREDENTIALS goes first */
    const char *token; /* path with the query, up to the audience; or that of the e-mail address */
    bool token_is_email;
} client_library;

extern const client_library CLIENT_LIBRARIES[];
extern const size_t CLIENT_LIBRARY_COUNT;

/* The value that the library takes for its metadata server's address and, in *out_variable, where
 * from (NULL: its default). ping: for the probe. */
const char *client_library_address(const client_library *l, const envlist *env, bool ping,
                                   const char **out_variable);

/* What decides before anything is asked. */
typedef enum gate_result { GATE_ASK, GATE_FOUND, GATE_ABSENT } gate_result;
/* *out_why: in words, unless GATE_ASK. */
gate_result client_library_gate(const client_library *l, const envlist *env, const char *dmi,
                                const char **out_why);

/* What is wrong with the answer to its probe (HTTP_ANSWERED), or NULL: it takes it. */
const char *client_library_fault(const client_library *l, const http_call *c);

/* Would it take the machine's product name for an answer? */
bool client_library_dmi(const client_library *l, const char *dmi);

#endif
