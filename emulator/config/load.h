/* What the parts of one load share. Pass 1 (load_*.c's read_ functions, driven by key tables) turns
 * the trees of all files into drafts and checks each value by itself; pass 2 (settle_ functions)
 * checks what refers to something else and feeds the snapshot builder. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/arena.h"
#include "base/hash.h"
#include "config/addresses.h"
#include "config/diag.h"
#include "config/yaml.h"
#include "policy/snapshot.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, cap;                                                                         \
    }
#define vec_push(mem, v, value)                                                                    \
    do {                                                                                           \
        if ((v)->count == (v)->cap)                                                                \
            (v)->items = load_grow((mem), (v)->items, &(v)->cap, sizeof *(v)->items);              \
        (v)->items[(v)->count++] = (value);                                                        \
    } while (0)

#define LOAD_LIMIT_INHERITED UINT64_MAX

/* Bytes; 0: no limit. What a service leaves out is as the top level has it. */
typedef struct limits_draft {
    uint64_t request_body, response_body;
} limits_draft;

typedef struct account_draft {
    const char *name; /* as the file has it: short or a whole e-mail */
    account value;    /* e-mail: since pass 2 */
    const node *unique_id, *policy;
    place at;
} account_draft;

typedef struct service_draft {
    service value;
    const account_draft *account; /* pass 2; NULL: the default compute account */
    const node *account_name, *env, *policy, *hosts, *addresses;
    place listen_at, metadata_at, upstream_at;
    bool metadata_off;
    limits_draft limits;
    size_t listed_by; /* number of the caller whose list had it last; 0: none */
} service_draft;

typedef struct source_file {
    const char *shown; /* as the user would write it: the including file's folder joined */
    const char *real;  /* without symbolic links; NULL when it cannot be read */
    const struct source_file *includer;
} source_file;

typedef struct loader {
    arena *mem;
    diag_sink *diags;
    const addresses *over; /* NULL: none */
    yaml_budget budget;
    VEC(source_file *) files;
    const source_file *file; /* the one whose top level is being read */
    bool incomplete; /* a file could not be read: what it may define is not missed in pass 2 */

    const node *project_given, *region_given, *listen_given, *keys_given, *emulation_given,
        *limits_given, *egress_given;
    project project;
    const node *project_policy;
    place ingress_at, metadata_at, control_at;
    emulation emulation;
    const node *propagation_rules; /* NULL: none */
    limits_draft limits;

    VEC(account_draft *) accounts;
    VEC(service_draft *) services;
    VEC(const node_pair *) groups;
    VEC(const node_pair *) callers;
    VEC(const node *) users;
    VEC(const node_pair *) roles;
    VEC(const node *) denies;
    VEC(const node_pair *) images;
    strmap *accounts_by_name;    /* short names and e-mails → account_draft */
    strmap *services_by_name;    /* → service_draft */
    strmap *groups_by_email;     /* → the key's node */
    strmap *users_by_email;      /* → node */
    strmap *roles_by_name;       /* custom ones, "projects/P/roles/R" → the key's node */
    const char *const *words[4]; /* candidates for did-you-mean, made on demand */

    snapshot_builder *builder;
} loader;

/* For vec_push: a copy with twice the room. */
void *load_grow(arena *mem, const void *items, size_t *cap, size_t size);

/* ---- load_read.c: tables and single values ---- */

typedef struct key_spec {
    const char *name; /* NULL ends a table */
    /* entry->value is what stands there, also null; into is target + offset. */
    void (*read)(loader *l, const node_pair *entry, void *into);
    size_t offset;
} key_spec;

/* what: "service 'x'", for the message on an unknown key. A null map is an empty one. */
void read_map(loader *l, const node *map, const char *what, const key_spec *keys, void *target);

/* "KEY: expected WANTED, found …" at the value. */
void expected(loader *l, const char *key, const node *found, const char *wanted);
/* "'text'", "a list", …: for messages; shortened, in l's memory. */
const char *found_text(loader *l, const node *n);

/* The text of a scalar that is not null, else reports. */
bool read_scalar(loader *l, const char *key, const node *n, const char *wanted, span *out);
/* false: reported, unless it is null (then an empty one is to be assumed). */
bool read_is_map(loader *l, const char *key, const node *n);
bool read_is_list(loader *l, const char *key, const node *n, const char *wanted);

void read_bool(loader *l, const node_pair *entry, void *into);      /* bool */
void read_text_list(loader *l, const node_pair *entry, void *into); /* const char *const * */
void read_command(loader *l, const node_pair *entry, void *into);   /* likewise, not empty */
void read_node(loader *l, const node_pair *entry, void *into);      /* const node * */
void read_ignored(loader *l, const node_pair *entry, void *into);
void read_listen(loader *l, const node_pair *entry, void *into); /* const char *, normal form */
/* One of the words, which end with NULL: its place among them. wanted: all of them, for people. */
bool read_word(loader *l, const node_pair *entry, const char *const *words, const char *wanted,
               size_t *out_index);
/* least to most; false: reported. */
bool read_count(loader *l, const node_pair *entry, uint32_t least, uint32_t most, uint32_t *out);
/* least to most, in whole `step`s, all in microseconds. */
bool read_duration(loader *l, const node_pair *entry, int64_t least, int64_t most, int64_t step,
                   int64_t *out_us);

/* false and a report when the key stood in another file, or this one, before. */
bool claim_once(loader *l, const node **slot, const node_pair *entry);

/* ---- pass 1, top level ---- */
void read_project(loader *l, const node_pair *entry, void *into);
void read_region(loader *l, const node_pair *entry, void *into);
void read_shared_listeners(loader *l, const node_pair *entry, void *into);
void read_keys(loader *l, const node_pair *entry, void *into);
void read_emulation(loader *l, const node_pair *entry, void *into);
void read_default_limits(loader *l, const node_pair *entry, void *into);
void read_egress(loader *l, const node_pair *entry, void *into);
void read_limits(loader *l, const node_pair *entry, void *into); /* limits_draft */
void read_accounts(loader *l, const node_pair *entry, void *into);
void read_services(loader *l, const node_pair *entry, void *into);
void read_matrix(loader *l, const node_pair *entry, void *into);
void read_groups(loader *l, const node_pair *entry, void *into);
void read_users(loader *l, const node_pair *entry, void *into);
void read_roles(loader *l, const node_pair *entry, void *into);
void read_deny(loader *l, const node_pair *entry, void *into);
void read_images(loader *l, const node_pair *entry, void *into);
void read_propagation(loader *l, const node_pair *entry, void *into); /* emulation's key */
/* load_files.c: the file and, depth first, what it includes. */
void read_topology(loader *l, const char *path);
void read_include(loader *l, const node_pair *entry, void *into);

/* ---- pass 2, in this order ---- */
void settle_project(loader *l);
void settle_accounts(loader *l); /* and the account of each service */
void settle_listeners(loader *l);
void settle_names(loader *l);                 /* hosts and addresses that two services claim */
void settle_env(loader *l, service_draft *s); /* when all URLs are known */
void settle_people(loader *l);                /* users and groups */
void settle_roles(loader *l);                 /* custom ones */
void settle_emulation(loader *l);             /* and the rules of its propagation_delay */
void settle_grants(loader *l);                /* matrix and policies */
void settle_deny(loader *l);
void settle_images(loader *l);

/* ---- load_condition.c ---- */

/* In l's memory; NULL: reported, at the line and column of the expression where it is its fault. */
condition_text *read_condition(loader *l, const node *map);

/* ---- load_iam.c ---- */

/* A predefined role, or a custom one of this topology; false: reported. Since settle_roles. */
bool read_role(loader *l, const node *role, span *out);
/* "projects/P/roles/R" of "R"; a whole name as it is. */
const char *role_full_name(loader *l, span name);

/* ---- load_members.c ---- */
typedef enum words_kind {
    WORDS_SERVICES,
    WORDS_ACCOUNTS,
    WORDS_CALLERS,
    WORDS_ROLES /* predefined and custom */
} words_kind;
const char *const *load_words(loader *l, words_kind kind);

/* Who a caller of the matrix or a member of a group is: "serviceAccount:…", in l's memory; NULL
 * when that was reported. where: "in matrix". */
const char *resolve_member(loader *l, const node *who, const char *where);
account_draft *find_account(const loader *l, span name_or_email);
service_draft *find_service(const loader *l, span name);
bool is_default_account(const loader *l, span email);

#endif
