/* The computeMetadata tree that one caller sees, as Cloud Run serves it (docs: "Container runtime
 * contract", "About VM metadata"). Pure: a view in, text out. */
#ifndef METADATA_TREE_H
#define METADATA_TREE_H

#include "base/buf.h"

typedef struct tree_view {
    span project_id;
    span project_number;
    span region;
    span instance_id;
    span account; /* e-mail */
} tree_view;

typedef enum tree_kind {
    TREE_DIRECTORY,
    TREE_TEXT,
    TREE_NUMBER,
    TREE_LIST,
    TREE_TOKEN,   /* made by others; the tree knows only where it is */
    TREE_IDENTITY /* likewise */
} tree_kind;

typedef struct tree_node tree_node;

typedef enum tree_match {
    TREE_NONE,
    TREE_FOUND,
    TREE_NEEDS_SLASH /* a directory, asked for without its slash */
} tree_match;

/* path: of the URL, not decoded. An account is named `default` or by its e-mail ('@' or "%40"). */
tree_match tree_find(const tree_view *v, span path, const tree_node **out);

tree_kind tree_node_kind(const tree_node *n);
const char *tree_content_type(const tree_node *n); /* of the node's text */

/* A leaf's value, or a directory's children, one a line. */
void tree_write_text(const tree_view *v, const tree_node *n, buf *out);
/* recursive=true on a directory, alt=json on a leaf: camelCase keys, sorted. */
void tree_write_json(const tree_view *v, const tree_node *n, buf *out);
/* recursive=true&alt=text: "path value" lines with dashed names. */
void tree_write_flat(const tree_view *v, const tree_node *n, buf *out);

#endif
