/* Lessons 5 to 7: who may invoke. "Authenticating service-to-service", "Service identity" of Cloud
 * Run's docs; "Access change propagation" of IAM's. */
#include "cli/lesson.h"

#define RUN_DOCS "https://cloud.google.com/run/docs/"

/* ---- 5 ---- */

static const lesson_step wrong_service[] = {
    {
        .story = "The token is fresh, frontend-sa's, and made for backend-api.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_NO_GRANT,
        .choices = {{403, REASON_NO_GRANT, "frontend-sa holds no role on backend-api"},
                    {401, REASON_NO_GRANT, "frontend-sa holds no role on backend-api"},
                    {401, REASON_WRONG_AUDIENCE, "the token is made for auth-service"},
                    {200, REASON_GRANTED, "frontend-sa holds roles/run.invoker"}},
        .learned =
            "The token is good, so it is 403, not 401, and nothing about the token will mend "
            "it. A role is granted on the service that is called, to the account that calls. "
            "Granting on the caller, or on its account, has no effect.",
    },
    {
        .story = "Grant it where the call arrives.",
        .edit = {"frontend-sa: [auth-service]", "frontend-sa: [auth-service, backend-api]"},
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
    },
};

/* ---- 6 ---- */

static const lesson_step default_account[] = {
    {
        .story = "frontend asks its metadata server for a token for backend-api, and sends it.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_NO_GRANT,
        .choices = {{200, REASON_GRANTED, "frontend-sa holds roles/run.invoker"},
                    {401, REASON_NO_PRINCIPAL, "frontend has no account, so it gets no token"},
                    {403, REASON_NO_GRANT, "the token is another account's than frontend-sa's"},
                    {403, REASON_NO_CREDENTIAL, "frontend has no account, so it gets no token"}},
        .learned = "A service that was deployed without --service-account runs as the project's "
                   "default compute account, 123456789012-compute@developer.gserviceaccount.com, "
                   "and its tokens are that account's. Granting that account the role would work, "
                   "and let in whatever else runs as it.",
    },
    {
        .story = "Give frontend the account that was meant for it.",
        .edit = {"frontend: {}", "frontend: { service_account: frontend-sa }"},
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
    },
};

/* ---- 7 ---- */

static const lesson_step not_propagated[] = {
    {
        .story = "gcloud has just printed \"Updated IAM policy for service [backend-api].\" The "
                 "script's next line calls the service.",
        .edit = {"frontend-sa: []", "frontend-sa: [backend-api]"},
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_NOT_PROPAGATED,
        .too_late = "You were slower than IAM: it has propagated already, and the request passed.",
        .choices = {{200, REASON_GRANTED, "the grant is there: get-iam-policy shows it"},
                    {401, REASON_NOT_PROPAGATED, "the token is older than the grant"},
                    {403, REASON_WRONG_AUDIENCE, "the token is older than the grant"},
                    {403, REASON_NOT_PROPAGATED, "the grant is there, and does not count yet"}},
        .learned =
            "Changes of policies take about 2 minutes until they count everywhere, at times "
            "7 and more; of groups, hours. Meanwhile get-iam-policy shows them, and requests "
            "are refused, all or some of them. Here it takes some seconds. Changing more "
            "things while one waits is how one loses the afternoon.",
    },
    {
        .story = "Wait, and send the same request again.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .eventually = true,
        .learned = "In scripts: try again until it passes, for some minutes, rather than once.",
    },
};

const lesson lessons_grants[] = {
    {.name = "wrong-service",
     .title = "The role, on another service",
     .story = "frontend calls auth-service and backend-api. Its developer granted frontend-sa "
              "roles/run.invoker on auth-service, where it works.",
     .doc = RUN_DOCS "authenticating/service-to-service",
     LESSON_STEPS(wrong_service)},
    {.name = "default-account",
     .title = "Deployed without a service account",
     .story =
         "frontend-sa was made, and granted roles/run.invoker on backend-api. Then frontend was "
         "deployed, and --service-account was forgotten.",
     .doc = RUN_DOCS "securing/service-identity",
     LESSON_STEPS(default_account)},
    {.name = "not-propagated",
     .title = "Granted a moment ago",
     .story = "A script grants frontend-sa roles/run.invoker on backend-api and then tries it.",
     .doc = "https://cloud.google.com/iam/docs/access-change-propagation",
     .unhurried = {"propagation_delay: 2s", "propagation_delay: 45s"},
     LESSON_STEPS(not_propagated)},
    {.name = NULL},
};
