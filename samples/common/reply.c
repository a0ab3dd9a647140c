#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const char JSON_TYPE[] = "application/json";

reply reply_text(unsigned status, const char *content_type, const char *body)
{
    reply r = {.status = status, .content_type = content_type, .body = strdup(body)};
    r.body_size = r.body ? strlen(r.body) : 0;
    return r;
}

reply reply_empty(unsigned status)
{
    return (reply){.status = status};
}

reply reply_json(unsigned status, json_t *body)
{
    char *dumped = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!dumped) {
        return reply_text(500, JSON_TYPE, "{\"error\":\"the answer could not be built\"}\n");
    }
    const size_t size = strlen(dumped);
    char *line = realloc(dumped, size + 2);
    if (!line) {
        free(dumped);
        return reply_empty(500);
    }
    line[size] = '\n';
    line[size + 1] = '\0';
    return (reply){
        .status = status, .content_type = JSON_TYPE, .body = line, .body_size = size + 1};
}

reply reply_error(unsigned status, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    text_printable(message);
    return reply_json(status, json_pack("{s:s}", "error", message));
}
