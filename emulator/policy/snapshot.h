/* The topology as an immutable, indexed value. Built once (snapshot_builder), then shared by count:
 * each worker holds one, a reload hands every worker the next. Pure data: no I/O. */
#ifndef POLICY_SNAPSHOT_H
#define POLICY_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "policy/member.h"

typedef struct snapshot snapshot;

/* Where something stands in a file; file is NULL for what was derived (defaults). */
typedef struct place {
    const char *file;
    uint32_t line, column; /* from 1 */
} place;

typedef enum ingress {
    INGRESS_ALL,
    INGRESS_INTERNAL,
    INGRESS_INTERNAL_AND_LB,
    INGRESS_NONE
} ingress;

typedef struct account {
    const char *email;
    const char *unique_id; /* 21 digits */
    const char *display_name;
    bool disabled;
} account;

typedef struct env_var {
    const char *name, *value; /* ${service.url} references already replaced */
} env_var;

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
    ingress ingress;
    bool iam_check; /* false: `invoker_iam_check: false` */
    /* From when on allUsers holds run.routes.invoke (wall clock, µs), so that no token is looked
     * at: 0 = since ever, INT64_MAX = never. iam_check == false has the same effect at once. */
    int64_t open_from_us;
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
    const char *const *custom_audiences; /* NULL-terminated, as are the next two */
    const char *const *hosts;
    const char *const *addresses;
    place place;
} service;

/* One grant as it takes part in a decision. */
typedef struct binding {
    const char *role;
    const char *member; /* as written: "serviceAccount:…" */
    bool project_level;
    uint32_t service; /* index; meaningless at project level */
    bool invokes;     /* the role contains run.routes.invoke */
    /* Propagation: counts from this wall-clock time on (µs); 0 = since ever. granted_us is when the
     * reload brought it. Only set for what a reload added while a propagation delay is in force. */
    int64_t effective_us, granted_us;
    place place;
} binding;

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

typedef struct emulation {
    int64_t token_lifetime_s; /* 3600 */
    int64_t clock_skew_s;     /* 60 */
    int64_t propagation_delay_s;
} emulation;

snapshot *snapshot_ref(snapshot *s);
void snapshot_unref(snapshot *s); /* NULL is fine; any thread */

const project *snapshot_project(const snapshot *s);
const emulation *snapshot_emulation(const snapshot *s);
size_t snapshot_service_count(const snapshot *s);
const service *snapshot_service(const snapshot *s, size_t i);
const service *snapshot_find_service(const snapshot *s, span name);
size_t snapshot_account_count(const snapshot *s); /* the default compute account included, last */
const account *snapshot_account(const snapshot *s, size_t i);
const account *snapshot_find_account(const snapshot *s, span email_or_unique_id);
/* "frontend-sa" → frontend-sa@PROJECT.iam.gserviceaccount.com's account; full e-mails work too. */
const account *snapshot_resolve_account(const snapshot *s, span name_or_email);
/* E-mails of people: those that `users:` names, then those that only bindings or groups mention. */
size_t snapshot_user_count(const snapshot *s);
const char *snapshot_user(const snapshot *s, size_t i);
size_t snapshot_binding_count(const snapshot *s);
const binding *snapshot_binding(const snapshot *s, size_t i);

/* The service a Host header names at the shared ingress: NAME.localhost[:port], run.app forms,
 * hosts:; port ignored, case-insensitive, trailing dot tolerated. NULL: unknown. */
typedef enum host_kind { HOST_OWN, HOST_RUN_APP, HOST_CUSTOM } host_kind;
const service *snapshot_route_host(const snapshot *s, span host, host_kind *out_kind);

/* Audience rules (Cloud Run docs "custom audiences" and observed behaviour). */
typedef enum audience_verdict {
    AUDIENCE_OK,
    AUDIENCE_HAS_QUERY,     /* right URL, but with ?query or #fragment */
    AUDIENCE_TAG_URL,       /* https://TAG---service… */
    AUDIENCE_WRONG_SCHEME,  /* http:// of an https URL, or the reverse */
    AUDIENCE_CUSTOM_DOMAIN, /* one of hosts:, not listed as a custom audience */
    AUDIENCE_OTHER_SERVICE, /* another service of this topology: *out_other */
    AUDIENCE_BARE_HOST,     /* the host without scheme */
    AUDIENCE_FOREIGN
} audience_verdict;
audience_verdict snapshot_audience(const snapshot *s, const service *svc, span aud,
                                   const service **out_other);

/* Who is asking, resolved once per decision. */
typedef struct principal {
    member_kind kind; /* MEMBER_USER or MEMBER_SERVICE_ACCOUNT */
    span email;       /* a view of the claims or of the snapshot */
} principal;

/* By e-mail claim; else by numeric sub (the unique id of an account or a user). false: nobody
 * known. */
bool snapshot_principal(const snapshot *s, const char *email, const char *sub, principal *out);

/* The binding that lets the principal invoke svc (service's own first, then the project's), or
 * NULL. Groups, domains and allAuthenticatedUsers count. O(1) in the number of bindings. When the
 * only fitting ones are not yet in effect at now_us, the earliest of them is returned: compare its
 * effective_us. p == NULL is somebody anonymous: allUsers alone counts. */
const binding *snapshot_grant(const snapshot *s, const service *svc, const principal *p,
                              int64_t now_us);

/* For explaining: the nearest thing to a grant that does not suffice, or NULL: the same member on
 * another service, or on this service with a role that lacks the permission. Linear. */
const binding *snapshot_near_grant(const snapshot *s, const service *svc, const principal *p);

/* ---- building ---- */
typedef struct snapshot_builder snapshot_builder;

snapshot_builder *snapshot_builder_new(void);
void snapshot_builder_free(snapshot_builder *b); /* NULL is fine */

/* All strings given to a builder are copied. Order: project, then accounts, services, groups,
 * bindings in any order. */
void snapshot_builder_project(snapshot_builder *b, const project *p);
void snapshot_builder_emulation(snapshot_builder *b, const emulation *e);
/* `deterministic_url`, `hash_url`, `revision`, `open_from_us`, `index` and unique ids are derived
 * by snapshot_build, whatever is given; a NULL `url` becomes "http://LISTEN", a NULL
 * `default_account` of the project its default compute account. */
void snapshot_builder_account(snapshot_builder *b, const account *a);
void snapshot_builder_service(snapshot_builder *b, const service *s, const char *account_email);
/* member: "user:…", "serviceAccount:…", "group:…" (groups nest); a bare e-mail is taken for one of
 * the first two. */
void snapshot_builder_group(snapshot_builder *b, const char *group_email, const char *member);
void snapshot_builder_user(snapshot_builder *b, const char *email); /* twice is fine */
/* `service` is NULL at project level. invokes is derived from the role. */
void snapshot_builder_binding(snapshot_builder *b, const char *service, const char *role,
                              const char *member, place where);

/* Consumes the builder; never fails on data the loader has checked. The caller holds one count.
 * before (nullable) is the snapshot that this one replaces: with a propagation delay, grants that
 * it lacks take effect at now_us + delay (those of `before` that still wait keep their time). */
snapshot *snapshot_build(snapshot_builder *b, const snapshot *before, int64_t now_us);

#endif
