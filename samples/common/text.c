#include "text.h"

#include <stdlib.h>
#include <string.h>

text text_make(size_t limit)
{
    return (text){.limit = limit};
}

static bool reserve(text *t, size_t wanted)
{
    if (wanted <= t->capacity) {
        return true;
    }
    size_t capacity = t->capacity ? t->capacity * 2 : 256;
    while (capacity < wanted) {
        capacity *= 2;
    }
    char *data = realloc(t->data, capacity);
    if (!data) {
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

bool text_add(text *t, const void *bytes, size_t size)
{
    if (size > t->limit - t->size || !reserve(t, t->size + size + 1)) {
        t->overflow = true;
        return false;
    }
    if (size > 0) {
        memcpy(t->data + t->size, bytes, size);
    }
    t->size += size;
    t->data[t->size] = '\0';
    return true;
}

bool text_str(text *t, const char *string)
{
    return text_add(t, string, strlen(string));
}

const char *text_cstr(const text *t)
{
    return t->data ? t->data : "";
}

char *text_take(text *t)
{
    if (t->overflow) {
        return NULL;
    }
    char *data = t->data;
    *t = text_make(t->limit);
    return data;
}

void text_printable(char *string)
{
    for (char *c = string; *c; c++) {
        if (*c < ' ' || *c > '~') {
            *c = *c == '\n' || *c == '\t' || *c == '\r' ? ' ' : '?';
        }
    }
}

void text_free(text *t)
{
    free(t->data);
    *t = text_make(t->limit);
}
