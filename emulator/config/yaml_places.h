/* Where things stand in the text of a YAML file. Private to yaml.c. */
#ifndef CONFIG_YAML_PLACES_H
#define CONFIG_YAML_PLACES_H

#include "policy/model.h"

/* A place in a file, from which only ways forward lead. */
typedef struct yaml_cursor {
    span rest;     /* from the line's first byte on */
    uint32_t line; /* from 1 */
} yaml_cursor;

/* The column at which each line of a literal block's text begins; 0: cannot be told. line: the
 * first one below the block's indicator; calls come in the order of lines. */
uint32_t yaml_block_column(yaml_cursor *c, uint32_t line, span text);

/* A long run of %TAG lines takes libyaml the square of their number. */
bool yaml_has_tag_directive(span text);

/* How many there are, in UTF-8. */
size_t yaml_characters(span text);

/* The place of a byte, columns counted in characters. */
place yaml_place_of_offset(const char *file, span text, size_t offset);

#endif
