/* Whole files: read with a ceiling, replace atomically, make folders. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* The content, NUL-terminated, caller frees; NULL and *e (ERR_LIMIT past max bytes). */
char *file_read(const char *path, size_t max, size_t *out_n, error *e);

/* Written to a temporary name beside it with `mode`, synced, renamed over path. */
bool file_replace(const char *path, const void *p, size_t n, mode_t mode, error *e);

/* The same for what need not outlive the machine: as whole for readers, but not synced. */
bool file_replace_lazily(const char *path, const void *p, size_t n, mode_t mode, error *e);

/* Removes what file_replace leaves beside path when it is killed. Nobody may be replacing it. */
void file_sweep(const char *path);

/* As file_replace, but fails with ERR_EXISTS when path is there already (link(2)); two processes
 * that race see exactly one winner. */
bool file_create(const char *path, const void *p, size_t n, mode_t mode, error *e);

/* mkdir -p; `mode` for every folder that is made. */
bool file_mkdirs(const char *path, mode_t mode, error *e);

/* Waits for the folder's lock, which its owner holds until the descriptor is closed; -1 and *e.
 * Serialises the processes that write into it. */
int file_lock_folder(const char *dir, error *e);

/* A plain file that nobody but its owner may touch; ERR_PERMISSION names the mending chmod. */
bool file_check_private(const char *path, error *e);

/* dir + "/" + name (name itself when it is absolute); caller frees. */
char *file_join(const char *dir, const char *name);

/* The folder part of path ("." when there is none); caller frees. */
char *file_dirname(const char *path);

/* Where the user's programs keep what should survive: $XDG_STATE_HOME/invoker/NAME
 * (~/.local/state/…), XDG Base Directory Specification. Caller frees; NULL without a home. */
char *file_state_path(const char *name);

#endif
