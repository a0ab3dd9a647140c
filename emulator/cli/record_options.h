/* --record and what goes with it: the same for `gateway` and `up`. */
#ifndef CLI_RECORD_OPTIONS_H
#define CLI_RECORD_OPTIONS_H

#include "cli/cli.h"
#include "gateway/record_file.h"

/* As they were given; NULL: not at all. */
typedef struct record_settings {
    const char *file, *max, *keep;
} record_settings;

/* Rows of an option table. */
#define RECORD_OPTIONS(settings)                                                                   \
    {"record",                                                                                     \
     0,                                                                                            \
     CLI_STRING,                                                                                   \
     "FILE",                                                                                       \
     "append every decision to FILE, a line of JSON for each",                                     \
     &(settings)->file},                                                                           \
        {"record-max",                                                                             \
         0,                                                                                        \
         CLI_STRING,                                                                               \
         "BYTES",                                                                                  \
         "FILE becomes FILE.1 before it grows beyond that, as 500k, 64m, 2g (64m)",                \
         &(settings)->max},                                                                        \
    {                                                                                              \
        "record-keep", 0, CLI_STRING, "N", "keep FILE.1 to FILE.N (3)", &(settings)->keep          \
    }

/* -1 to go on, else the exit status after a message. The path is NULL without --record. */
int record_options_read(const char *command, const record_settings *s, record_file_options *out);

#endif
