#include "control/run_ops.h"

#include <stdlib.h>

#include "base/buf.h"
#include "control/run_json.h"
#include "control/run_v2.h"

enum { NAME_TEXT = 512, VERSION_DIGITS = 16 };

static json_t *typed(const char *type, json_t *message)
{
    json_t *o = json_object();
    run_set_text(o, "@type", type);
    if (json_object_update(o, message) != 0)
        abort();
    return o;
}

json_t *run_operation(const run_subject *s, const char *type, json_t *response)
{
    const project *p = s->view.project;
    const char *version = run_text(s->entry, "knative.metadata.resourceVersion");
    json_t *o = json_object();
    run_set(o, "name",
            json_sprintf("projects/%s/locations/%s/operations/%s-%s", p->id, p->region, s->name,
                         version));
    run_set(o, "metadata", typed(type, response));
    run_set(o, "done", json_true());
    run_set(o, "response", typed(type, response));
    json_decref(response);
    return o;
}

/* "NAME-VERSION" of a service that is there or was. false: answered, no operation is called so. */
static bool read_id(api_call *c, const char *id, char **out_name)
{
    const size_t n = strlen(id);
    if (n > VERSION_DIGITS + 1 && id[n - VERSION_DIGITS - 1] == '-' &&
        strspn(id + n - VERSION_DIGITS, "0123456789abcdef") == VERSION_DIGITS) {
        *out_name = span_dup((span){id, n - VERSION_DIGITS - 1});
        return true;
    }
    api_fail(c, API_NOT_FOUND, "Operation '%.200s' does not exist.", id);
    return false;
}

/* What it made may have been deleted since: then it names that. */
static void reply_operation(api_call *c, const char *type)
{
    auto_free char *name = NULL;
    auto_subject run_subject s = {0};
    const project *p = snapshot_project(api_snapshot(c));
    if (!api_project(c, c->params[0]) || !read_id(c, c->params[2], &name))
        return;
    const bool is_v2 = strcmp(type, V2_SERVICE_TYPE) == 0;
    json_t *made = NULL;
    if (run_find(c, name, &s))
        made = is_v2 ? run_v2_service(&s.view) : run_service_object(&s.view);
    else
        made =
            json_pack("{s:o}", "name",
                      json_sprintf("projects/%s/locations/%s/services/%s", p->id, p->region, name));
    json_t *o = json_object();
    run_set(o, "name",
            json_sprintf("projects/%s/locations/%s/operations/%s", p->id, p->region, c->params[2]));
    run_set(o, "done", json_true());
    run_set(o, "response", typed(type, made));
    json_decref(made);
    api_reply(c, 200, o);
}

void run_ops_get(api_call *c)
{
    reply_operation(c, V2_SERVICE_TYPE);
}

void run_ops_wait_v1(api_call *c)
{
    reply_operation(c, "type.googleapis.com/google.cloud.run.v1.Service");
}

/* The last of each service. */
void run_ops_list(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return;
    const snapshot *snap = api_snapshot(c);
    json_t *list = json_array();
    for (size_t i = 0; i < snapshot_service_count(snap) && run_region_fits(c, c->params[1]); i++) {
        auto_subject run_subject s = {0};
        if (run_find(c, snapshot_service(snap, i)->name, &s))
            run_push(list, run_operation(&s, V2_SERVICE_TYPE, run_v2_service(&s.view)));
    }
    api_reply(c, 200, json_pack("{s:o}", "operations", list));
}

void run_ops_delete(api_call *c)
{
    auto_free char *name = NULL;
    if (api_project(c, c->params[0]) && read_id(c, c->params[2], &name))
        api_reply(c, 200, json_object());
}
