#include "jwt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base64url.h"

json_t *jwt_payload(const char *token)
{
    if (strnlen(token, JWT_SIZE_MAX + 1) > JWT_SIZE_MAX) {
        return NULL;
    }
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.')) {
        return NULL;
    }
    AUTO_TEXT payload = text_make(JWT_SIZE_MAX);
    if (!base64url_decode(&payload, first + 1, (size_t)(second - first - 1))) {
        return NULL;
    }
    json_t *claims = json_loadb(text_cstr(&payload), payload.size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(claims)) {
        json_decref(claims);
        return NULL;
    }
    return claims;
}

const char *bearer_token(const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0) {
        return NULL;
    }
    const char *token = authorization + 7;
    token += strspn(token, " ");
    return *token ? token : NULL;
}

void caller_email(const char *authorization, char *out, size_t out_size)
{
    snprintf(out, out_size, "%s", authorization ? "unknown" : "anonymous");
    const char *token = bearer_token(authorization);
    json_t *claims = token ? jwt_payload(token) : NULL;
    const char *email = json_string_value(json_object_get(claims, "email"));
    if (email && *email && strlen(email) < out_size) {
        snprintf(out, out_size, "%s", email);
    }
    json_decref(claims);
}
