/* What a service that keeps items answers; handlers for its routes, whose context is the store. */
#ifndef COMMON_ITEMS_H
#define COMMON_ITEMS_H

#include "service.h"
#include "store.h"

/* {"items": [...]}, with who answers in front ("source": name) unless the name is NULL. */
reply items_reply(store *st, const char *source);

/* items_reply without a source. */
reply items_list(const request *r, void *context);
/* 201 with the item. */
reply items_add(const request *r, void *context);

/* Of the item whose id the path ends with. */
reply items_get(const request *r, void *context);
reply items_set(const request *r, void *context);
reply items_remove(const request *r, void *context);

#endif
