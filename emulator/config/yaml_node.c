/* Questions about a finished tree. */
#include "base/attr.h"
#include "config/yaml.h"

bool node_is_null(const node *n)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (n->kind != NODE_SCALAR || !n->plain)
        return false;
    for (size_t i = 0; i < countof(words); i++)
        if (span_eq_str(n->text, words[i]))
            return true;
    return false;
}

const node *node_get(const node *map, const char *key)
{
    if (map->kind != NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (span_eq_str(map->pairs[i].key->text, key))
            return map->pairs[i].value;
    return NULL;
}

bool node_text_place(const node *n, uint32_t line, uint32_t column, place *out)
{
    if (n->kind != NODE_SCALAR || !n->text_column || line == 0)
        return false;
    *out = (place){n->at.file, n->at.line + n->block + line - 1, n->text_column + column - 1};
    return true;
}
