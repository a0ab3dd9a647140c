#include "store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

enum { BUSY_TIMEOUT_MS = 2000, SCHEMA_VERSION = 1 };

/* user_version tells a new file from one whose first items somebody has deleted. */
static const char SCHEMA[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
    " quantity INTEGER NOT NULL) STRICT;"
    "INSERT INTO items (name, quantity) SELECT name, quantity FROM"
    " (SELECT 1 AS n, 'Keyboard' AS name, 12 AS quantity UNION ALL SELECT 2, 'Monitor', 4"
    "  UNION ALL SELECT 3, 'Headset', 9)"
    " WHERE (SELECT user_version FROM pragma_user_version) = 0 ORDER BY n;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* One connection, which SQLite would serialise anyway. */
struct store {
    pthread_mutex_t mutex;
    struct {
        sqlite3 *db;
    } locked;
};

static bool fail_locked(store *st, problem *p)
{
    return problem_set(p, "database: %s", sqlite3_errmsg(st->locked.db));
}

static bool run_locked(store *st, const char *sql, problem *p)
{
    return sqlite3_exec(st->locked.db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_locked(st, p);
}

static bool version_locked(store *st, int *out_version, problem *p)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(st->locked.db, "PRAGMA user_version", -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW) {
        fail_locked(st, p);
        sqlite3_finalize(s);
        return false;
    }
    *out_version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return true;
}

static bool prepare_file(store *st, problem *p)
{
    int version = 0;
    sqlite3_busy_timeout(st->locked.db, BUSY_TIMEOUT_MS);
    sqlite3_limit(st->locked.db, SQLITE_LIMIT_LENGTH, 1024 * 1024);
    sqlite3_db_config(st->locked.db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!version_locked(st, &version, p)) {
        return false;
    }
    if (version > SCHEMA_VERSION) {
        return problem_set(p, "the file is of a newer version of this program (%d)", version);
    }
    return version == SCHEMA_VERSION ||
           (run_locked(st, "PRAGMA journal_mode = WAL", p) && run_locked(st, SCHEMA, p));
}

static store *open_at(const char *path, problem *p)
{
    store *st = calloc(1, sizeof *st);
    if (!st) {
        problem_set(p, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&st->mutex, NULL);
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &st->locked.db, flags, NULL) != SQLITE_OK) {
        fail_locked(st, p);
    } else if (prepare_file(st, p)) {
        return st;
    }
    store_close(st);
    return NULL;
}

store *store_open(const char *path, problem *p)
{
    problem why = {{0}};
    store *st = open_at(path, &why);
    if (!st) {
        problem_set(p, "%.200s: %.250s; set DB_PATH to a file that can be written", path, why.text);
    }
    return st;
}

store *store_open_in_memory(problem *p)
{
    return open_at(":memory:", p);
}

void store_close(store *st)
{
    if (!st) {
        return;
    }
    sqlite3_close(st->locked.db);
    pthread_mutex_destroy(&st->mutex);
    free(st);
}

/* What a statement is about: the values of :id, :name and :quantity where it has them. */
typedef struct parameters {
    int64_t id;
    const char *name;
    int64_t quantity;
} parameters;

static sqlite3_stmt *statement_locked(store *st, const char *sql, const parameters *values,
                                      problem *p)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(st->locked.db, sql, -1, &s, NULL) != SQLITE_OK) {
        fail_locked(st, p);
        return NULL;
    }
    const int id = sqlite3_bind_parameter_index(s, ":id");
    const int name = sqlite3_bind_parameter_index(s, ":name");
    const int quantity = sqlite3_bind_parameter_index(s, ":quantity");
    const bool bound =
        (!id || sqlite3_bind_int64(s, id, values->id) == SQLITE_OK) &&
        (!name || sqlite3_bind_text(s, name, values->name, -1, SQLITE_STATIC) == SQLITE_OK) &&
        (!quantity || sqlite3_bind_int64(s, quantity, values->quantity) == SQLITE_OK);
    if (!bound) {
        fail_locked(st, p);
        sqlite3_finalize(s);
        return NULL;
    }
    return s;
}

static json_t *row_to_item(sqlite3_stmt *s)
{
    return json_pack("{s:I, s:s, s:I}", "id", (json_int_t)sqlite3_column_int64(s, 0), "name",
                     (const char *)sqlite3_column_text(s, 1), "quantity",
                     (json_int_t)sqlite3_column_int64(s, 2));
}

/* Every row of the statement as an item, in an array; NULL when it fails. */
static json_t *rows(store *st, const char *sql, const parameters *values, problem *p)
{
    json_t *items = json_array();
    pthread_mutex_lock(&st->mutex);
    sqlite3_stmt *s = statement_locked(st, sql, values, p);
    int rc = s ? SQLITE_ROW : SQLITE_ERROR;
    while (rc == SQLITE_ROW) {
        rc = sqlite3_step(s);
        if (rc == SQLITE_ROW) {
            json_array_append_new(items, row_to_item(s));
        } else if (rc != SQLITE_DONE) {
            fail_locked(st, p);
        }
    }
    sqlite3_finalize(s);
    pthread_mutex_unlock(&st->mutex);
    if (rc != SQLITE_DONE) {
        json_decref(items);
        return NULL;
    }
    return items;
}

/* Runs a statement that gives one row or none. */
static store_result one_row(store *st, const char *sql, const parameters *values,
                            store_result without_row, json_t **out_item, problem *p)
{
    json_t *items = rows(st, sql, values, p);
    if (!items) {
        return STORE_BROKEN;
    }
    json_t *item = json_incref(json_array_get(items, 0));
    json_decref(items);
    if (!item) {
        return without_row;
    }
    *out_item = item;
    return STORE_DONE;
}

store_result store_list(store *st, json_t **out_items, problem *p)
{
    const parameters none = {0};
    json_t *items = rows(st, "SELECT id, name, quantity FROM items ORDER BY id", &none, p);
    if (!items) {
        return STORE_BROKEN;
    }
    *out_items = items;
    return STORE_DONE;
}

store_result store_get(store *st, int64_t id, json_t **out_item, problem *p)
{
    return one_row(st, "SELECT id, name, quantity FROM items WHERE id = :id",
                   &(parameters){.id = id}, STORE_NO_SUCH_ITEM, out_item, p);
}

store_result store_add(store *st, const char *name, int64_t quantity, json_t **out_item, problem *p)
{
    /* Counting and adding are one statement, so that the limit also holds between processes. */
    return one_row(st,
                   "INSERT INTO items (name, quantity) SELECT :name, :quantity"
                   " WHERE (SELECT count(*) FROM items) < :id RETURNING id, name, quantity",
                   &(parameters){.id = STORE_ITEMS_MAX, .name = name, .quantity = quantity},
                   STORE_FULL, out_item, p);
}

store_result store_set(store *st, int64_t id, const char *name, int64_t quantity, json_t **out_item,
                       problem *p)
{
    return one_row(st,
                   "UPDATE items SET name = :name, quantity = :quantity WHERE id = :id"
                   " RETURNING id, name, quantity",
                   &(parameters){.id = id, .name = name, .quantity = quantity}, STORE_NO_SUCH_ITEM,
                   out_item, p);
}

store_result store_remove(store *st, int64_t id, problem *p)
{
    json_t *gone = NULL;
    const store_result result =
        one_row(st, "DELETE FROM items WHERE id = :id RETURNING id, name, quantity",
                &(parameters){.id = id}, STORE_NO_SUCH_ITEM, &gone, p);
    json_decref(gone);
    return result;
}
