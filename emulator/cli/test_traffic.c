/* Calls that were allowed, and the grants they need. */
#include "cli/test_traffic.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "cli/control_client.h"
#include "cli/recording.h"

enum { CALLS_MAX = 1000 * 1000, KEY_MAX = 8192 };

void test_traffic_open(test_traffic *t)
{
    *t = (test_traffic){.mem = arena_new(), .seen = strmap_new()};
}

void test_traffic_close(test_traffic *t)
{
    free(t->needed);
    free(t->calls);
    strmap_free(t->seen);
    arena_free(t->mem);
    *t = (test_traffic){.mem = NULL};
}

/* A public service needs its grant to everybody, whoever calls. */
static bool add(test_traffic *t, const char *called, const char *caller, reason r, error *e)
{
    auto_buf buf key = buf_make(KEY_MAX);
    if (r != REASON_GRANTED && r != REASON_PUBLIC)
        return true;
    const char *who = r == REASON_PUBLIC ? "" : caller;
    buf_fmt(&key, "%s\n%s", called, who);
    if (!buf_ok(&key) || strmap_get(t->seen, buf_view(&key)))
        return true;
    if (t->count == CALLS_MAX)
        return error_set(e, ERR_LIMIT, "more than %d different calls", CALLS_MAX);
    (void)strmap_put(t->seen, buf_view(&key), t);
    t->calls = array_room(t->calls, t->count, &t->cap, sizeof *t->calls);
    t->calls[t->count++] = (struct test_call){arena_dup(t->mem, span_of(called)),
                                              *who ? arena_dup(t->mem, span_of(who)) : NULL};
    return true;
}

static bool take_recorded(void *ctx, const recorded *r, error *e)
{
    return !r->decided || !r->allowed || add(ctx, r->service, r->caller, r->reason, e);
}

bool test_traffic_read_recording(test_traffic *t, const char *path, error *e)
{
    recording r = {.take = take_recorded, .ctx = t};
    if (!recording_read(&r, path, e))
        return false;
    recording_say_gaps(&r, "test");
    return true;
}

static bool take_cells(test_traffic *t, const json_t *cells, error *e)
{
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const json_t *at = json_array_get(cells, i);
        const char *called = json_string_value(json_object_get(at, "service"));
        const char *caller = json_string_value(json_object_get(at, "caller"));
        const char *name = json_string_value(json_object_get(at, "reason"));
        reason r = REASON_COUNT_;
        if (called && caller && name && reason_by_name(span_of(name), &r) &&
            !add(t, called, caller, r, e))
            return false;
    }
    return true;
}

bool test_traffic_read_gateway(test_traffic *t, const char *control, error *e)
{
    control_reply reply;
    if (!control_call(control, "GET", "/invoker/v1/traffic", NULL, &reply, e))
        return false;
    json_auto_t *root = json_loadb(reply.body, reply.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *cells = json_object_get(root, "cells");
    const bool told = reply.status == 200 && json_is_array(cells);
    free(reply.body);
    if (!told)
        return error_set(e, ERR_INVALID, "%s does not tell its traffic", control);
    return take_cells(t, cells, e);
}

/* ---- which grants ---- */

static int by_address(const void *left, const void *right)
{
    const binding *const *a = left, *const *b = right;
    return (*a > *b) - (*a < *b);
}

static bool was_used(void *ctx, const snapshot *s, const binding *g)
{
    const test_traffic *t = ctx;
    (void)s;
    return bsearch(&g, t->needed, t->needed_count, sizeof(const binding *), by_address) != NULL;
}

static const binding *needed_by(const snapshot *s, const struct test_call *c, int64_t now_us)
{
    principal p;
    const service *svc = snapshot_find_service(s, span_of(c->service));
    if (!svc)
        return NULL;
    if (!c->caller)
        return snapshot_grant(s, svc, NULL, now_us);
    return snapshot_principal(s, c->caller, NULL, &p) ? snapshot_grant(s, svc, &p, now_us) : NULL;
}

usage test_traffic_needs(test_traffic *t, const snapshot *s, int64_t now_us)
{
    free(t->needed);
    t->needed_count = 0;
    t->needed = calloc(t->count + 1, sizeof(const binding *));
    if (!t->needed)
        abort();
    for (size_t i = 0; i < t->count; i++) {
        const binding *g = needed_by(s, &t->calls[i], now_us);
        if (g)
            t->needed[t->needed_count++] = g;
    }
    qsort(t->needed, t->needed_count, sizeof(const binding *), by_address);
    return (usage){was_used, t};
}
