#include "base/array.h"

#include <stdlib.h>

void *array_room(void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 16;
    void *more = reallocarray(items, *cap, size);
    if (!more)
        abort();
    return more;
}
