/* Reading the document's entries. Private to state/. */
#ifndef STATE_ENTRY_H
#define STATE_ENTRY_H

#include <jansson.h>

/* A member that is a string, or NULL; borrowed. */
const char *entry_text(const json_t *object, const char *key);

/* The strings of an array (NULL: none), NULL-terminated; borrowed, the caller frees the list. */
const char **entry_strings(const json_t *array);

#endif
