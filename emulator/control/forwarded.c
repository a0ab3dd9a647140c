/* What only the metadata process can answer: it alone holds private keys and knows access tokens,
 * and checks callers of these itself. gcloud sends its metadata token calls here too when this
 * listener is its proxy. */
#include "control/api.h"

#define ACCOUNT "/v1/projects/{}/serviceAccounts/{}"

const api_route forwarded_routes[] = {
    /* IAM Service Account Credentials API v1, projects.serviceAccounts */
    {.method = "POST",
     .pattern = ACCOUNT ":generateAccessToken",
     .serve = api_forward,
     .open = true},
    {.method = "POST", .pattern = ACCOUNT ":generateIdToken", .serve = api_forward, .open = true},
    {.method = "POST", .pattern = ACCOUNT ":signBlob", .serve = api_forward, .open = true},
    {.method = "POST", .pattern = ACCOUNT ":signJwt", .serve = api_forward, .open = true},
    /* OAuth 2.0 and what verifiers ask for */
    {.method = "POST", .pattern = "/token", .serve = api_forward, .open = true, .form = true},
    {.method = "POST",
     .pattern = "/oauth2/v4/token",
     .serve = api_forward,
     .open = true,
     .form = true},
    {.method = "POST",
     .pattern = "/o/oauth2/token",
     .serve = api_forward,
     .open = true,
     .form = true},
    {.method = "GET", .pattern = "/tokeninfo", .serve = api_forward, .open = true},
    {.method = "POST", .pattern = "/tokeninfo", .serve = api_forward, .open = true, .form = true},
    {.method = "GET", .pattern = "/oauth2/v3/tokeninfo", .serve = api_forward, .open = true},
    {.method = "POST",
     .pattern = "/oauth2/v3/tokeninfo",
     .serve = api_forward,
     .open = true,
     .form = true},
    {.method = "GET", .pattern = "/oauth2/v1/certs", .serve = api_forward, .open = true},
    {.method = "GET", .pattern = "/oauth2/v3/certs", .serve = api_forward, .open = true},
    {.method = "GET",
     .pattern = "/.well-known/openid-configuration",
     .serve = api_forward,
     .open = true},
    /* the metadata server */
    {.method = "GET", .pattern = "/computeMetadata/**", .serve = api_forward, .open = true},
    {0}};
