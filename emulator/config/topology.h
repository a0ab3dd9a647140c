/* From the topology's YAML files to a snapshot, with every problem reported at its place. */
#ifndef CONFIG_TOPOLOGY_H
#define CONFIG_TOPOLOGY_H

#include "base/buf.h"
#include "policy/snapshot.h"

enum {
    TOPOLOGY_FILE_MAX = 16 * 1024 * 1024, /* bytes of one file */
    TOPOLOGY_NODES_MAX = 4 * 1000 * 1000, /* after aliases were expanded, over all files */
    TOPOLOGY_DEPTH_MAX = 32,
    TOPOLOGY_INCLUDES_MAX = 64
};

/* Addresses that take the place of the file's: written by `invoker up --ephemeral-ports`, read with
 * --addresses. Lines of "NAME KIND ADDRESS": KIND is listen, metadata or upstream of service NAME;
 * NAME "-" with ingress, metadata or control is a shared listener. */
typedef struct addresses addresses;
addresses *addresses_read(const char *path, error *e); /* caller frees */
void addresses_free(addresses *a);                     /* NULL is fine */

typedef struct diagnostic {
    char *file; /* as the user wrote it */
    uint32_t line, column;
    char *text; /* "service 'backnd-api' in matrix is not defined; did you mean 'backend-api'?" */
} diagnostic;

typedef struct diagnostics {
    diagnostic *items;
    size_t count;
} diagnostics;
void diagnostics_free(diagnostics *d);
/* "policies/x.yaml:14:9: text\n" for each, in file order. */
void diagnostics_print(const diagnostics *d, buf *b);

/* NULL when there is any problem; *out then holds all of them (at most 100), also when the file
 * cannot be read. over may be NULL. The caller holds one count. */
snapshot *topology_load(const char *path, const addresses *over, diagnostics *out);

/* The files that took part in the last load (the topology and its includes): what to watch. */
typedef struct topology_files {
    char **paths;
    size_t count;
} topology_files;
void topology_files_free(topology_files *f);
/* before and now_us: see snapshot_build. */
snapshot *topology_load_files(const char *path, const addresses *over, const snapshot *before,
                              int64_t now_us, diagnostics *out, topology_files *out_files);

#endif
