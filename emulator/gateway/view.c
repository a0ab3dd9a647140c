/* Built on the main thread, read by all, freed by whoever drops the last count. */
#include "gateway/view.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "gateway/trace.h"

enum { RESOURCE_MAX = 8192 };

static void *array(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        abort();
    return p;
}

/* The shape of a real one (hexadecimal, opens with 00), and stable for a service at an upstream, so
 * that its entries belong together. */
static void make_instance_id(char out[INSTANCE_ID_LEN + 1], const service *s,
                             const view_service *vs)
{
    char address[NET_ADDR_TEXT_MAX] = "";
    if (vs->kind != UPSTREAM_NONE)
        (void)net_addr_text(&vs->upstream, address);
    hash_key key = {hash_bytes((hash_key){0}, s->name, span_of(s->name).n),
                    hash_bytes((hash_key){0}, address, span_of(address).n)};
    out[0] = out[1] = '0';
    for (size_t at = 2, word = 0; at < INSTANCE_ID_LEN; at += 16, word++) {
        size_t n = INSTANCE_ID_LEN - at < 16 ? INSTANCE_ID_LEN - at : 16;
        ids_hex(out + at, n, hash_bytes(key, &word, sizeof word));
    }
    out[INSTANCE_ID_LEN] = '\0';
}

static void add_label(buf *b, const char *key, const char *value, char end)
{
    buf_json(b, span_of(key));
    buf_char(b, ':');
    buf_json(b, span_of(value));
    buf_char(b, end);
}

static void make_resource(view_service *vs, const project *p, const service *s)
{
    auto_buf buf b = buf_make(RESOURCE_MAX);
    buf_str(&b, "{\"type\":\"cloud_run_revision\",\"labels\":{");
    add_label(&b, "project_id", p->id, ',');
    add_label(&b, "location", p->region, ',');
    add_label(&b, "service_name", s->name, ',');
    add_label(&b, "configuration_name", s->name, ',');
    add_label(&b, "revision_name", s->revision, '}');
    buf_char(&b, '}');
    vs->log_resource_n = b.n;
    vs->log_resource = buf_take(&b);
}

static size_t count_addresses(const snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        for (const char *const *a = snapshot_service(s, i)->addresses; a && *a; a++)
            n++;
    return n;
}

/* Names among the addresses are the metadata server's business; only numbers are taken as proof. */
static void collect_internal(view *v)
{
    v->internal = array(count_addresses(v->snap), sizeof *v->internal);
    for (size_t i = 0; i < snapshot_service_count(v->snap); i++)
        for (const char *const *a = snapshot_service(v->snap, i)->addresses; a && *a; a++)
            if (net_cidr_parse(span_of(*a), &v->internal[v->internal_count], NULL))
                v->internal_count++;
}

/* Requests in flight count on while a service of that name has a limit. */
static capacity *find_capacity(const view *before, const service *s)
{
    if (!s->max_instances)
        return NULL;
    const service *was = before ? snapshot_find_service(before->snap, span_of(s->name)) : NULL;
    capacity *c = was ? before->services[was->index].capacity : NULL;
    return c ? capacity_ref(c) : capacity_new();
}

view *view_new(const view_parts *p)
{
    view *v = array(1, sizeof *v);
    atomic_init(&v->refs, 1);
    v->serial = p->serial;
    v->snap = snapshot_ref(p->snap);
    v->keys = p->keys ? jwks_ref(p->keys) : NULL;
    v->keys_attempt = p->keys_attempt;
    v->keys_attempt_us = p->keys_attempt_us;
    size_t n = snapshot_service_count(v->snap);
    v->services = array(n, sizeof *v->services);
    for (size_t i = 0; i < n; i++) {
        const service *s = snapshot_service(v->snap, i);
        view_service *vs = &v->services[i];
        vs->kind = upstreams_find(p->upstreams, s, &vs->upstream);
        vs->capacity = find_capacity(p->before, s);
        make_instance_id(vs->instance_id, s, vs);
        make_resource(vs, snapshot_project(v->snap), s);
    }
    collect_internal(v);
    return v;
}

view *view_ref(view *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    return v;
}

void view_unref(view *v)
{
    if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < snapshot_service_count(v->snap); i++) {
        free(v->services[i].log_resource);
        capacity_unref(v->services[i].capacity);
    }
    free(v->services);
    free(v->internal);
    jwks_unref(v->keys);
    snapshot_unref(v->snap);
    free(v);
}

bool view_is_internal(const view *v, const net_addr *peer)
{
    for (size_t i = 0; i < v->internal_count; i++)
        if (net_cidr_has(&v->internal[i], peer))
            return true;
    return false;
}
