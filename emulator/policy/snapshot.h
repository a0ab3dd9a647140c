/* The topology as an immutable, indexed value. Built once (snapshot_builder), then shared by count:
 * each worker holds one, a reload hands every worker the next. Pure data: no I/O. */
#ifndef POLICY_SNAPSHOT_H
#define POLICY_SNAPSHOT_H

#include "base/error.h"
#include "policy/model.h"

typedef struct snapshot snapshot;

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
size_t snapshot_binding_count(const snapshot *s); /* without the revoked ones */
const binding *snapshot_binding(const snapshot *s, size_t i);
/* Those that were revoked a moment ago: some are still in force. */
size_t snapshot_revoked_count(const snapshot *s);
const binding *snapshot_revoked(const snapshot *s, size_t i);
/* Edge i: *member ("user:…", "group:…" or a bare e-mail) is in the group. */
size_t snapshot_group_edge_count(const snapshot *s);
void snapshot_group_edge(const snapshot *s, size_t i, const char **group_email,
                         const char **member);
size_t snapshot_role_count(const snapshot *s); /* custom roles */
const custom_role *snapshot_role(const snapshot *s, size_t i);
const custom_role *snapshot_find_role(const snapshot *s, span name); /* "projects/P/roles/R" */
/* Does the role, predefined or custom, contain the permission? Of predefined ones only those
 * permissions are known that role.h lists. */
bool snapshot_role_grants(const snapshot *s, span role, span permission);
size_t snapshot_deny_count(const snapshot *s);
const deny_rule *snapshot_deny(const snapshot *s, size_t i);
/* What runs for a container image: argv, NULL-terminated. An image that is not known with its
 * digest or tag is looked for without. */
size_t snapshot_image_count(const snapshot *s);
const char *snapshot_image_at(const snapshot *s, size_t i, const char *const **command);
const char *const *snapshot_image(const snapshot *s, span image); /* NULL: not known */

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
    AUDIENCE_WRONG_CASE,    /* right URL, but for upper and lower case */
    AUDIENCE_NEARLY_CUSTOM, /* a custom audience, but for its case, a slash, path or scheme */
    AUDIENCE_CUSTOM_DOMAIN, /* one of hosts:, not listed as a custom audience */
    AUDIENCE_OTHER_SERVICE, /* another service of this topology: *out_other */
    AUDIENCE_BARE_HOST,     /* the host without scheme */
    AUDIENCE_WRONG_PORT,    /* right host, other port */
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

/* The binding in force at now_us that lets the principal invoke svc (service's own first, then the
 * project's), or NULL. Groups, domains and allAuthenticatedUsers count, deny rules do not. O(1) in
 * the number of bindings. p == NULL is somebody anonymous: allUsers alone counts. */
const binding *snapshot_grant(const snapshot *s, const service *svc, const principal *p,
                              int64_t now_us);

/* Where snapshot_grant has none: the binding that fits but is not in force, and why: one that waits
 * (the first to count), else one whose condition does not hold, else a revoked one. */
typedef struct missed_grant {
    const binding *binding; /* NULL: none fits */
    binding_state state;
} missed_grant;
missed_grant snapshot_missed_grant(const snapshot *s, const service *svc, const principal *p,
                                   int64_t now_us);

/* May anybody invoke svc at now_us, without a token? (The service's iam_check is not looked at.) */
bool snapshot_is_open(const snapshot *s, const service *svc, int64_t now_us);

/* The deny rule that forbids p (NULL: somebody anonymous) the permission ("run.routes.invoke") in
 * this project, whatever is granted; NULL: none. */
const deny_rule *snapshot_denied(const snapshot *s, const principal *p, const char *permission);

/* Any permission on any resource. */
typedef struct resource {
    const service *service;
    const account *account; /* neither: the project */
} resource;
/* The binding in force at now_us that gives p the permission (what the project grants counts for
 * each resource in it), or NULL: there is none, or a deny rule forbids it. Linear in the number of
 * bindings. */
const binding *snapshot_allows(const snapshot *s, const resource *r, const principal *p,
                               const char *permission, int64_t now_us);

/* For explaining: the nearest thing to a grant that does not suffice, or NULL: the same member on
 * another service, or on this service with a role that lacks the permission. Linear. */
const binding *snapshot_near_grant(const snapshot *s, const service *svc, const principal *p);

/* ---- building ---- */
typedef struct snapshot_builder snapshot_builder;

snapshot_builder *snapshot_builder_new(void);
void snapshot_builder_free(snapshot_builder *b); /* NULL is fine */

/* All strings given to a builder are copied. Order: project, then accounts, services, groups,
 * bindings, roles, deny rules and images in any order. Whatever a snapshot tells can be given to a
 * builder again. */
void snapshot_builder_project(snapshot_builder *b, const project *p);
void snapshot_builder_emulation(snapshot_builder *b, const emulation *e);
/* `deterministic_url`, `hash_url`, `resource_name`, `accepted`, `open` and `index` are derived by
 * snapshot_build, whatever is given; so are, where they are NULL, `revision`, `url`
 * ("http://LISTEN"), an account's `unique_id` and the project's `default_account`. */
void snapshot_builder_account(snapshot_builder *b, const account *a);
/* account_email: NULL is the default compute account; one that no account has stands for a deleted
 * account, and the service for one that gets no tokens. */
void snapshot_builder_service(snapshot_builder *b, const service *s, const char *account_email);
/* member: "user:…", "serviceAccount:…", "group:…" (groups nest); a bare e-mail is taken for one of
 * the first two. */
void snapshot_builder_group(snapshot_builder *b, const char *group_email, const char *member);
void snapshot_builder_user(snapshot_builder *b, const char *email); /* twice is fine */
typedef struct grant_spec {
    const char *service; /* name: of the service's policy */
    const char *account; /* e-mail: of the service account's own policy; neither: the project's */
    const char *role, *member;       /* as IAM writes them; the member may be "deleted:…" */
    const condition_text *condition; /* NULL: none; was compiled successfully before */
    place place;
} grant_spec;
/* A grant on a service or account that there is not grants nothing and is dropped. */
void snapshot_builder_grant(snapshot_builder *b, const grant_spec *g);
/* permissions is NULL-terminated. The first role of a name counts. */
void snapshot_builder_role(snapshot_builder *b, const char *name, const char *const *permissions);
void snapshot_builder_deny(snapshot_builder *b, const deny_rule *r);
/* command is NULL-terminated. The first command of an image counts. */
void snapshot_builder_image(snapshot_builder *b, const char *image, const char *const *command);

/* snapshot_copy.c: parts of one snapshot for another. */
void snapshot_copy_people(snapshot_builder *b, const snapshot *s); /* users, groups */
void snapshot_copy_rules(snapshot_builder *b, const snapshot *s);  /* deny rules, images */
void snapshot_copy_roles(snapshot_builder *b, const snapshot *s);
void snapshot_copy_service(snapshot_builder *b, const service *svc);
void snapshot_copy_binding(snapshot_builder *b, const snapshot *s, const binding *g);

/* Consumes the builder; never fails on data the loader has checked. The caller holds one count.
 * before (nullable) is the snapshot that this one replaces: with a propagation delay, grants that
 * it lacks take effect at now_us + delay (those of `before` that still wait keep their time), and
 * those that it alone has stay in force for as long. */
snapshot *snapshot_build(snapshot_builder *b, const snapshot *before, int64_t now_us);

#endif
