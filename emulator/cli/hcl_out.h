/* HashiCorp's configuration language, as `terraform fmt` lays it out. */
#ifndef CLI_HCL_OUT_H
#define CLI_HCL_OUT_H

#include "base/buf.h"

/* A quoted string in which nothing is a template. */
void hcl_put_text(buf *b, span text);

/* One attribute: text, else list, else expression as it is; all NULL: left out. */
typedef struct hcl_pair {
    const char *key, *text, *expression;
    const char *const *list; /* NULL-terminated; an empty one is left out */
} hcl_pair;

/* The attributes of a block, one a line, their equals signs in a column; a NULL key ends them. */
void hcl_put_pairs(buf *b, unsigned depth, const hcl_pair *pairs);

/* Appends the text as part of a name: letters and digits as they are, other signs as _. false:
 * another text may have become the same. */
bool hcl_put_name(buf *b, span text);

#endif
