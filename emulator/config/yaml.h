/* YAML text as a tree that remembers where everything stood. Limits hold while it is built, so that
 * neither depth nor width nor aliases of a hostile file cost more than they allow. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "base/arena.h"
#include "config/diag.h"

typedef enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP } node_kind;

typedef struct node node;

typedef struct node_pair {
    const node *key; /* always a scalar */
    const node *value;
} node_pair;

struct node {
    node_kind kind;
    bool plain; /* a scalar without quotes and tag: the only kind that can be null or a bool */
    /* A scalar whose text stands in the file as it is: the column at which each of its lines
     * begins; 0: folded, or with escapes. A literal block begins on the line below its indicator.
     */
    bool block;
    uint16_t text_column;
    place at; /* the first character (of a block mapping: its first key) */
    size_t count;
    union {
        span text; /* NUL-terminated, without NULs inside */
        const node *const *items;
        const node_pair *pairs; /* keys are unique: repeated ones were reported and dropped */
    };
};

/* What may still be built, over all files of one load. */
typedef struct yaml_budget {
    size_t nodes, depth;
} yaml_budget;

/* The one document of the text, in a's memory; NULL when it cannot be read at all (reported). Less
 * than that (repeated keys, …) is reported and left out. file must live as long as a. */
const node *yaml_parse(arena *a, diag_sink *d, const char *file, span text, yaml_budget *budget);

/* A plain `null`, `~` or nothing. */
bool node_is_null(const node *n);

/* Where line and column (from 1) of a scalar's text stand in the file; false: cannot be told. */
bool node_text_place(const node *n, uint32_t line, uint32_t column, place *out);

/* The value of a map's key, or NULL. */
const node *node_get(const node *map, const char *key);

#endif
