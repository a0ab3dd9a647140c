/* Artifact Registry v1: none. `gcloud run deploy --source` asks it first, for the repository that
 * the image it builds goes to; the answer is what people who try that are told. */
#include "control/api.h"

static void refuse(api_call *c)
{
    if (api_project(c, c->params[0]))
        api_fail(c, API_FAILED_PRECONDITION,
                 "Images are neither built nor kept here, so nothing can be deployed from source: "
                 "deploy with --image=NAME (any name) in place of --source, and say what it runs: "
                 "images: { \"NAME\": COMMAND } in %s, or invoker run SERVICE -- COMMAND.",
                 snapshot_project(api_base(c))->file);
}

#define REPOSITORIES "/v1/projects/{}/locations/{}/repositories"

const api_route artifact_registry_routes[] = {
    {.method = "GET", .pattern = REPOSITORIES "/**", .serve = refuse},
    {.method = "GET", .pattern = REPOSITORIES, .serve = refuse},
    {.method = "POST", .pattern = REPOSITORIES, .serve = refuse},
    {0},
};
