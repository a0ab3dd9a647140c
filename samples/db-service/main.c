/* db-service: the items behind backend-api. Whoever gets here may read and write everything: who
 * that is has been decided by IAM in front of this program. */
#include <stdlib.h>

#include "../common/items.h"
#include "../common/logline.h"
#include "db_path.h"

static reply describe(const request *r, void *context)
{
    (void)r;
    (void)context;
    return reply_json(
        200, json_pack("{s:s, s:[s, s]}", "service", "db-service", "paths", "/items", "/items/ID"));
}

static const route ROUTES[] = {
    {"GET", "/", describe},
    {"GET", "/items", items_list},
    {"POST", "/items", items_add},
    {"GET", "/items/*", items_get},
    {"PUT", "/items/*", items_set},
    {"DELETE", "/items/*", items_remove},
    {0},
};

static store *open_store(void)
{
    problem p;
    char *path = NULL;
    if (!db_path(&path, &p)) {
        logline(SEVERITY_ERROR, "%s", p.text);
        return NULL;
    }
    store *st = store_open(path, &p);
    if (!st) {
        logline(SEVERITY_ERROR, "%s", p.text);
    }
    free(path);
    return st;
}

int main(void)
{
    service_start("db-service");
    store *st = open_store();
    if (!st) {
        return 1;
    }
    const int status =
        service_run(&(service){.name = "db-service", .routes = ROUTES, .context = st});
    store_close(st);
    return status;
}
