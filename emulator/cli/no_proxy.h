/* Which proxy a program uses for an http:// URL. Programs read the same variables differently. */
#ifndef CLI_NO_PROXY_H
#define CLI_NO_PROXY_H

#include "cli/up_env.h"

/* Whose rules. */
typedef enum proxy_family {
    PROXY_NEVER,  /* reads none of the variables */
    PROXY_CURL,   /* curl, and what is built on libcurl */
    PROXY_PYTHON, /* requests */
    PROXY_NODE,   /* gaxios, which Google's Node libraries ask with */
    PROXY_GO,     /* net/http */
    PROXY_FAMILIES
} proxy_family;

/* "curl", "Python", "Node", "Go". */
const char *proxy_family_name(proxy_family f);

typedef struct proxy_use {
    const char *proxy;    /* the variable's value; NULL: it goes straight there */
    const char *variable; /* which one names the proxy */
} proxy_use;

/* For http://HOST:PORT (https: the same with https). host without brackets. Views of env. */
proxy_use proxy_for(proxy_family f, const envlist *env, bool https, const char *host,
                    uint16_t port);

/* "http://user:secret@proxy:3128/" → "proxy:3128"; a view. */
span proxy_address(const char *proxy);

/* Does this NO_PROXY list except the host, to that family? */
bool no_proxy_has(proxy_family f, const char *list, bool https, const char *host, uint16_t port);

#endif
