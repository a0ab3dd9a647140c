#include "env.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { URL_SIZE_MAX = 1024 };

const char *env_host(void)
{
    const char *host = getenv("HOST");
    return host && *host ? host : "127.0.0.1";
}

bool env_port(uint16_t *out_port, problem *p)
{
    const char *value = getenv("PORT");
    if (!value || !*value) {
        *out_port = 8080;
        return true;
    }
    char *end = NULL;
    errno = 0;
    const unsigned long port = strtoul(value, &end, 10);
    if (errno != 0 || *end != '\0' || value[0] < '0' || value[0] > '9' || port > UINT16_MAX) {
        return problem_set(p, "PORT is \"%.40s\"; expected a number from 0 to 65535", value);
    }
    *out_port = (uint16_t)port;
    return true;
}

static size_t scheme_size(const char *url)
{
    if (strncmp(url, "http://", 7) == 0) {
        return 7;
    }
    return strncmp(url, "https://", 8) == 0 ? 8 : 0;
}

bool env_service_url(const char *variable, char **out_url, problem *p)
{
    const char *value = getenv(variable);
    if (!value || !*value) {
        *out_url = NULL;
        return true;
    }
    size_t size = strnlen(value, URL_SIZE_MAX + 1);
    while (size > 0 && value[size - 1] == '/') {
        size--;
    }
    const size_t scheme = scheme_size(value);
    if (size > URL_SIZE_MAX || scheme == 0 || size <= scheme || strpbrk(value, " \t\r\n?#")) {
        return problem_set(p,
                           "%s is \"%.80s\"; expected a service's URL such as "
                           "https://backend-api-123456789012.us-central1.run.app",
                           variable, value);
    }
    *out_url = strndup(value, size);
    return *out_url != NULL || problem_set(p, "out of memory");
}
