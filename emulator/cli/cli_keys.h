/* What the commands that touch keys share: which folder, which topology, times in words. */
#ifndef CLI_CLI_KEYS_H
#define CLI_CLI_KEYS_H

#include "base/buf.h"
#include "policy/snapshot.h"

/* Loads the topology when it is asked for (`config` given) or when the usual one is there. -1 to go
 * on, *out_snapshot may then be NULL; else the exit status after printed problems. */
int cli_load_optional(const char *config, snapshot **out_snapshot);

/* The keys folder of option and topology (nullable); caller frees. */
char *cli_keys_dir(const char *keys_option, const snapshot *s);

/* Takes --output: "text" (default) or "json". -1 to go on, else the exit status. */
int cli_output_json(const char *command, const char *output, bool *out_json);

/* Writes all of it to standard output; the status is CLI_FAILED when that cannot be done. */
int cli_print(const buf *text, int status);

/* "2026-05-10T05:57:08Z" */
void cli_add_time(buf *b, int64_t seconds);
/* "5 min ago", "in 2 h 3 min", "now" */
void cli_add_distance(buf *b, int64_t seconds, int64_t now_s);

#endif
