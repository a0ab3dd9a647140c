/* The file, and over it the document that the gateway keeps. */
#include "cli/merged.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "state/merge.h"
#include "state/state.h"

/* NULL and *e: there is none, or it cannot be read. A new reference. */
static json_t *read_state(const char *dir, error *e)
{
    struct stat st;
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        error_set(e, ERR_NOT_FOUND, "--state: there is no folder %s", dir);
        return NULL;
    }
    state *kept = state_open(&(state_options){.dir = dir}, e);
    json_t *document = kept ? json_incref(state_document(kept)) : NULL;
    state_close(kept);
    return document;
}

bool merged_load(const char *command, const char *config_path, const char *state_dir, merged *out)
{
    error e = {0};
    *out = (merged){0};
    out->base = cli_load(config_path, NULL);
    if (!out->base)
        return false;
    if (!state_dir) {
        out->s = snapshot_ref(out->base);
        return true;
    }
    out->document = read_state(state_dir, &e);
    if (!out->document) {
        (void)cli_failed(command, &e);
        merged_free(out);
        return false;
    }
    out->s = state_merge(out->base, out->document, NULL, clock_wall_us());
    return true;
}

void merged_free(merged *m)
{
    snapshot_unref(m->s);
    snapshot_unref(m->base);
    json_decref(m->document);
    *m = (merged){0};
}
