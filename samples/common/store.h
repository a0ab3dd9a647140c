/* The items, in one SQLite file or in memory. Any thread. */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "problem.h"

enum { STORE_ITEMS_MAX = 1000, STORE_NAME_MAX = 200 };

typedef struct store store;

typedef enum store_result {
    STORE_DONE,
    STORE_NO_SUCH_ITEM,
    STORE_FULL,
    STORE_BROKEN, /* and the problem is filled */
} store_result;

/* Makes the file and the first items when it is not there yet. */
store *store_open(const char *path, problem *p);
/* The first items, for as long as the process runs. */
store *store_open_in_memory(problem *p);
void store_close(store *st);

/* Each writes *out_item(s) only on STORE_DONE; the caller decrefs. */
store_result store_list(store *st, json_t **out_items, problem *p);
store_result store_get(store *st, int64_t id, json_t **out_item, problem *p);
store_result store_add(store *st, const char *name, int64_t quantity, json_t **out_item,
                       problem *p);
store_result store_set(store *st, int64_t id, const char *name, int64_t quantity, json_t **out_item,
                       problem *p);
store_result store_remove(store *st, int64_t id, problem *p);

#endif
