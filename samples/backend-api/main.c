/* backend-api: the private API of the tutorial. With DB_URL it keeps nothing itself: every item
 * lives in db-service, which is called with this service's own ID token. Without, it has items of
 * its own in memory, as the tutorial deploys it alone. */
#include <stdlib.h>
#include <string.h>

#include "../common/env.h"
#include "../common/items.h"
#include "../common/logline.h"
#include "../common/relay.h"
#include "../common/service.h"

enum { DIGITS_MAX = 18 };

typedef struct backend {
    char *db_url;
} backend;

static reply pass_on(const backend *b, const request *r, const char *path)
{
    const service_call call = {.url = b->db_url,
                               .path = path,
                               .method = r->method,
                               .body = r->body_size > 0 ? r->body : NULL,
                               .body_size = r->body_size,
                               .trace = r->trace};
    AUTO_ANSWER a = {0};
    reply refusal = {0};
    return relay_call("db-service", &call, r, &a, &refusal) ? relay_reply(&a) : refusal;
}

static reply list_items(const request *r, void *context)
{
    const backend *b = context;
    const service_call call = {.url = b->db_url, .path = "/items", .trace = r->trace};
    AUTO_ANSWER a = {0};
    reply refusal = {0};
    if (!relay_call("db-service", &call, r, &a, &refusal)) {
        return refusal;
    }
    if (a.status != 200) {
        return relay_reply(&a);
    }
    json_t *items = json_loadb(text_cstr(&a.body), a.body.size, JSON_REJECT_DUPLICATES, NULL);
    json_t *list = json_object_get(items, "items");
    const reply result =
        list ? reply_json(200, json_pack("{s:s, s:O}", "source", "backend-api", "items", list))
             : reply_error(502, "db-service answered something else than items");
    json_decref(items);
    return result;
}

static reply create_item(const request *r, void *context)
{
    return pass_on(context, r, "/items");
}

/* The id becomes part of another service's URL, so nothing but digits may pass. */
static reply one_item(const request *r, void *context)
{
    const size_t size = strlen(r->id);
    if (size > DIGITS_MAX || strspn(r->id, "0123456789") != size) {
        return reply_error(404, "there is no such item");
    }
    AUTO_TEXT path = text_make(64);
    text_str(&path, "/items/");
    text_str(&path, r->id);
    return pass_on(context, r, text_cstr(&path));
}

static reply describe(const request *r, void *context)
{
    (void)r;
    (void)context;
    return reply_json(200, json_pack("{s:s, s:[s, s]}", "service", "backend-api", "paths",
                                     "/api/items", "/api/items/ID"));
}

static const route ROUTES[] = {
    {"GET", "/", describe},
    {"GET", "/api/items", list_items},
    {"POST", "/api/items", create_item},
    {"GET", "/api/items/*", one_item},
    {"PUT", "/api/items/*", one_item},
    {"DELETE", "/api/items/*", one_item},
    {0},
};

static int run_with_db(backend *b)
{
    return service_run(&(service){.name = "backend-api", .routes = ROUTES, .context = b});
}

/* ---- alone ---- */

static reply list_own_items(const request *r, void *context)
{
    (void)r;
    return items_reply(context, "backend-api");
}

static const route OWN_ROUTES[] = {
    {"GET", "/", describe},
    {"GET", "/api/items", list_own_items},
    {"POST", "/api/items", items_add},
    {"GET", "/api/items/*", items_get},
    {"PUT", "/api/items/*", items_set},
    {"DELETE", "/api/items/*", items_remove},
    {0},
};

static int run_alone(void)
{
    problem p;
    store *st = store_open_in_memory(&p);
    if (!st) {
        logline(SEVERITY_ERROR, "%s", p.text);
        return 1;
    }
    logline(SEVERITY_INFO, "DB_URL is not set: items are kept in memory");
    const int status =
        service_run(&(service){.name = "backend-api", .routes = OWN_ROUTES, .context = st});
    store_close(st);
    return status;
}

int main(void)
{
    service_start("backend-api");
    backend b = {0};
    problem p;
    if (!env_service_url("DB_URL", &b.db_url, &p)) {
        logline(SEVERITY_ERROR, "%s", p.text);
        return 1;
    }
    const int status = b.db_url ? run_with_db(&b) : run_alone();
    free(b.db_url);
    return status;
}
