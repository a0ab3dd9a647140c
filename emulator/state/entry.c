#include "state/entry.h"

#include <stdlib.h>

const char *entry_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

const char **entry_strings(const json_t *array)
{
    const char **list = calloc(json_array_size(array) + 1, sizeof *list);
    if (!list)
        abort();
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(array); i++)
        if (json_is_string(json_array_get(array, i)))
            list[n++] = json_string_value(json_array_get(array, i));
    return list;
}
