/* The policies of Cloud Run services, for both versions of the Admin API. */
#include "base/buf.h"
#include "control/iam_policy.h"
#include "control/run_store.h"

enum { KEY_MAX = 256 };

/* "services/NAME" of an existing service; false: answered. */
static bool resource_of(api_call *c, buf *out)
{
    auto_subject run_subject s = {0};
    if (!run_require(c, c->params[0], c->params[1], c->params[2], &s))
        return false;
    buf_fmt(out, "services/%s", s.name);
    return true;
}

static void get_policy(api_call *c)
{
    auto_buf buf key = buf_make(KEY_MAX);
    if (resource_of(c, &key))
        iam_policy_serve_get(c, key.p);
}

static void set_policy(api_call *c)
{
    auto_buf buf key = buf_make(KEY_MAX);
    if (resource_of(c, &key))
        iam_policy_serve_set(c, key.p);
}

/* Asked before a service is made, too: what somebody may do with it then. */
static void test_permissions(api_call *c)
{
    auto_buf buf key = buf_make(KEY_MAX);
    if (!api_project(c, c->params[0]))
        return;
    buf_fmt(&key, "services/%.128s", c->params[2]);
    iam_policy_serve_test(c, key.p);
}

#define SERVICE "/projects/{}/locations/{}/services/{}"

const api_route run_iam_routes[] = {
    {.method = "GET", .pattern = "/v1" SERVICE ":getIamPolicy", .serve = get_policy},
    {.method = "POST", .pattern = "/v1" SERVICE ":setIamPolicy", .serve = set_policy},
    {.method = "POST", .pattern = "/v1" SERVICE ":testIamPermissions", .serve = test_permissions},
    {.method = "GET", .pattern = "/v2" SERVICE ":getIamPolicy", .serve = get_policy},
    {.method = "POST", .pattern = "/v2" SERVICE ":setIamPolicy", .serve = set_policy},
    {.method = "POST", .pattern = "/v2" SERVICE ":testIamPermissions", .serve = test_permissions},
    {0},
};
