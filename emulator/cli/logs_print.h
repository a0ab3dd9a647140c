/* Decisions as a log for people: a line for each, and under a refusal why and what mends it. */
#ifndef CLI_LOGS_PRINT_H
#define CLI_LOGS_PRINT_H

#include <jansson.h>

#include "base/buf.h"

enum { LOGS_ID_SHOWN = 8 };

typedef struct logs_style {
    bool brief, colour;
    size_t id_shown; /* characters of an id that are enough to tell it from the others */
} logs_style;

/* entry: an object as GET /invoker/v1/decisions lists them. Appends whole lines. */
void logs_put(buf *b, const json_t *entry, const logs_style *style);

/* How much of the ids in that list is enough. */
size_t logs_id_shown(const json_t *list);

#endif
