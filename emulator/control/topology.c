/* GET /invoker/v1/topology: what is there, who may invoke what, and by which binding. Each cell of
 * the matrix is a real decision. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/control_impl.h"
#include "control/reply.h"
#include "decision/hypothesis.h"
#include "decision/matrix.h"

/* Beyond these the rest is left out and counted: a page has no use for more. */
enum { CELLS_MAX = 20000, BINDINGS_MAX = 5000, TEXT_MAX = 4096 };

static void put(json_t *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(object, key, value) != 0)
        abort();
}

/* Foreign bytes that are no UTF-8 become U+FFFD, as everywhere. */
static json_t *text_json(const char *text)
{
    json_t *v = json_string(text);
    if (v)
        return v;
    auto_buf buf b = buf_make(SIZE_MAX / 2);
    buf_json(&b, span_of(text));
    return json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL);
}

/* NULL: left out. */
static void put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        put(object, key, text_json(text));
}

static void put_place(json_t *object, place at)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    place_put(&b, at, true);
    if (b.n)
        put_text(object, "at", b.p);
}

static void put_time(json_t *object, const char *key, int64_t wall_us)
{
    char text[CLOCK_RFC3339_MAX];
    clock_rfc3339(wall_us, 6, text);
    put_text(object, key, text);
}

static void add(json_t *array, json_t *value)
{
    if (!value || json_array_append_new(array, value) != 0)
        abort();
}

static json_t *texts(const char *const *list)
{
    json_t *all = json_array();
    for (; list && *list; list++)
        add(all, text_json(*list));
    return all;
}

/* ---- bindings ---- */

static json_t *binding_json(const snapshot *s, const binding *g)
{
    json_t *o = json_object();
    auto_buf buf on = buf_make(TEXT_MAX);
    if (g->account)
        buf_fmt(&on, "service account %s", g->account->email);
    else if (g->project_level)
        buf_str(&on, "project");
    else
        buf_fmt(&on, "service %s", snapshot_service(s, g->service)->name);
    put_text(o, "member", g->member);
    put_text(o, "role", g->role);
    put_text(o, "on", on.p);
    put_place(o, g->place);
    return o;
}

/* A change on its way: when it will count. */
static void put_change(json_t *o, const binding *g, int64_t now_us)
{
    const int64_t at_us = g->revoked_us ? g->until_us : g->effective_us;
    put_text(o, "change", g->revoked_us ? "revoked" : "granted");
    put_time(o, "changed", g->revoked_us ? g->revoked_us : g->granted_us);
    put_time(o, "takes_effect", at_us);
    put(o, "takes_effect_in_s", json_integer((at_us - now_us + 999999) / 1000000));
    if (g->flapping)
        put(o, "flapping", json_true());
}

static json_t *whole_binding(const snapshot *s, const binding *g)
{
    json_t *o = binding_json(s, g);
    put(o, "invokes", json_boolean(g->invokes));
    if (!g->condition)
        return o;
    const condition_text *text = condition_get(g->condition);
    json_t *c = json_object();
    put_text(c, "title", text->title);
    put_text(c, "description", text->description);
    put_text(c, "expression", text->expression);
    put(o, "condition", c);
    return o;
}

static void put_bindings(json_t *root, const snapshot *s, int64_t now_us)
{
    json_t *all = json_array(), *pending = json_array();
    const size_t count = snapshot_binding_count(s);
    for (size_t i = 0; i < count; i++) {
        const binding *g = snapshot_binding(s, i);
        const bool waits = binding_is_changing(g, now_us);
        if (i < BINDINGS_MAX)
            add(all, whole_binding(s, g));
        if (!waits || json_array_size(pending) >= BINDINGS_MAX)
            continue;
        json_t *o = whole_binding(s, g);
        put_change(o, g, now_us);
        add(pending, o);
    }
    for (size_t i = 0; i < snapshot_revoked_count(s); i++) {
        const binding *g = snapshot_revoked(s, i);
        if (g->until_us <= now_us || json_array_size(pending) >= BINDINGS_MAX)
            continue;
        json_t *o = whole_binding(s, g);
        put_change(o, g, now_us);
        add(pending, o);
    }
    put(root, "bindings", all);
    if (count > BINDINGS_MAX)
        put(root, "bindings_left_out", json_integer((json_int_t)(count - BINDINGS_MAX)));
    put(root, "pending", pending);
}

/* ---- project, emulation, services ---- */

static json_t *project_json(const project *p)
{
    json_t *o = json_object();
    put_text(o, "id", p->id);
    put_text(o, "number", p->number);
    put_text(o, "region", p->region);
    put_text(o, "default_account", p->default_account);
    put_text(o, "file", p->file);
    put_text(o, "ingress", p->ingress_listen);
    put_text(o, "metadata", p->metadata_listen);
    put_text(o, "control", p->control_listen);
    return o;
}

static json_t *emulation_json(const emulation *e)
{
    json_t *o = json_object();
    put_text(o, "mode", e->audit ? "audit" : "enforce");
    put(o, "token_lifetime_s", json_integer(e->token_lifetime_s));
    put(o, "clock_skew_s", json_integer(e->clock_skew_s));
    put(o, "delayed", json_boolean(emulation_is_delayed(e)));
    put(o, "propagation",
        json_pack("{s:I,s:I,s:b}", "min_s", (json_int_t)e->propagation.min_s, "max_s",
                  (json_int_t)e->propagation.max_s, "flapping", e->propagation.flapping));
    return o;
}

static json_t *service_json(const snapshot *s, const service *svc, int64_t now_us)
{
    json_t *o = json_object();
    put_text(o, "name", svc->name);
    put_text(o, "account", svc->account->email);
    put_text(o, "url", svc->url);
    put_text(o, "listen", svc->listen);
    put_text(o, "metadata", svc->metadata);
    put_text(o, "upstream", svc->upstream);
    put_text(o, "deterministic_url", svc->deterministic_url);
    put_text(o, "hash_url", svc->hash_url);
    put_text(o, "revision", svc->revision);
    put_text(o, "image", svc->image);
    put_text(o, "ingress", INGRESS_NAMES[svc->ingress]);
    put(o, "iam_check", json_boolean(svc->iam_check));
    put(o, "default_url_disabled", json_boolean(svc->default_url_disabled));
    put(o, "use_http2", json_boolean(svc->use_http2));
    put(o, "open", json_boolean(!svc->iam_check || snapshot_is_open(s, svc, now_us)));
    put(o, "custom_audiences", texts(svc->custom_audiences));
    put(o, "hosts", texts(svc->hosts));
    put_place(o, svc->place);
    return o;
}

static json_t *groups_json(const snapshot *s)
{
    json_t *groups = json_object();
    for (size_t i = 0; i < snapshot_group_edge_count(s); i++) {
        const char *group, *inner;
        snapshot_group_edge(s, i, &group, &inner);
        json_t *list = json_object_get(groups, group);
        if (!list) {
            list = json_array();
            put(groups, group, list);
        }
        add(list, text_json(inner));
    }
    return groups;
}

/* What "what if" may imagine of a token. */
static json_t *faults_json(void)
{
    json_t *all = json_array();
    for (int w = WAY_NONE + 1; w < WAY_COUNT; w++) {
        json_t *o = json_object();
        put_text(o, "name", token_way_name((token_way)w));
        put_text(o, "meaning", token_way_meaning((token_way)w));
        add(all, o);
    }
    return all;
}

/* ---- the matrix ---- */

static json_t *cell_json(const matrix *m, size_t row, size_t column)
{
    const decision d = matrix_cell(m, row, column);
    const reason_row *info = reason_info(d.reason);
    json_t *o = json_object();
    auto_buf buf note = buf_make(TEXT_MAX);
    matrix_note(&note, &d);
    put_text(o, "service", snapshot_service(m->s, column)->name);
    put(o, "allowed", json_boolean(info->allows));
    put_text(o, "reason", info->name);
    put_text(o, "note", note.p);
    if (d.binding)
        put(o, "binding", binding_json(m->s, d.binding));
    if (info->allows || !d.principal.email.n)
        return o;
    const missed_grant missed =
        snapshot_missed_grant(m->s, snapshot_service(m->s, column), &d.principal, m->now_us);
    if (missed.binding) /* fits, and does not count: it waits, or its condition is not met */
        put(o, "missed", binding_json(m->s, missed.binding));
    return o;
}

static json_t *caller_json(const matrix *m, size_t row)
{
    json_t *o = json_object();
    const char *email = matrix_email(m, row);
    auto_buf buf name = buf_make(TEXT_MAX);
    matrix_caller(m, row, &name);
    put_text(o, "name", name.p);
    put(o, "email", email ? text_json(email) : json_null());
    put_text(o, "kind", row < m->accounts ? "service account" : email ? "user" : "anonymous");
    if (row < m->accounts && snapshot_account(m->s, row)->disabled)
        put(o, "disabled", json_true());
    json_t *runs = json_array(), *list = json_array();
    for (size_t c = 0; c < m->columns; c++) {
        const service *svc = snapshot_service(m->s, c);
        if (row < m->accounts && svc->account == snapshot_account(m->s, row))
            add(runs, text_json(svc->name));
        add(list, cell_json(m, row, c));
    }
    put(o, "runs", runs);
    put(o, "cells", list);
    return o;
}

static json_t *topology_json(const snapshot *s, int64_t now_us)
{
    json_t *root = json_object(), *services = json_array(), *callers = json_array();
    const matrix m = matrix_of(s, now_us);
    const size_t rows =
        m.columns && m.rows > CELLS_MAX / m.columns ? CELLS_MAX / m.columns : m.rows;
    put_time(root, "now", now_us);
    put(root, "project", project_json(snapshot_project(s)));
    put(root, "emulation", emulation_json(snapshot_emulation(s)));
    for (size_t c = 0; c < m.columns; c++)
        add(services, service_json(s, snapshot_service(s, c), now_us));
    for (size_t row = 0; row < rows; row++)
        add(callers, caller_json(&m, row));
    put(root, "services", services);
    put(root, "callers", callers);
    if (rows < m.rows)
        put(root, "callers_left_out", json_integer((json_int_t)(m.rows - rows)));
    put_bindings(root, s, now_us);
    put(root, "groups", groups_json(s));
    put(root, "faults", faults_json());
    put(root, "deny_rules", json_integer((json_int_t)snapshot_deny_count(s)));
    return root;
}

void serve_topology(control *c, http_request *r)
{
    const control_backend *b = &c->backend;
    json_t *root = topology_json(b->merged(b->ctx), control_now_us(b));
    auto_free char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text)
        reply_json(r, 200, span_of(text));
    else
        reply_error(r, 500, NULL, "the topology cannot be written as JSON");
}
