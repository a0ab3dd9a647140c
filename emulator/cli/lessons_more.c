/* Lessons 18 to 20: "Get an ID token" of Google Cloud's authentication docs, "Known issues" and
 * "Troubleshoot Cloud Run" of Cloud Run's. */
#include "cli/lesson.h"

#define RUN_DOCS "https://cloud.google.com/run/docs/"

/* ---- 18 ---- */

static const lesson_step self_signed[] = {
    {
        .story =
            "The script makes a JWT, with backend-api's URL as its audience, and signs it with "
            "the key file.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_MINTED,
                                      .from = "frontend-sa",
                                      .options = {"--self-signed"}}},
        .expected = REASON_SELF_SIGNED,
        .choices = {{200, REASON_GRANTED, "the key is frontend-sa's"},
                    {403, REASON_NO_GRANT, "the grant is for tokens of the metadata server"},
                    {401, REASON_SELF_SIGNED, "Google has to sign it, not the account"},
                    {401, REASON_EXPIRED, "key files are old by nature"}},
        .learned =
            "Many of Google's APIs take such a JWT as it is. Cloud Run wants an ID token that "
            "Google signed: the JWT, with the claim target_audience, is what one exchanges "
            "for it at https://oauth2.googleapis.com/token.",
    },
    {
        .story = "The ID token that comes of it says what a metadata server's does.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .learned = "Better without a key file at all: by impersonation, as gcloud does it above.",
    },
};

/* ---- 19 ---- */

#define HOST "backend-api-123456789012.us-central1.run.app"

static const lesson_step reserved_path[] = {
    {
        .story = "The monitor has a good token. In the container, /healthz works.",
        .request = {.to = "backend-api",
                    .path = "/healthz",
                    .host = HOST,
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_RESERVED_PATH,
        .choices = {{200, REASON_GRANTED, "the token is good"},
                    {404, REASON_RESERVED_PATH, "Cloud Run keeps that path to itself"},
                    {403, REASON_NO_GRANT, "monitors need roles/monitoring.viewer"},
                    {404, REASON_INGRESS_BLOCKED, "health checks come from inside only"}},
        .learned = "The page is Google's, with a robot, not Cloud Run's; there is no trace header "
                   "and no log entry. Cloud Run's docs list some paths that end in z as reserved.",
    },
    {
        .story = "Serve it as /health.",
        .request = {.to = "backend-api",
                    .path = "/health",
                    .host = HOST,
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .learned =
            "For start-up and liveness probes any path will do: they do not come from outside.",
    },
};

/* ---- 20 ---- */

static const lesson_step sent_twice[] = {
    {
        .story = "frontend sets Authorization, and so does the proxy.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"},
                    .fields = {"Authorization: Bearer of-the-proxy"}},
        .expected = REASON_REPEATED_HEADER,
        .choices = {{200, REASON_GRANTED, "the first one is good"},
                    {401, REASON_REPEATED_HEADER, "which of the two is it to be?"},
                    {403, REASON_REPEATED_HEADER, "which of the two is it to be?"},
                    {401, REASON_NOT_A_JWT, "the last one counts, and it is no token"}},
        .learned = "Neither is taken. The same holds for two tokens in one header.",
    },
    {
        .story = "The proxy replaces the header instead: now it is one, and wrong.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_TEXT, .from = "Bearer of-the-proxy"}},
        .expected = REASON_NOT_A_JWT,
        .choices = {{401, REASON_NOT_A_JWT, "this is no JWT"},
                    {403, REASON_NOT_A_JWT, "this is no JWT"},
                    {403, REASON_NO_CREDENTIAL, "there is no token"}},
    },
    {
        .story = "The proxy's credential belongs into Proxy-Authorization, or frontend's into "
                 "X-Serverless-Authorization, of which proxies know nothing.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_TEXT, .from = "Bearer of-the-proxy"},
                    .serverless = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .learned = "That one alone counts when it is there.",
    },
};

const lesson lessons_more[] = {
    {.name = "self-signed",
     .title = "A JWT that the account signed itself",
     .story = "A script on a developer's machine has a key file of frontend-sa, which may invoke "
              "backend-api.",
     .doc = "https://cloud.google.com/docs/authentication/get-id-token",
     LESSON_STEPS(self_signed)},
    {.name = "reserved-path",
     .title = "/healthz never arrives",
     .story = "A monitor probes backend-api at /healthz, as it does everything else.",
     .doc = RUN_DOCS "known-issues",
     LESSON_STEPS(reserved_path)},
    {.name = "sent-twice",
     .title = "One header too many",
     .story =
         "Between frontend and backend-api there is now a proxy, which has a credential of its "
         "own.",
     .doc = RUN_DOCS "troubleshooting#401",
     LESSON_STEPS(sent_twice)},
    {.name = NULL},
};
