/* Items over HTTP, as JSON. */
#include "items.h"

#include <stdlib.h>
#include <string.h>

#include "logline.h"
#include "store.h"

enum { QUANTITY_MAX = 1000000 };

static reply not_done(store_result result, const problem *p)
{
    switch (result) {
    case STORE_NO_SUCH_ITEM:
        return reply_error(404, "there is no such item");
    case STORE_FULL:
        return reply_error(409, "there are %d items already; delete one first", STORE_ITEMS_MAX);
    case STORE_DONE:
    case STORE_BROKEN:
        break;
    }
    logline(SEVERITY_ERROR, "%s", p->text);
    return reply_error(500, "%s", p->text);
}

/* The id in the path; false when it can be none. */
static bool item_id(const request *r, int64_t *out_id)
{
    const size_t size = strlen(r->id);
    if (size > 18 || strspn(r->id, "0123456789") != size) {
        return false;
    }
    *out_id = strtoll(r->id, NULL, 10);
    return true;
}

typedef struct item_fields {
    const char *name; /* borrowed from the body */
    int64_t quantity;
} item_fields;

static bool known_keys_only(json_t *body)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (body, key, value) {
        if (strcmp(key, "name") != 0 && strcmp(key, "quantity") != 0 && strcmp(key, "id") != 0) {
            return false;
        }
    }
    return true;
}

static bool read_fields(json_t *body, item_fields *out, reply *out_refusal)
{
    const json_t *name = json_object_get(body, "name");
    const json_t *quantity = json_object_get(body, "quantity");
    const size_t size = json_string_length(name);
    if (!known_keys_only(body)) {
        *out_refusal = reply_error(400, "an item has \"name\" and \"quantity\", nothing else");
        return false;
    }
    if (size == 0 || size > STORE_NAME_MAX) {
        *out_refusal =
            reply_error(400, "\"name\" has to be a string of 1 to %d bytes", STORE_NAME_MAX);
        return false;
    }
    if (quantity && (!json_is_integer(quantity) || json_integer_value(quantity) < 0 ||
                     json_integer_value(quantity) > QUANTITY_MAX)) {
        *out_refusal =
            reply_error(400, "\"quantity\" has to be a whole number from 0 to %d", QUANTITY_MAX);
        return false;
    }
    *out = (item_fields){json_string_value(name), json_integer_value(quantity)};
    return true;
}

reply items_reply(store *st, const char *source)
{
    problem p;
    json_t *items = NULL;
    const store_result result = store_list(st, &items, &p);
    return result == STORE_DONE
               ? reply_json(200, json_pack("{s:s*, s:o}", "source", source, "items", items))
               : not_done(result, &p);
}

reply items_list(const request *r, void *context)
{
    (void)r;
    return items_reply(context, NULL);
}

reply items_get(const request *r, void *context)
{
    problem p;
    int64_t id = 0;
    json_t *item = NULL;
    const store_result result =
        item_id(r, &id) ? store_get(context, id, &item, &p) : STORE_NO_SUCH_ITEM;
    return result == STORE_DONE ? reply_json(200, item) : not_done(result, &p);
}

reply items_add(const request *r, void *context)
{
    reply refusal = {0};
    json_t *body = request_json(r, &refusal);
    item_fields fields;
    if (!body || !read_fields(body, &fields, &refusal)) {
        json_decref(body);
        return refusal;
    }
    problem p;
    json_t *item = NULL;
    const store_result result = store_add(context, fields.name, fields.quantity, &item, &p);
    json_decref(body);
    return result == STORE_DONE ? reply_json(201, item) : not_done(result, &p);
}

reply items_set(const request *r, void *context)
{
    int64_t id = 0;
    if (!item_id(r, &id)) {
        return reply_error(404, "there is no such item");
    }
    reply refusal = {0};
    json_t *body = request_json(r, &refusal);
    item_fields fields;
    if (!body || !read_fields(body, &fields, &refusal)) {
        json_decref(body);
        return refusal;
    }
    problem p;
    json_t *item = NULL;
    const store_result result = store_set(context, id, fields.name, fields.quantity, &item, &p);
    json_decref(body);
    return result == STORE_DONE ? reply_json(200, item) : not_done(result, &p);
}

reply items_remove(const request *r, void *context)
{
    problem p;
    int64_t id = 0;
    const store_result result =
        item_id(r, &id) ? store_remove(context, id, &p) : STORE_NO_SUCH_ITEM;
    return result == STORE_DONE ? reply_empty(204) : not_done(result, &p);
}
