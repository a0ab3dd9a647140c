/* What a topology consists of, as plain values. Built and looked up by snapshot.h. */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "policy/condition.h"
#include "policy/member.h"

/* Where something stands in a file; file is NULL for what was derived (defaults). line 0: not in a
 * file at all, and file says what else it is ("set by gcloud (alice@example.com) at …"). */
typedef struct place {
    const char *file;
    uint32_t line, column; /* from 1 */
} place;

/* "FILE:LINE", with_column "FILE:LINE:COLUMN", or of line 0 just what file says; nothing for what
 * was derived. Appends. */
void place_put(buf *b, place p, bool with_column);

typedef enum ingress {
    INGRESS_ALL,
    INGRESS_INTERNAL,
    INGRESS_INTERNAL_AND_LB,
    INGRESS_NONE
} ingress;

/* As people and APIs write them, by value; NULL ends the list. */
extern const char *const INGRESS_NAMES[];
#define INGRESS_CHOICE "all, internal, internal-and-cloud-load-balancing or none"
/* false (and *out as it was): it is none of them. */
bool ingress_parse(const char *name, ingress *out);

/* iam_check == false has the effect of OPEN_ALWAYS. */
typedef enum open_state {
    OPEN_NEVER,
    OPEN_AT_TIMES, /* a grant or a revocation propagates, or there is a condition: snapshot_is_open
                    */
    OPEN_ALWAYS
} open_state;

typedef struct account {
    const char *email;
    const char *unique_id;                  /* 21 digits */
    const char *display_name, *description; /* "" when there is none */
    bool disabled;
} account;

typedef struct env_var {
    const char *name, *value; /* ${service.url} references already replaced */
} env_var;

/* What Cloud Run gives a service that does not say. The limit is that of bodies of requests and of
 * responses, for containers that speak HTTP/1. */
enum { SERVICE_TIMEOUT_S = 300, SERVICE_CONCURRENCY = 80, SERVICE_BODY_LIMIT = 32 * 1024 * 1024 };

typedef struct service {
    const char *name;
    uint32_t index; /* in file order */
    const account *account;
    bool account_is_default; /* runs as the project's default compute account */
    const char *listen;      /* "127.0.0.1:8081", this service's own listener at the gateway */
    const char *metadata;    /* "127.0.0.1:8181", its own metadata server; NULL: shared one only */
    const char *upstream;    /* "127.0.0.1:9081"; NULL: none attached */
    const char *url;         /* how callers write it: `url:` or "http://LISTEN" */
    const char *deterministic_url; /* https://NAME-NUMBER.REGION.run.app; NULL when > 63 chars */
    const char *hash_url;          /* https://NAME-HASH-CODE.a.run.app */
    const char *revision;          /* NAME-00001-abc */
    const char *resource_name;     /* projects/P/locations/L/services/NAME */
    const char *image;             /* what was deployed; NULL: the topology does not say */
    ingress ingress;
    bool iam_check;  /* false: `invoker_iam_check: false` */
    open_state open; /* may allUsers invoke it, so that no token is looked at? */
    bool default_url_disabled;
    bool use_http2;         /* the upstream speaks HTTP/2 cleartext, by prior knowledge */
    uint32_t max_instances; /* 0: no limit */
    uint32_t concurrency;   /* requests that one instance takes at a time */
    int64_t timeout_us;
    uint64_t body_limit;        /* of request bodies, unless use_http2; 0: none */
    uint64_t response_limit;    /* of responses that declare their length; likewise */
    const char *const *command; /* NULL-terminated argv; NULL: attached, not run */
    const env_var *env;
    size_t env_count;
    const char *accepted; /* the audiences of its own, a line each, custom ones last */
    const char *const *custom_audiences; /* NULL-terminated, as are the next two */
    const char *const *hosts;
    const char *const *addresses;
    place place;
} service;

/* One grant as it takes part in a decision: of the project, of a service, or on an account. */
typedef struct binding {
    const char *role;
    const char *member; /* as written: "serviceAccount:…" */
    bool project_level;
    const account *account; /* whose own policy has it; NULL: the project's or a service's */
    uint32_t service;       /* index; BINDING_NO_SERVICE at project level and for an account's */
    bool invokes;           /* the role contains run.routes.invoke; never of an account's */
    const condition *condition; /* NULL: none */
    /* Propagation, wall clock in µs. Counts from effective_us on; 0 = since ever. granted_us is
     * when it was made. Only set for what was made while a propagation delay is in force. */
    int64_t effective_us, granted_us;
    /* A revoked one is still in force until until_us; INT64_MAX and revoked_us 0 = not revoked. */
    int64_t until_us, revoked_us;
    bool flapping; /* while the change propagates, it counts at some moments only: those that */
    uint64_t coin; /* this says (drawn from the seed and the binding) */
    place place;
} binding;

/* Is it in force only for now, because a change of it is on its way? */
bool binding_is_changing(const binding *b, int64_t now_us);

/* What is to be said of a binding that fits. */
typedef enum binding_state {
    BINDING_IN_FORCE,
    BINDING_WAITING, /* it was granted, and does not count yet */
    BINDING_REVOKED, /* it was revoked, and does not count any more */
    BINDING_UNMET    /* its condition does not hold */
} binding_state;

enum { BINDING_NO_SERVICE = UINT32_MAX >> 1 };

/* projects/P/roles/R */
typedef struct custom_role {
    const char *name;
    const char *const *permissions; /* NULL-terminated */
} custom_role;

/* A rule of a deny policy (IAM v2), of the project. All lists are NULL-terminated. */
typedef struct deny_rule {
    const char *policy;                       /* what the policy is called; NULL: the topology's */
    const char *const *principals;            /* "principalSet://goog/public:all", … */
    const char *const *exception_principals;  /* likewise */
    const char *const *permissions;           /* "run.googleapis.com/routes.invoke", … */
    const char *const *exception_permissions; /* likewise */
    place place;
} deny_rule;

typedef struct project {
    const char *id;
    const char *number; /* decimal */
    const char *region;
    const char *default_account; /* NUMBER-compute@developer.gserviceaccount.com */
    const char *keys_dir;        /* absolute; NULL: not stated */
    const char *ingress_listen, *metadata_listen, *control_listen;
    bool egress_allow; /* the shared ingress, used as a proxy, passes on what is not ours */
    const char *file;  /* the topology's path as given */
} project;

/* How long it takes until a change of a policy counts: the same for each change (min_s == max_s),
 * or somewhere in a range, where the seed and the binding say. */
typedef struct delay {
    int64_t min_s, max_s;
    bool flapping; /* meanwhile it counts at some moments and not at others */
} delay;

/* The delay of certain bindings: of those that all given fields (NULL: any) fit. */
typedef struct delay_rule {
    const char *service; /* name: of the service's policy */
    const char *account; /* e-mail: of the service account's own policy */
    const char *role, *member;
    delay delay;
} delay_rule;

typedef struct emulation {
    bool decision_header; /* answers have X-Invoker-Decision */
    bool audit; /* what would be refused is forwarded, and recorded as what it would have been */
    int64_t token_lifetime_s; /* 3600 */
    int64_t clock_skew_s;     /* 60 */
    delay propagation;        /* of all bindings that no rule fits */
    uint64_t propagation_seed;
    const delay_rule *propagation_rules; /* the first that fits counts */
    size_t propagation_rule_count;
} emulation;

/* Does any change of a policy take time? */
bool emulation_is_delayed(const emulation *e);

#endif
