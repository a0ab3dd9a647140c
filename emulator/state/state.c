/* One file, replaced as a whole: a change is either there or not, whenever the power goes. */
#include "state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { FORMAT = 1, FOLDER_MODE = 0700, FILE_MODE = 0600 };

static const char *const COLLECTIONS[] = {"services", "accounts", "policies",
                                          "roles",    "deny",     "apis"};

struct state {
    state_options o;
    char *path; /* NULL: in memory only */
    int lock;   /* -1: none */
    json_t *document;
    json_t *opened;   /* what it was first; shares its entries */
    struct stat seen; /* of the file that was read last */
};

/* ---- the document ---- */

static json_t *new_document(void)
{
    json_t *d = json_pack("{s:i,s:I}", "format", FORMAT, "serial", (json_int_t)0);
    if (!d)
        abort();
    for (size_t i = 0; i < countof(COLLECTIONS); i++)
        if (json_object_set_new(d, COLLECTIONS[i], json_object()) != 0)
            abort();
    return d;
}

static bool is_document(const json_t *d, const char *path, error *e)
{
    const json_t *format = json_object_get(d, "format");
    if (!json_is_integer(format) || !json_is_integer(json_object_get(d, "serial")))
        return error_set(e, ERR_INVALID, "%s: not a state of this program", path);
    if (json_integer_value(format) != FORMAT)
        return error_set(
            e, ERR_INVALID,
            "%s: written by another version (format %lld, this one reads %d); use that "
            "version or another --state folder",
            path, (long long)json_integer_value(format), FORMAT);
    for (size_t i = 0; i < countof(COLLECTIONS); i++) {
        const char *key;
        json_t *entry;
        json_t *all = json_object_get(d, COLLECTIONS[i]);
        if (!all && strcmp(COLLECTIONS[i], "apis") == 0)
            continue; /* came later than the others */
        if (!json_is_object(all))
            return error_set(e, ERR_INVALID, "%s: \"%s\" is missing", path, COLLECTIONS[i]);
        json_object_foreach (all, key, entry)
            if (!json_is_object(entry))
                return error_set(e, ERR_INVALID, "%s: \"%s\".\"%s\" is no object", path,
                                 COLLECTIONS[i], key);
    }
    return true;
}

json_t *state_document(const state *s)
{
    return s->document;
}

uint64_t state_serial(const state *s)
{
    return (uint64_t)json_integer_value(json_object_get(s->document, "serial"));
}

json_t *state_entry_in(const json_t *document, const char *collection, const char *key)
{
    return json_object_get(json_object_get(document, collection), key);
}

json_t *state_entry(const state *s, const char *collection, const char *key)
{
    return state_entry_in(s->document, collection, key);
}

bool state_is_empty(const json_t *document)
{
    for (size_t i = 0; i < countof(COLLECTIONS); i++)
        if (json_object_size(json_object_get(document, COLLECTIONS[i])) != 0)
            return false;
    return true;
}

/* ---- the file ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The file's document, or an empty one where there is no file yet. */
static json_t *read_document(const char *path, error *e)
{
    size_t n = 0;
    error why = {0};
    auto_free char *text = file_read(path, STATE_DOCUMENT_MAX, &n, &why);
    if (!text && why.kind == ERR_NOT_FOUND)
        return new_document();
    if (!text) {
        if (e)
            *e = why;
        return NULL;
    }
    json_error_t at;
    json_t *d = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
    if (!d) {
        error_set(e, ERR_INVALID, "%s:%d:%d: %s; mend it, or remove the file to start empty", path,
                  at.line, at.column, at.text);
        return NULL;
    }
    if (is_document(d, path, e))
        return d;
    json_decref(d);
    return NULL;
}

bool state_refresh(state *s, bool *out_changed, error *e)
{
    struct stat now = {0};
    *out_changed = false;
    if (!s->path || s->o.writer)
        return true;
    if (stat(s->path, &now) != 0)
        now = (struct stat){0};
    if (same_file(&now, &s->seen))
        return true;
    json_t *d = read_document(s->path, e);
    if (!d)
        return false;
    s->seen = now;
    *out_changed = !json_equal(d, s->document);
    json_decref(s->document);
    s->document = d;
    return true;
}

static bool write_document(const state *s, const json_t *d, error *e)
{
    auto_free char *text = json_dumps(d, JSON_COMPACT);
    if (!text)
        return error_set(e, ERR_INVALID, "the change cannot be written as JSON");
    size_t n = strlen(text);
    if (n > STATE_DOCUMENT_MAX)
        return error_set(e, ERR_LIMIT, "the state would grow past %d bytes", STATE_DOCUMENT_MAX);
    if (!s->path)
        return true;
    return s->o.durable ? file_replace(s->path, text, n, FILE_MODE, e)
                        : file_replace_lazily(s->path, text, n, FILE_MODE, e);
}

/* ---- changing ---- */

json_t *state_draft(const state *s)
{
    json_t *d = json_copy(s->document);
    if (!d)
        abort();
    return d;
}

void state_set(json_t *draft, const char *collection, const char *key, json_t *entry)
{
    json_t *all = json_object_get(draft, collection);
    json_t *copy = all ? json_copy(all) : json_object();
    if (!copy || (entry && json_object_set_new(copy, key, entry) != 0))
        abort();
    if (!entry)
        (void)json_object_del(copy, key);
    if (json_object_set_new(draft, collection, copy) != 0)
        abort();
}

void state_settle(json_t *draft)
{
    const json_int_t serial = json_integer_value(json_object_get(draft, "serial"));
    if (json_object_set_new(draft, "settled", json_integer(serial + 1)) != 0)
        abort();
}

uint64_t state_settled(const json_t *document)
{
    return (uint64_t)json_integer_value(json_object_get(document, "settled"));
}

bool state_commit(state *s, json_t *draft, error *e)
{
    json_t *serial = json_integer((json_int_t)state_serial(s) + 1);
    if (!serial || json_object_set_new(draft, "serial", serial) != 0)
        abort();
    if (!is_document(draft, s->path ? s->path : "the change", e) || !write_document(s, draft, e)) {
        json_decref(draft);
        return false;
    }
    json_decref(s->document);
    s->document = draft;
    return true;
}

/* The serial counts on, so the collections are compared one by one. */
bool state_is_as_opened(const state *s)
{
    for (size_t i = 0; s->document != s->opened && i < countof(COLLECTIONS); i++) {
        const json_t *now = json_object_get(s->document, COLLECTIONS[i]);
        const json_t *then = json_object_get(s->opened, COLLECTIONS[i]);
        if (now != then && !json_equal(now, then) &&
            (json_object_size(now) != 0 || json_object_size(then) != 0))
            return false;
    }
    return true;
}

json_t *state_draft_as_opened(const state *s)
{
    json_t *d = json_copy(s->document);
    if (!d)
        abort();
    for (size_t i = 0; i < countof(COLLECTIONS); i++) {
        json_t *then = json_object_get(s->opened, COLLECTIONS[i]);
        if (json_object_set_new(d, COLLECTIONS[i], then ? json_incref(then) : json_object()) != 0)
            abort();
    }
    return d;
}

/* ---- life ---- */

static bool lock_folder(state *s, error *e)
{
    auto_free char *path = file_join(s->o.dir, "lock");
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (s->lock < 0)
        return error_errno(e, "%s: cannot lock", path);
    if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return error_errno(e, "%s: cannot lock", path);
    return error_set(
        e, ERR_EXISTS,
        "%s is in use by another gateway; stop that one or name another --state folder", s->o.dir);
}

static bool open_folder(state *s, error *e)
{
    if (!file_mkdirs(s->o.dir, FOLDER_MODE, e))
        return error_wrap(e, "--state");
    s->path = file_join(s->o.dir, "state.json");
    if (s->o.writer && !lock_folder(s, e))
        return false;
    if (s->o.writer)
        file_sweep(s->path); /* what a former writer was killed over */
    if (stat(s->path, &s->seen) != 0)
        s->seen = (struct stat){0};
    s->document = read_document(s->path, e);
    return s->document != NULL;
}

state *state_open(const state_options *o, error *e)
{
    state *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->o = *o;
    s->lock = -1;
    if (!o->dir)
        s->document = new_document();
    else if (!open_folder(s, e)) {
        state_close(s);
        return NULL;
    }
    s->opened = json_incref(s->document);
    return s;
}

void state_close(state *s)
{
    if (!s)
        return;
    if (s->lock >= 0)
        (void)close(s->lock);
    json_decref(s->opened);
    json_decref(s->document);
    free(s->path);
    free(s);
}

const char *state_path(const state *s)
{
    return s->path;
}
