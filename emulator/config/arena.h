/* Memory of one load: handed out in order, released all at once. */
#ifndef CONFIG_ARENA_H
#define CONFIG_ARENA_H

#include <stddef.h>

#include "base/attr.h"
#include "base/span.h"

typedef struct arena arena;

arena *arena_new(void);
void arena_free(arena *a); /* NULL is fine */

/* n zeroed bytes, aligned for anything; never NULL. */
void *arena_alloc(arena *a, size_t n);
/* A NUL-terminated copy. */
const char *arena_dup(arena *a, span s);
const char *arena_fmt(arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
