/* Memory of things that die together: handed out in order, released all at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"
#include "base/span.h"

typedef struct arena arena;

arena *arena_new(void);
/* The same, taking memory from the system in blocks of this size: for what is small and many. */
arena *arena_new_of(size_t block_bytes);
void arena_free(arena *a); /* NULL is fine */

/* n zeroed bytes, aligned for anything; never NULL. */
void *arena_alloc(arena *a, size_t n);
/* A NUL-terminated copy; texts are packed without alignment. */
char *arena_dup(arena *a, span s);
char *arena_fmt(arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
