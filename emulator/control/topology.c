/* GET /invoker/v1/topology: what is there, who may invoke what, and by which binding. Each cell of
 * the matrix is a real decision. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/control_impl.h"
#include "control/reply.h"
#include "control/run_json.h"
#include "decision/hypothesis.h"
#include "decision/matrix.h"

/* Beyond these the rest is left out and counted: a page has no use for more. */
enum { CELLS_MAX = 20000, BINDINGS_MAX = 5000, TEXT_MAX = 4096 };

static void put_place(json_t *object, place at)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    place_put(&b, at, true);
    if (b.n)
        run_set_text(object, "at", b.p);
}

static void put_time(json_t *object, const char *key, int64_t wall_us)
{
    char text[CLOCK_RFC3339_MAX];
    clock_rfc3339(wall_us, 6, text);
    run_set_text(object, key, text);
}

static json_t *texts(const char *const *list)
{
    json_t *all = json_array();
    for (; list && *list; list++)
        run_push(all, run_string(*list));
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
    run_set_text(o, "member", g->member);
    run_set_text(o, "role", g->role);
    run_set_text(o, "on", on.p);
    put_place(o, g->place);
    return o;
}

/* A change on its way: when it will count. */
static void put_change(json_t *o, const binding *g, int64_t now_us)
{
    const int64_t at_us = g->revoked_us ? g->until_us : g->effective_us;
    run_set_text(o, "change", g->revoked_us ? "revoked" : "granted");
    put_time(o, "changed", g->revoked_us ? g->revoked_us : g->granted_us);
    put_time(o, "takes_effect", at_us);
    run_set(o, "takes_effect_in_s", json_integer((at_us - now_us + 999999) / 1000000));
    if (g->flapping)
        run_set(o, "flapping", json_true());
}

static json_t *whole_binding(const snapshot *s, const binding *g)
{
    json_t *o = binding_json(s, g);
    run_set(o, "invokes", json_boolean(g->invokes));
    if (!g->condition)
        return o;
    const condition_text *text = condition_get(g->condition);
    json_t *c = json_object();
    run_set_text(c, "title", text->title);
    run_set_text(c, "description", text->description);
    run_set_text(c, "expression", text->expression);
    run_set(o, "condition", c);
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
            run_push(all, whole_binding(s, g));
        if (!waits || json_array_size(pending) >= BINDINGS_MAX)
            continue;
        json_t *o = whole_binding(s, g);
        put_change(o, g, now_us);
        run_push(pending, o);
    }
    for (size_t i = 0; i < snapshot_revoked_count(s); i++) {
        const binding *g = snapshot_revoked(s, i);
        if (g->until_us <= now_us || json_array_size(pending) >= BINDINGS_MAX)
            continue;
        json_t *o = whole_binding(s, g);
        put_change(o, g, now_us);
        run_push(pending, o);
    }
    run_set(root, "bindings", all);
    if (count > BINDINGS_MAX)
        run_set(root, "bindings_left_out", json_integer((json_int_t)(count - BINDINGS_MAX)));
    run_set(root, "pending", pending);
}

/* ---- project, emulation, services ---- */

static json_t *project_json(const project *p)
{
    json_t *o = json_object();
    run_set_text(o, "id", p->id);
    run_set_text(o, "number", p->number);
    run_set_text(o, "region", p->region);
    run_set_text(o, "default_account", p->default_account);
    run_set_text(o, "file", p->file);
    run_set_text(o, "ingress", p->ingress_listen);
    run_set_text(o, "metadata", p->metadata_listen);
    run_set_text(o, "control", p->control_listen);
    return o;
}

static json_t *emulation_json(const emulation *e)
{
    json_t *o = json_object();
    run_set_text(o, "mode", e->audit ? "audit" : "enforce");
    run_set(o, "token_lifetime_s", json_integer(e->token_lifetime_s));
    run_set(o, "clock_skew_s", json_integer(e->clock_skew_s));
    run_set(o, "delayed", json_boolean(emulation_is_delayed(e)));
    run_set(o, "propagation",
            json_pack("{s:I,s:I,s:b}", "min_s", (json_int_t)e->propagation.min_s, "max_s",
                      (json_int_t)e->propagation.max_s, "flapping", e->propagation.flapping));
    return o;
}

static json_t *service_json(const snapshot *s, const service *svc, int64_t now_us)
{
    json_t *o = json_object();
    run_set_text(o, "name", svc->name);
    run_set_text(o, "account", svc->account->email);
    run_set_text(o, "url", svc->url);
    run_set_text(o, "listen", svc->listen);
    run_set_text(o, "metadata", svc->metadata);
    run_set_text(o, "upstream", svc->upstream);
    run_set_text(o, "deterministic_url", svc->deterministic_url);
    run_set_text(o, "hash_url", svc->hash_url);
    run_set_text(o, "revision", svc->revision);
    run_set_text(o, "image", svc->image);
    run_set_text(o, "ingress", INGRESS_NAMES[svc->ingress]);
    run_set(o, "iam_check", json_boolean(svc->iam_check));
    run_set(o, "default_url_disabled", json_boolean(svc->default_url_disabled));
    run_set(o, "use_http2", json_boolean(svc->use_http2));
    run_set(o, "open", json_boolean(!svc->iam_check || snapshot_is_open(s, svc, now_us)));
    run_set(o, "custom_audiences", texts(svc->custom_audiences));
    run_set(o, "hosts", texts(svc->hosts));
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
            run_set(groups, group, list);
        }
        run_push(list, run_string(inner));
    }
    return groups;
}

/* What "what if" may imagine of a token. */
static json_t *faults_json(void)
{
    json_t *all = json_array();
    for (int w = WAY_NONE + 1; w < WAY_COUNT; w++) {
        json_t *o = json_object();
        run_set_text(o, "name", token_way_name((token_way)w));
        run_set_text(o, "meaning", token_way_meaning((token_way)w));
        run_push(all, o);
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
    run_set_text(o, "service", snapshot_service(m->s, column)->name);
    run_set(o, "allowed", json_boolean(info->allows));
    run_set_text(o, "reason", info->name);
    run_set_text(o, "note", note.p);
    if (d.binding)
        run_set(o, "binding", binding_json(m->s, d.binding));
    if (info->allows || !d.principal.email.n)
        return o;
    const missed_grant missed =
        snapshot_missed_grant(m->s, snapshot_service(m->s, column), &d.principal, m->now_us);
    if (missed.binding) /* fits, and does not count: it waits, or its condition is not met */
        run_set(o, "missed", binding_json(m->s, missed.binding));
    return o;
}

static json_t *caller_json(const matrix *m, size_t row)
{
    json_t *o = json_object();
    const char *email = matrix_email(m, row);
    auto_buf buf name = buf_make(TEXT_MAX);
    matrix_caller(m, row, &name);
    run_set_text(o, "name", name.p);
    run_set(o, "email", email ? run_string(email) : json_null());
    run_set_text(o, "kind", row < m->accounts ? "service account" : email ? "user" : "anonymous");
    if (row < m->accounts && snapshot_account(m->s, row)->disabled)
        run_set(o, "disabled", json_true());
    json_t *runs = json_array(), *list = json_array();
    for (size_t c = 0; c < m->columns; c++) {
        const service *svc = snapshot_service(m->s, c);
        if (row < m->accounts && svc->account == snapshot_account(m->s, row))
            run_push(runs, run_string(svc->name));
        run_push(list, cell_json(m, row, c));
    }
    run_set(o, "runs", runs);
    run_set(o, "cells", list);
    return o;
}

static json_t *topology_json(const snapshot *s, int64_t now_us)
{
    json_t *root = json_object(), *services = json_array(), *callers = json_array();
    const matrix m = matrix_of(s, now_us);
    const size_t rows =
        m.columns && m.rows > CELLS_MAX / m.columns ? CELLS_MAX / m.columns : m.rows;
    put_time(root, "now", now_us);
    run_set(root, "project", project_json(snapshot_project(s)));
    run_set(root, "emulation", emulation_json(snapshot_emulation(s)));
    for (size_t c = 0; c < m.columns; c++)
        run_push(services, service_json(s, snapshot_service(s, c), now_us));
    for (size_t row = 0; row < rows; row++)
        run_push(callers, caller_json(&m, row));
    run_set(root, "services", services);
    run_set(root, "callers", callers);
    if (rows < m.rows)
        run_set(root, "callers_left_out", json_integer((json_int_t)(m.rows - rows)));
    put_bindings(root, s, now_us);
    run_set(root, "groups", groups_json(s));
    run_set(root, "faults", faults_json());
    run_set(root, "deny_rules", json_integer((json_int_t)snapshot_deny_count(s)));
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
