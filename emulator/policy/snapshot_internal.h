/* What the files of policy/ share behind snapshot.h; nobody else includes this. */
#ifndef POLICY_SNAPSHOT_INTERNAL_H
#define POLICY_SNAPSHOT_INTERNAL_H

#include <stdatomic.h>

#include "base/hash.h"
#include "policy/grants.h"
#include "policy/snapshot.h"
#include "policy/textpool.h"

/* A URL whose origin is an accepted audience: "http://127.0.0.1:8082" in its parts. */
typedef struct url_form {
    span scheme, host, port; /* port with its colon, empty when there is none */
    bool run_app;            /* one of the two default URLs */
} url_form;

enum { SERVICE_FORMS_MAX = 4 };

typedef struct service_urls {
    url_form forms[SERVICE_FORMS_MAX];
    size_t count;
} service_urls;

/* The principals of a deny rule, ready to be asked. */
typedef struct deny_set {
    bool everybody, own_accounts; /* the project's service accounts */
    uint32_t *ids;                /* members' numbers */
    size_t count;
} deny_set;

typedef struct deny_sets {
    deny_set denied, excepted;
    bool forbids_invoke; /* run.routes.invoke */
} deny_sets;

typedef struct image_command {
    const char *image;
    const char *const *command;
} image_command;

/* Where a host name leads at the shared ingress. */
typedef struct host_entry {
    const service *service; /* NULL: claimed by several services, so by none */
    host_kind kind;
} host_entry;

/* A URL's origin in parts, the rest of the URL behind it. false: neither http:// nor
 * https://. */
typedef struct url_parts {
    span scheme, host, port, rest;
} url_parts;
bool url_split(span url, url_parts *out);
/* host[:port] or [v6][:port]; out->scheme and rest stay. */
void authority_split(span authority, span *out_host, span *out_port);
bool url_same_host(span a, span b); /* 127.0.0.1, localhost and [::1] are one */

struct snapshot {
    atomic_uint refs;
    textpool *pool; /* owns every string and array below */
    project project;
    const char *account_domain; /* of the project's service accounts, behind the @ */
    emulation emulation;
    service *services;
    size_t service_count;
    service_urls *urls; /* by service index */
    account *accounts;
    size_t account_count;
    const char **users;
    size_t user_count;
    binding *bindings; /* those that are granted, then those that were revoked a moment ago */
    size_t binding_count, revoked_count;
    condition **conditions; /* of the bindings, each once; on the heap */
    size_t condition_count;
    group_edge *edges;
    size_t edge_count;
    custom_role *roles;
    size_t role_count;
    deny_rule *denies;
    size_t deny_count;
    image_command *images;
    size_t image_count;
    strmap *conditions_by_text; /* → condition; while the snapshot is being built */
    strmap *roles_by_name;      /* → custom_role */
    strmap *images_by_name;     /* → image_command */
    strmap *services_by_name;   /* → service */
    strmap *accounts_by_key;    /* lower-case e-mail or unique id → account */
    strmap *users_by_id;        /* unique id → place in users */
    strmap *hosts;              /* lower-case host → host_entry */
    strmap *audiences;          /* origin without scheme, custom audience → service */
    grants *grants;
    deny_sets *deny_sets; /* of each deny rule */
    bool invoke_denied;   /* some rule forbids run.routes.invoke */
};

/* Filled from services (with their URLs) and project; used by snapshot_build only. */
void snapshot_index_hosts(snapshot *s);
void snapshot_index_audiences(snapshot *s);

/* snapshot_bindings.c: from the builder's grants, with room for those that are revoked. */
void snapshot_build_bindings(snapshot *s, const snapshot_builder *b, size_t revoked_most);
/* Where and what a grant is; false: nowhere. */
bool snapshot_place_grant(snapshot *s, const grant_spec *g, binding *out);
/* Sets the times of every binding of s that `before` lacks, and adds those that s lacks, as long as
 * they are still in force. */
void snapshot_propagate(snapshot *s, const snapshot *before, int64_t now_us);

/* deny.c. members: all that the rules name, as IAM v1 writes them (for grants_input.more), in the
 * pool of s. */
const char *const *deny_members(const snapshot *s, size_t *out_count);
void denies_build(snapshot *s);

/* The longest e-mail or host name that is looked up; longer ones are unknown. */
enum { KEY_TEXT_MAX = 320 };
/* ASCII lower case into out; false when it is longer. */
bool key_lower(span text, char out[KEY_TEXT_MAX], span *out_key);

#endif
