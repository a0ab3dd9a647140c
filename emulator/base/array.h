/* Arrays that grow by doubling. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* items, of `size` bytes each, with room for one more behind the first count of them: as they are,
 * or moved and *cap grown. Aborts without memory. */
void *array_room(void *items, size_t count, size_t *cap, size_t size);

#endif
