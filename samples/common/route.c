#include "route.h"

#include <string.h>

/* True when the path is this route's; then *out_id is what stands for its "*". */
static bool matches(const char *pattern, const char *path, const char **out_id)
{
    const size_t size = strlen(pattern);
    if (size < 2 || pattern[size - 1] != '*') {
        *out_id = NULL;
        return strcmp(pattern, path) == 0;
    }
    const char *rest = path + size - 1;
    if (strncmp(pattern, path, size - 1) != 0 || *rest == '\0' || strchr(rest, '/')) {
        return false;
    }
    *out_id = rest;
    return true;
}

/* The Allow header's static text; the combinations that the services have. */
static const char *allow_text(bool get, bool post, bool put)
{
    if (put) {
        return "GET, HEAD, PUT, DELETE";
    }
    if (post) {
        return get ? "GET, HEAD, POST" : "POST";
    }
    return "GET, HEAD";
}

const route *route_find(const route *routes, request *r, reply *out_refusal)
{
    bool found = false;
    bool get = false;
    bool post = false;
    bool put = false;
    for (const route *at = routes; at->method; at++) {
        const char *id = NULL;
        if (!matches(at->path, r->path, &id)) {
            continue;
        }
        if (strcmp(at->method, r->method) == 0) {
            r->id = id;
            return at;
        }
        found = true;
        get = get || strcmp(at->method, "GET") == 0;
        post = post || strcmp(at->method, "POST") == 0;
        put = put || strcmp(at->method, "PUT") == 0;
    }
    if (!found) {
        *out_refusal = reply_error(404, "there is nothing at this path");
        return NULL;
    }
    *out_refusal = reply_error(405, "this path does not take %.20s", r->method);
    out_refusal->allow = allow_text(get, post, put);
    return NULL;
}
