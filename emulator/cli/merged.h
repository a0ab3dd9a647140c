/* A topology with the state over it, read once and offline: what export and diff look at. */
#ifndef CLI_MERGED_H
#define CLI_MERGED_H

#include <jansson.h>

#include "policy/snapshot.h"

typedef struct merged {
    snapshot *s, *base; /* base: the file alone */
    json_t *document;   /* NULL: no state */
} merged;

/* state_dir may be NULL. false: problems were printed on stderr, on behalf of the command. */
bool merged_load(const char *command, const char *config_path, const char *state_dir, merged *out);
void merged_free(merged *m);

#endif
