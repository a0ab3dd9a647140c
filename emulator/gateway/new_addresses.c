/* Addresses for services that an API makes: the next free port of each range, as the topology's
 * defaults go, or whatever the kernel has. */
#include <unistd.h>

#include "gateway/process_impl.h"

enum { FIRST_LISTEN = 8081, FIRST_METADATA = 8181, FIRST_UPSTREAM = 9081, TRIES = 1000 };

static bool is(const char *address, const char *text)
{
    return address && strcmp(address, text) == 0;
}

/* Does the topology give it to somebody who may not have it open just now? */
static bool is_taken(const snapshot *s, const char *text)
{
    const project *p = snapshot_project(s);
    if (is(p->ingress_listen, text) || is(p->metadata_listen, text) || is(p->control_listen, text))
        return true;
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *v = snapshot_service(s, i);
        if (is(v->listen, text) || is(v->metadata, text) || is(v->upstream, text))
            return true;
    }
    return false;
}

/* Free at this moment, whoever wants to listen there. */
static bool is_free(uint16_t port, char text[NET_ADDR_TEXT_MAX], error *e)
{
    net_addr a;
    if (!net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, e))
        return false;
    net_addr_set_port(&a, port);
    int fd = net_listen(&a, false, e);
    if (fd < 0)
        return false;
    bool known = net_local(fd, &a);
    (void)close(fd);
    (void)net_addr_text(&a, text);
    return known || error_errno(e, "cannot pick a port");
}

static bool pick(const process *p, uint16_t first, char out[NET_ADDR_TEXT_MAX], error *e)
{
    error why = {0};
    for (unsigned i = 0; i < TRIES; i++) {
        uint16_t port = p->o.ephemeral ? 0 : (uint16_t)(first + i);
        if (is_free(port, out, &why) && !is_taken(p->snap, out))
            return true;
    }
    return error_set(e, ERR_LIMIT, "no free port from %u on: %s", first, why.text);
}

bool process_new_addresses(const process *p, new_addresses *out, error *e)
{
    return pick(p, FIRST_LISTEN, out->listen, e) && pick(p, FIRST_METADATA, out->metadata, e) &&
           pick(p, FIRST_UPSTREAM, out->upstream, e);
}
