/* Knative Services as gcloud sends them, for tests of the Cloud Run Admin API. */
#ifndef RUN_FIXTURE_H
#define RUN_FIXTURE_H

#include <jansson.h>

#include "check_main.h"
#include "control/run_json.h"
#include "policy_fixture.h"

#define IMAGE "us-central1-docker.pkg.dev/my-project/repo/shop:v1"

/* What `gcloud run deploy shop --image … --service-account … --set-env-vars …` sends. */
#define DEPLOY                                                                                     \
    "{'apiVersion':'serving.knative.dev/v1','kind':'Service',"                                     \
    "'metadata':{'name':'shop','namespace':'my-project','labels':{},"                              \
    "'annotations':{'run.googleapis.com/client-name':'gcloud'}},"                                  \
    "'spec':{'template':{"                                                                         \
    "'metadata':{'labels':{'client.knative.dev/nonce':'qwertyuiop'},"                              \
    "'annotations':{'run.googleapis.com/startup-cpu-boost':'True'}},"                              \
    "'spec':{'serviceAccountName':'" FRONTEND "','nodeSelector':{},"                               \
    "'containers':[{'name':'','image':'" IMAGE "',"                                                \
    "'env':[{'name':'BACKEND_URL','value':'http://backend.example'}]}]}}},"                        \
    "'status':{'address':{}}}"

/* JSON with ' for ". */
static inline json_t *fixture_json(const char *text)
{
    char *copy = strdup(text);
    ck_assert_ptr_nonnull(copy);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_error_t where;
    json_t *v = json_loads(copy, JSON_DECODE_ANY, &where);
    ck_assert_msg(v != NULL, "%s in %s", where.text, copy);
    free(copy);
    return v;
}

static inline json_t *fixture_child(json_t *o, const char *name)
{
    json_t *child = json_object_get(o, name);
    if (!child) {
        child = json_object();
        ck_assert_int_eq(json_object_set_new(o, name, child), 0);
    }
    return child;
}

/* The text that is sent; the caller frees it. */
static inline char *fixture_text(const json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT);
    ck_assert_ptr_nonnull(text);
    return text;
}

/* Puts the value (JSON with ') at a path of members and indices: "spec.template.spec.containers.0".
 * Members that hold dots stand in [ ]. NULL takes away. */
static inline void fixture_put(json_t *o, const char *path, const char *json)
{
    for (;;) {
        const bool quoted = *path == '[';
        const char *from = path + quoted;
        const size_t n = strcspn(from, quoted ? "]" : ".");
        const char *next = from + n + quoted;
        const bool last = *next == '\0';
        char *name = strndup(from, n);
        ck_assert_ptr_nonnull(name);
        if (last && !json)
            (void)json_object_del(o, name);
        else if (last && json_is_array(o))
            ck_assert_int_eq(
                json_array_set_new(o, (size_t)strtoul(name, NULL, 10), fixture_json(json)), 0);
        else if (last)
            ck_assert_int_eq(json_object_set_new(o, name, fixture_json(json)), 0);
        else if (json_is_array(o))
            o = json_array_get(o, (size_t)strtoul(name, NULL, 10));
        else
            o = fixture_child(o, name);
        free(name);
        if (last)
            return;
        path = next + 1;
    }
}

#endif
