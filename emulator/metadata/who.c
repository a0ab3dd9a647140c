/* Whose account answers: --as, the listener's service, the caller's address, or nobody's: then the
 * project's default compute account, like a service deployed without a service account. */
#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "metadata/room.h"

static bool noted_before(metadata *m, const net_addr *peer)
{
    for (size_t i = 0; i < m->noted_count; i++)
        if (net_addr_same_ip(&m->noted[i], peer))
            return true;
    if (m->noted_count < UNMAPPED_NOTED_MAX)
        m->noted[m->noted_count++] = *peer;
    return false;
}

static void note_unmapped(metadata *m, const net_addr *peer)
{
    if (m->noted_count == UNMAPPED_NOTED_MAX || noted_before(m, peer))
        return;
    char text[NET_ADDR_TEXT_MAX];
    log_at(LOG_WARN, "unmapped caller gets the default account",
           LOG_S("address", net_addr_ip(peer, text)),
           LOG_S("account", snapshot_project(m->snapshot)->default_account),
           LOG_S("mend", "ask a service's own metadata address, or list the address under the "
                         "service's 'addresses:'"));
}

caller_match who_calls(metadata *m, const http_request *r, caller *out)
{
    const door *d = http_tag(r);
    caller c = {0};
    if (d->service) {
        c.service = d->now;
    } else {
        caller_match match = callers_find(m->callers, http_peer(r), &c.service);
        if (match == CALLER_UNSURE)
            return match;
        if (match == CALLER_UNMAPPED)
            note_unmapped(m, http_peer(r));
    }
    c.account =
        c.service ? c.service->account
                  : snapshot_find_account(m->snapshot,
                                          span_of(snapshot_project(m->snapshot)->default_account));
    *out = c;
    return c.service ? CALLER_KNOWN : CALLER_UNMAPPED;
}

/* Long, hexadecimal, and stable, so that its etag is. */
void who_instance_id(const metadata *m, const caller *c, char out[INSTANCE_ID_TEXT])
{
    span of = span_of(c->service ? c->service->revision : snapshot_project(m->snapshot)->id);
    int at = snprintf(out, INSTANCE_ID_TEXT, "00");
    for (uint64_t i = 0; i < 8; i++) {
        const hash_key key = {i, hash_bytes((hash_key){0}, snapshot_project(m->snapshot)->number,
                                            strlen(snapshot_project(m->snapshot)->number))};
        at += snprintf(out + at, (size_t)(INSTANCE_ID_TEXT - at), "%016llx",
                       (unsigned long long)hash_bytes(key, of.p, of.n));
    }
}
