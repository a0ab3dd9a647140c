/* A file of lines that never grows beyond a size: FILE is then kept as FILE.1, that as FILE.2 … and
 * begun anew. Nobody else writes to it at the same time. */
#ifndef GATEWAY_RECORD_FILE_H
#define GATEWAY_RECORD_FILE_H

#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

typedef struct record_file record_file;

typedef struct record_file_options {
    const char *path;
    uint64_t bytes_max; /* of one file; a single write that is longer is still written */
    unsigned keep;      /* how many former ones */
} record_file_options;

enum { RECORD_FILE_KEEP_MAX = 1000 };

/* Appends; what has to be made is for its owner only (0600). NULL and *e. */
record_file *record_file_open(const record_file_options *o, error *e);
void record_file_close(record_file *f); /* NULL is fine */

/* Whole lines: all of them are written, or none and *e says why. May be tried again. */
bool record_file_write(record_file *f, span lines, error *e);

/* Begins anew when the file was moved or removed (logrotate(8) with SIGHUP). */
bool record_file_reopen(record_file *f, error *e);

#endif
