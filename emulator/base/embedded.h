/* Files that are part of the program: the Makefile turns each group of them into a table
 * (emulator/embed.sh). A table ends with a NULL name. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include "base/span.h"

typedef struct embedded {
    const char *name; /* without folders */
    const char *type; /* the media type, for a Content-Type */
    const unsigned char *bytes;
    size_t n; /* a NUL follows them */
} embedded;

extern const embedded embedded_page[]; /* control/page/: the dashboard */
/* policies/lessons/: the topologies of `invoker lesson` */
extern const embedded embedded_lessons[];

/* The file of that name, or NULL. */
const embedded *embedded_find(const embedded *table, span name);

/* What is in it. */
span embedded_bytes(const embedded *file);

#endif
