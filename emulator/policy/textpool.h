/* The memory of a snapshot: interned strings and small arrays, all freed together. */
#ifndef POLICY_TEXTPOOL_H
#define POLICY_TEXTPOOL_H

#include <stddef.h>

#include "base/span.h"

typedef struct textpool textpool;

textpool *textpool_new(void);
void textpool_free(textpool *p); /* NULL is fine */

/* Zeroed and aligned for anything. */
void *textpool_alloc(textpool *p, size_t n);

/* The same pointer for the same text until textpool_seal; NULL stays NULL. */
const char *textpool_text(textpool *p, const char *text);
const char *textpool_span(textpool *p, span text);

/* A copy of a NULL-terminated list; NULL becomes an empty one. */
const char *const *textpool_list(textpool *p, const char *const *list);

/* No more strings will come: drops the index over them. */
void textpool_seal(textpool *p);

#endif
