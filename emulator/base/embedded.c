#include "base/embedded.h"

const embedded *embedded_find(const embedded *table, span name)
{
    for (const embedded *file = table; file->name; file++)
        if (span_eq_str(name, file->name))
            return file;
    return NULL;
}

span embedded_bytes(const embedded *file)
{
    return (span){(const char *)file->bytes, file->n};
}
