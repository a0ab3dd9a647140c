/* jansson takes the last of two equal names and descends 2,048 levels by itself; neither may happen
 * here. */
#include "jose/json_strict.h"

/* Nesting, told without parsing, so that depth is bounded before any memory is spent. */
static bool deeper_than(span text, size_t depth_max)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > depth_max)
                return true;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        }
    }
    return false;
}

static json_verdict verdict_of(const json_error_t *problem)
{
    const enum json_error_code code = json_error_code(problem);
    if (code == json_error_duplicate_key || code == json_error_null_character ||
        code == json_error_null_byte_in_key || code == json_error_numeric_overflow)
        return JSON_FORBIDDEN;
    return JSON_NOT_JSON;
}

static json_t *refuse(json_verdict verdict, json_verdict *out_verdict)
{
    if (out_verdict)
        *out_verdict = verdict;
    return NULL;
}

json_t *json_strict_object(const char *what, span text, size_t depth_max, json_verdict *out_verdict,
                           error *e)
{
    if (text.n == 0) {
        error_set(e, ERR_INVALID, "%s is empty, expected a JSON object", what);
        return refuse(JSON_NOT_JSON, out_verdict);
    }
    if (deeper_than(text, depth_max)) {
        error_set(e, ERR_INVALID, "%s is nested deeper than %zu levels", what, depth_max);
        return refuse(JSON_FORBIDDEN, out_verdict);
    }
    json_error_t problem;
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        error_set(e, ERR_INVALID, "%s is not acceptable JSON: line %d, column %d: %s", what,
                  problem.line, problem.column, problem.text);
        return refuse(verdict_of(&problem), out_verdict);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        error_set(e, ERR_INVALID, "%s is not a JSON object", what);
        return refuse(JSON_NOT_JSON, out_verdict);
    }
    if (out_verdict)
        *out_verdict = JSON_GOOD;
    return root;
}

bool json_strict_string(const json_t *object, const char *name, const char **out_text)
{
    const json_t *value = json_object_get(object, name);
    if (value && !json_is_string(value))
        return false;
    *out_text = value ? json_string_value(value) : NULL;
    return true;
}
