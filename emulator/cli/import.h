/* What `gcloud … get-iam-policy`, `describe --format=export` and the like print, read back: one
 * snapshot of all the files, and which parts of a topology the files speak of. */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "base/arena.h"
#include "base/array.h"
#include "config/diag.h"
#include "config/yaml.h"
#include "policy/snapshot.h"

typedef struct import_options {
    const char *project_id, *region; /* NULL: as the files say */
    const snapshot *topology;        /* whose names and project count; NULL: none */
} import_options;

/* A policy that a file holds, and whose it is: the service's, the account's, else the project's. */
typedef struct found_policy {
    const char *service, *account; /* name; e-mail */
    const char *whose;             /* as it was told; the other two follow from it */
    const node *map;
} found_policy;

typedef struct found_service {
    const char *name;
    const node *map; /* a Knative Service */
} found_service;

typedef struct found_account {
    const char *email;
    const node *map; /* an IAM ServiceAccount; NULL: only named somewhere */
} found_account;

#define FOUND(type)                                                                                \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, cap;                                                                         \
    }

typedef struct imported {
    arena *mem;
    diag_sink *diags;
    yaml_budget budget;
    const import_options *options;
    const char *project_id, *project_number, *region;
    FOUND(found_policy) policies;
    FOUND(found_service) services; /* with those that only a policy speaks of: map NULL */
    FOUND(found_account) accounts;
    FOUND(const node *) roles; /* IAM Roles */
    buf left_out;              /* lines about bindings that a topology cannot hold */
    snapshot *s;
} imported;

/* operands: FILE or WHOSE=FILE, NULL-terminated. false: the problems were printed on stderr.
 * imported_free in either case. */
bool import_files(char *const *operands, const import_options *o, imported *out);
void imported_free(imported *m);

const found_service *imported_service(const imported *m, const char *name);

/* The value at the end of a path of keys, or NULL. path is NULL-terminated. */
const node *import_path(const node *map, const char *const *path);
/* Of a Knative Service: the container that takes the requests, or NULL. */
const node *import_container(const node *service_map);
/* The text of a scalar that is not null, else NULL. */
const char *import_text(const node *n);

/* ---- the steps of import_files ---- */

/* import_whose.c: what a file's name says of whose policy it holds. Caller frees. */
char *import_hint(const char *path);
/* Fills in service and account from whose; false: reported. */
bool import_settle_whose(imported *m, found_policy *p);

/* import_service.c */
void import_check_service(imported *m, const node *map);
void import_add_service(imported *m, snapshot_builder *b, const snapshot *base,
                        const found_service *s);
/* import_policy.c */
void import_add_policy(imported *m, snapshot_builder *b, const found_policy *p);
void import_add_role(imported *m, snapshot_builder *b, const node *role);
/* Roles that bindings name and no file describes. */
void import_add_missing_roles(imported *m, snapshot_builder *b);
/* import_build.c: m->s. */
void import_build(imported *m);
/* Makes the account known, if it is one that a topology has to name. */
void import_note_account(imported *m, span email);

/* For FOUND. */
#define found_push(v, value)                                                                       \
    ((v)->items = array_room((v)->items, (v)->count, &(v)->cap, sizeof *(v)->items),               \
     (v)->items[(v)->count++] = (value))

#endif
