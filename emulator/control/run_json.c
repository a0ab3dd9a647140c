#include "control/run_json.h"

#include <stdlib.h>

#include "base/buf.h"

/* The member that the path's first name stands for; *path becomes what follows. */
static span next_name(span *path)
{
    span name;
    (void)span_cut(path, '.', &name);
    return name;
}

json_t *run_at(const json_t *o, const char *path)
{
    span rest = span_of(path);
    json_t *found = NULL;
    do {
        const span name = next_name(&rest);
        found = json_object_getn(found ? found : o, name.p, name.n);
    } while (found && rest.n);
    return found;
}

const char *run_text(const json_t *o, const char *path)
{
    return json_string_value(run_at(o, path));
}

int64_t run_int(const json_t *o, const char *path, int64_t otherwise)
{
    const json_t *v = run_at(o, path);
    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

const char *run_member(const json_t *o, const char *path, const char *name)
{
    return json_string_value(json_object_get(run_at(o, path), name));
}

json_t *run_make(json_t *o, const char *path)
{
    span rest = span_of(path);
    while (rest.n) {
        const span name = next_name(&rest);
        json_t *next = json_object_getn(o, name.p, name.n);
        if (!json_is_object(next)) {
            next = json_object();
            if (json_object_setn_new(o, name.p, name.n, next) != 0)
                abort();
        }
        o = next;
    }
    return o;
}

void run_set(json_t *o, const char *name, json_t *value)
{
    if (!json_is_object(o))
        json_decref(value);
    else if (value && json_object_set_new(o, name, value) != 0)
        abort();
}

json_t *run_string(const char *text)
{
    json_t *plain = json_string(text);
    if (plain)
        return plain;
    auto_buf buf quoted = buf_make(SIZE_MAX / 4);
    buf_json(&quoted, span_of(text));
    json_t *value = json_loadb(quoted.p, quoted.n, JSON_DECODE_ANY, NULL);
    if (!value)
        abort();
    return value;
}

void run_set_text(json_t *o, const char *name, const char *text)
{
    run_set(o, name, text ? run_string(text) : NULL);
}

void run_default(json_t *o, const char *name, json_t *value)
{
    if (json_object_get(o, name))
        json_decref(value);
    else
        run_set(o, name, value);
}

void run_push(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        abort();
}

json_t *run_copy(const json_t *o)
{
    json_t *copy = json_is_object(o) ? json_deep_copy(o) : json_object();
    if (!copy)
        abort();
    return copy;
}

bool run_is_true(const char *text)
{
    return span_ieq_str(span_of(text), "true");
}
