/* One form for every policy: a binding for each role and condition, members once and sorted. */
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "control/iam_policy_internal.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static const char *condition_part(const json_t *b, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(b, "condition"), key));
    return text ? text : "";
}

static int by_role(const void *a, const void *b)
{
    static const char *const parts[] = {"title", "expression", "description"};
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = strcmp(json_string_value(json_object_get(x, "role")),
                       json_string_value(json_object_get(y, "role")));
    for (size_t i = 0; i < countof(parts) && order == 0; i++)
        order = strcmp(condition_part(x, parts[i]), condition_part(y, parts[i]));
    return order;
}

/* A new array of the same values in order; those that equal their neighbour once. */
static json_t *sorted(const json_t *array, int (*order)(const void *, const void *))
{
    const size_t n = json_array_size(array);
    json_t *out = json_array();
    auto_free json_t **items = calloc(n + 1, sizeof(json_t *));
    if (!items || !out)
        abort();
    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(array, i);
    qsort(items, n, sizeof(json_t *), order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || order(&items[i - 1], &items[i]) != 0)
            json_array_append(out, items[i]);
    return out;
}

static bool same_place(const json_t *a, const json_t *b)
{
    const json_t *x = json_object_get(a, "condition"), *y = json_object_get(b, "condition");
    return json_equal(json_object_get(a, "role"), json_object_get(b, "role")) &&
           (x == y || (x && y && json_equal(x, y)));
}

static json_t *find_binding(json_t *bindings, const json_t *like)
{
    for (size_t i = 0; i < json_array_size(bindings); i++)
        if (same_place(json_array_get(bindings, i), like))
            return json_array_get(bindings, i);
    return NULL;
}

/* A binding of its own, with members that may be added to. */
static json_t *copy_binding(const json_t *b)
{
    json_t *expr = json_object_get(b, "condition");
    json_t *mine = json_pack("{s:O, s:[]}", "role", json_object_get(b, "role"), "members");
    if (!mine)
        abort();
    if (expr)
        json_object_set(mine, "condition", expr);
    return mine;
}

json_t *policy_bindings_normal(const json_t *bindings)
{
    json_auto_t *joined = json_array();
    size_t i;
    json_t *b;
    json_array_foreach (bindings, i, b) {
        const json_t *members = json_object_get(b, "members");
        if (json_array_size(members) == 0)
            continue;
        json_t *into = find_binding(joined, b);
        if (!into) {
            into = copy_binding(b);
            json_array_append_new(joined, into);
        }
        json_array_extend(json_object_get(into, "members"), (json_t *)(uintptr_t)members);
    }
    json_array_foreach (joined, i, b)
        json_object_set_new(b, "members", sorted(json_object_get(b, "members"), by_text));
    return sorted(joined, by_role);
}

bool policy_has_conditions(const json_t *bindings)
{
    for (size_t i = 0; i < json_array_size(bindings); i++)
        if (json_object_get(json_array_get(bindings, i), "condition"))
            return true;
    return false;
}
