/* A growing piece of text whose owner names its ceiling; always ends in a NUL. */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct text {
    char *data; /* NULL while empty: read it with text_cstr */
    size_t size;
    size_t capacity;
    size_t limit;
    bool overflow; /* something did not fit; what is there is a prefix */
} text;

text text_make(size_t limit);
bool text_add(text *t, const void *bytes, size_t size); /* false when it does not fit */
bool text_str(text *t, const char *string);
const char *text_cstr(const text *t); /* never NULL; valid until the next change */
char *text_take(text *t);             /* the caller frees; NULL when empty or overflowed */
/* Replaces what is not printable ASCII: foreign text on its way into a log line or an answer. */
void text_printable(char *string);
void text_free(text *t); /* fit for __attribute__((cleanup)) */

#define AUTO_TEXT __attribute__((cleanup(text_free))) text

#endif
