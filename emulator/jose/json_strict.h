/* JSON objects from strangers: one way to read them for tokens, headers, key sets and
 * the bodies of requests. */
#ifndef JOSE_JSON_STRICT_H
#define JOSE_JSON_STRICT_H

#include <jansson.h>

#include "base/error.h"
#include "base/span.h"

typedef enum json_verdict {
    JSON_GOOD,
    JSON_NOT_JSON,  /* not JSON, or not an object */
    JSON_FORBIDDEN, /* JSON that we refuse: names twice, NUL, too deep, numbers without end */
} json_verdict;

/* The object, or NULL with *out_verdict (nullable) and *e, which begins with `what`. */
json_t *json_strict_object(const char *what, span text, size_t depth_max, json_verdict *out_verdict,
                           error *e);

/* The string member `name`, NULL when absent; false when it is there and is not a string. The text
 * lives as long as the object. */
bool json_strict_string(const json_t *object, const char *name, const char **out_text);

#endif
