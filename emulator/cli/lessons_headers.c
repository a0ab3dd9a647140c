/* Lessons 8 to 10: what Cloud Run looks at, and what it hands on. "Authenticating
 * service-to-service", "Allowing public access" and "Troubleshoot Cloud Run"
 * (SIGNATURE_REMOVED_BY_GOOGLE) of Cloud Run's docs. */
#include "cli/lesson.h"

#define RUN_DOCS "https://cloud.google.com/run/docs/"
#define REMOVED  "SIGNATURE_REMOVED_BY_GOOGLE"

/* ---- 8 ---- */

#define FOREIGN                                                                                    \
    {                                                                                              \
        .kind = CARRIED_MINTED, .from = "frontend-sa", .options = { "--foreign-key" }              \
    }

static const lesson_step public_service[] = {
    {
        .story = "Somebody sends a token that they signed themselves: it says that they are "
                 "frontend-sa.",
        .request = {.to = "backend-api", .authorization = FOREIGN},
        .expected = REASON_PUBLIC,
        .answer_has = "\"Authorization\":\"",
        .shows = "Authorization",
        .answer_lacks = REMOVED,
        .choices = {{401, REASON_UNKNOWN_KEY, "the signature is not Google's"},
                    {401, REASON_BAD_SIGNATURE, "the signature does not match"},
                    {200, REASON_PUBLIC, "nobody looks at tokens here"},
                    {403, REASON_UNKNOWN_KEY, "the signature is not Google's"}},
        .learned = "Where allUsers may invoke, Cloud Run looks at no token and hands it on as it "
                   "is, good or bad. A container that takes its caller's name from it without "
                   "verifying the signature believes everybody. The same holds for "
                   "X-Serverless-Authorization.",
    },
    {
        .story = "Let frontend-sa in, and nobody else.",
        .edit = {"allUsers: [backend-api]", "frontend-sa: [backend-api]"},
        .request = {.to = "backend-api", .authorization = FOREIGN},
        .expected = REASON_UNKNOWN_KEY,
        .learned = "Now Cloud Run verifies, before the container sees anything.",
        .gcloud = "  gcloud run services remove-iam-policy-binding backend-api \\\n"
                  "    --region=us-central1 --member=allUsers --role=roles/run.invoker",
        .terraform = "  Delete the google_cloud_run_v2_service_iam_member with allUsers.",
    },
    {
        .story = "And the true frontend?",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .answer_has = REMOVED,
        .shows = "Authorization",
        .learned = "It passes, and the container gets the token without its signature: the claims "
                   "are vouched for, and nobody can use the token again.",
    },
};

/* ---- 9 ---- */

#define USER                                                                                       \
    {                                                                                              \
        .kind = CARRIED_MINTED, .from = "frontend-sa", .options = {                                \
            "--foreign-key",                                                                       \
            "--issuer=https://securetoken.google.com/my-project"                                   \
        }                                                                                          \
    }

static const lesson_step two_headers[] = {
    {
        .story =
            "frontend passes on the user's token, which Firebase issued, as Authorization: the "
            "application has always read it there.",
        .request = {.to = "auth-service", .authorization = USER},
        .expected = REASON_UNKNOWN_KEY,
        .choices = {{200, REASON_GRANTED, "Firebase is Google's, too"},
                    {403, REASON_NO_GRANT, "the user holds no role on auth-service"},
                    {401, REASON_UNKNOWN_KEY, "Cloud Run cannot verify this token"},
                    {401, REASON_EXPIRED, "the user has been logged in for too long"}},
        .learned = "Cloud Run takes Authorization for its own, and only ID tokens of "
                   "https://accounts.google.com. A token of another issuer (Firebase, Keycloak, "
                   "Entra, your own) gets 401 there.",
    },
    {
        .story = "There is a second header for Cloud Run: X-Serverless-Authorization carries "
                 "frontend's ID token, and Authorization the user's.",
        .request = {.to = "auth-service",
                    .authorization = USER,
                    .serverless = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .answer_has = "\"X-Serverless-Authorization\":\"",
        .shows = "X-Serverless-Authorization",
        .learned = "When it is there it alone is checked. It loses its signature on the way in; "
                   "Authorization reaches the application untouched.",
        .gcloud = "  curl -H \"X-Serverless-Authorization: Bearer ID_TOKEN\" \\\n"
                  "    -H \"Authorization: Bearer USER_TOKEN\" URL",
    },
    {
        .story =
            "Then frontend's ID token expires, in X-Serverless-Authorization; a good one is in "
            "Authorization.",
        .request = {.to = "auth-service",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"},
                    .serverless = {.kind = CARRIED_MINTED,
                                   .from = "frontend-sa",
                                   .options = {"--expired"}}},
        .expected = REASON_EXPIRED,
        .choices = {{200, REASON_GRANTED, "one good token is enough"},
                    {401, REASON_REPEATED_HEADER, "there are two tokens"},
                    {403, REASON_EXPIRED, "the token that counts has expired"},
                    {401, REASON_EXPIRED, "the token that counts has expired"}},
        .learned = "There is no falling back: Authorization is not looked at.",
    },
    {
        .story = "A fresh one there.",
        .request = {.to = "auth-service",
                    .authorization = USER,
                    .serverless = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
    },
};

/* ---- 10 ---- */

static const lesson_step stripped[] = {
    {
        .story = "frontend calls backend-api. Look at what backend-api gets.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .answer_has = REMOVED,
        .shows = "Authorization",
        .learned = "\"bearer\" in small letters, and a token whose third part is no signature any "
                   "more: " REMOVED ".",
    },
    {
        .story =
            "To ask db-service on its caller's behalf, backend-api sends on the header that it "
            "got.",
        .request = {.to = "db-service",
                    .authorization = {.kind = CARRIED_RECEIVED,
                                      .from = "frontend",
                                      .by = "backend-api"}},
        .expected = REASON_SIGNATURE_REMOVED,
        .choices = {{401, REASON_SIGNATURE_REMOVED, "a token that was received is of no use"},
                    {401, REASON_WRONG_AUDIENCE, "it was made for backend-api"},
                    {403, REASON_NO_GRANT, "frontend-sa may not invoke db-service"},
                    {200, REASON_GRANTED, "it is frontend's, and frontend is trusted"}},
        .learned = "Cloud Run takes the signature away so that no service can act as its callers. "
                   "Its audience would be wrong as well. In logs of applications that verify what "
                   "they receive, this shows as an invalid signature: decode it, do not verify it; "
                   "Cloud Run has done that.",
    },
    {
        .story = "backend-api calls as itself: with a token of its own account, for db-service.",
        .request = {.to = "db-service",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "backend-api"}},
        .expected = REASON_GRANTED,
        .learned = "Who the end user is travels in another header, or in the body.",
    },
};

const lesson lessons_headers[] = {
    {.name = "public",
     .title = "A public service ignores tokens, bad ones too",
     .story = "backend-api was deployed with --allow-unauthenticated \"for now\". It reads its "
              "caller's name from the token.",
     .doc = RUN_DOCS "authenticating/public",
     LESSON_STEPS(public_service)},
    {.name = "two-headers",
     .title = "Two tokens: the user's and the service's",
     .story = "auth-service is private; frontend-sa may invoke it. Its application wants to know "
              "which user is behind the call.",
     .doc = RUN_DOCS "authenticating/service-to-service",
     LESSON_STEPS(two_headers)},
    {.name = "stripped",
     .title = "Sending on the token that came in",
     .story = "frontend calls backend-api, which needs db-service for its answer. Both calls are "
              "granted.",
     .doc = RUN_DOCS "troubleshooting",
     LESSON_STEPS(stripped)},
    {.name = NULL},
};
