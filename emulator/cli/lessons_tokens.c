/* Lessons about the token itself. What they say stands in "Authenticating service-to-service" and
 * "Troubleshoot Cloud Run" (https://cloud.google.com/run/docs/authenticating/service-to-service,
 * https://cloud.google.com/run/docs/troubleshooting). */
#include "cli/lesson.h"

#define DOC_CALL "https://cloud.google.com/run/docs/authenticating/service-to-service"
#define DOC_401  "https://cloud.google.com/run/docs/troubleshooting#401"

const lesson lessons_tokens[] = {
    {
        .name = "no-token",
        .title = "No token: 403, not 401",
        .story =
            "backend-api was deployed with --no-allow-unauthenticated. Its developer opens its "
            "URL in a browser to see whether it works.",
        .doc = DOC_CALL,
        .steps =
            {
                {
                    .story = "A browser sends no Authorization header.",
                    .request = {.to = "backend-api"},
                    .expected = REASON_NO_CREDENTIAL,
                    .choices = {{401, REASON_NO_CREDENTIAL, "there is no token; please log in"},
                                {403, REASON_NO_CREDENTIAL, "there is no token"},
                                {403, REASON_NO_GRANT, "you may not invoke the service"},
                                {404, REASON_INGRESS_BLOCKED, "private services are hidden"}},
                    .learned =
                        "HTTP would say 401 to somebody who has shown no credential. Cloud Run "
                        "says 403, without WWW-Authenticate, so neither browsers nor clients know "
                        "that a token is all that is missing. 401 is for tokens that cannot be "
                        "verified.",
                },
                {
                    .story = "frontend runs as frontend-sa, which holds roles/run.invoker. Its "
                             "metadata server gives it an ID token for backend-api's URL.",
                    .request = {.to = "backend-api",
                                .authorization = {CARRIED_IDENTITY, "frontend"}},
                    .expected = REASON_GRANTED,
                    .learned = "That is all: an ID token of an account that may, made for this "
                               "service.",
                    .gcloud = "As yourself:\n"
                              "  curl -H \"Authorization: Bearer $(gcloud auth "
                              "print-identity-token)\" URL\n"
                              "If the service is meant to be public:\n"
                              "  gcloud run services add-iam-policy-binding backend-api \\\n"
                              "    --region=us-central1 --member=allUsers --role=roles/run.invoker",
                },
            },
    },
    {.name = NULL},
};
