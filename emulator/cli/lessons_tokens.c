/* Lessons 1 to 4: the token itself. What they say stands in "Authenticating service-to-service",
 * "Custom audiences" and "Troubleshoot Cloud Run" of Cloud Run's docs. */
#include "cli/lesson.h"

#define RUN_DOCS "https://cloud.google.com/run/docs/"

/* ---- 1 ---- */

static const lesson_step no_token[] = {
    {
        .story = "A browser sends no Authorization header.",
        .request = {.to = "backend-api"},
        .expected = REASON_NO_CREDENTIAL,
        .choices = {{401, REASON_NO_CREDENTIAL, "there is no token; please log in"},
                    {403, REASON_NO_CREDENTIAL, "there is no token"},
                    {403, REASON_NO_GRANT, "you may not invoke the service"},
                    {404, REASON_INGRESS_BLOCKED, "private services are hidden"}},
        .learned = "HTTP would say 401 to somebody who shows no credential. Cloud Run says 403, "
                   "without WWW-Authenticate, so no browser or client learns that a token is all "
                   "that is missing. 401 is for tokens that cannot be verified.",
    },
    {
        .story = "frontend runs as frontend-sa, which holds roles/run.invoker on backend-api. Its "
                 "metadata server gives it an ID token made for backend-api's URL.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .learned = "That is all it takes: an ID token, of an account that may, made for this "
                   "service.",
    },
};

/* ---- 2 ---- */

static const lesson_step access_token[] = {
    {
        .story = "The code asks its metadata server for .../default/token, as for any other Google "
                 "API, and sends what it gets.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_ACCESS, .from = "frontend"}},
        .expected = REASON_ACCESS_TOKEN,
        .choices = {{200, REASON_GRANTED, "frontend-sa holds roles/run.invoker"},
                    {403, REASON_NO_GRANT, "the token lacks the scope for Cloud Run"},
                    {403, REASON_ACCESS_TOKEN, "an access token opens Google's APIs only"},
                    {401, REASON_ACCESS_TOKEN,
                     "an access token cannot be verified as an ID token"}},
        .learned =
            "The challenge and the log speak of \"the access token\" whatever was sent, also "
            "of an ID token, which sends people looking in the wrong place. Cloud Run takes "
            "ID tokens only: JWTs that Google signed, for one audience. ya29.... is an OAuth "
            "access token, for Google's own APIs; with it any service you call could act as "
            "you there.",
    },
    {
        .story = "One path segment further, with an audience, there are ID tokens: .../default/"
                 "identity?audience=URL. In Google's libraries: fetch_id_token (Python), "
                 "getIdTokenClient (Node.js), idtoken.NewClient (Go), IdTokenCredentials (Java).",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .gcloud = "  gcloud auth print-identity-token      # not: print-access-token",
    },
};

/* ---- 3 ---- */

#define FOR(url)                                                                                   \
    {                                                                                              \
        .kind = CARRIED_IDENTITY, .from = "frontend", .audience = (url)                            \
    }

static const lesson_step wrong_audience[] = {
    {
        .story = "A queue of tasks calls https://.../tasks/run, and its library takes that whole "
                 "URL as the audience.",
        .request = {.to = "backend-api",
                    .path = "/tasks/run",
                    .authorization = FOR("{backend-api}/tasks/run")},
        .expected = REASON_GRANTED,
        .choices = {{401, REASON_WRONG_AUDIENCE, "the audience has to be the service's URL"},
                    {200, REASON_GRANTED, "a path behind the service's URL does no harm"},
                    {403, REASON_WRONG_AUDIENCE, "the audience has to be the service's URL"}},
        .learned =
            "A path, and a slash at the end, are tolerated: Cloud Tasks' default audience is "
            "the target's whole URL. The next task has a parameter in its URL.",
    },
    {
        .story = "/tasks/run?job=7, and again the whole URL is the audience.",
        .request = {.to = "backend-api",
                    .path = "/tasks/run?job=7",
                    .authorization = FOR("{backend-api}/tasks/run?job=7")},
        .expected = REASON_WRONG_AUDIENCE,
        .choices = {{200, REASON_GRANTED, "what is behind the service's URL does no harm"},
                    {403, REASON_NO_GRANT, "the job is not frontend's"},
                    {401, REASON_WRONG_AUDIENCE, "a query is no part of an audience"}},
        .learned = "Set the audience yourself instead of having it derived: in Cloud Tasks "
                   "oidcToken.audience, in Pub/Sub pushConfig.oidcToken.audience.",
    },
    {
        .story = "api.example.com is mapped to the service: the developer calls it by that name, "
                 "and asks for a token for that name.",
        .request = {.to = "backend-api",
                    .host = "api.example.com",
                    .authorization = FOR("https://api.example.com")},
        .expected = REASON_WRONG_AUDIENCE,
        .choices = {{200, REASON_GRANTED, "the domain is mapped, so Cloud Run knows it"},
                    {401, REASON_WRONG_AUDIENCE, "a domain is no audience just by being mapped"},
                    {404, REASON_UNKNOWN_HOST, "a private service has its run.app name only"}},
        .learned =
            "Neither custom domains nor hosts of load balancers are audiences. Ask for the "
            "run.app URL whatever the host you call, or list the domain as a custom audience.",
    },
    {
        .story = "List it, exactly as tokens will have it.",
        .edit = {"custom_audiences: []", "custom_audiences: [\"https://api.example.com\"]"},
        .request = {.to = "backend-api",
                    .host = "api.example.com",
                    .authorization = FOR("https://api.example.com")},
        .expected = REASON_GRANTED,
        .learned = "The URLs of run.app stay accepted beside it.",
    },
    {
        .story =
            "The revision tagged 'green' is called by its tag's URL, with a token for that URL.",
        .request = {.to = "backend-api",
                    .authorization =
                        FOR("https://green---backend-api-123456789012.us-central1.run.app")},
        .expected = REASON_WRONG_AUDIENCE,
        .choices = {{401, REASON_WRONG_AUDIENCE, "a tag's URL is no audience"},
                    {200, REASON_GRANTED, "the tag's URL is a URL of the service"},
                    {404, REASON_UNKNOWN_HOST, "there is no such revision"}},
        .learned = "Call a tag's URL with a token for the service's own.",
    },
    {
        .story = "In all four cases the service's own URL does.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
    },
};

/* ---- 4 ---- */

static const lesson_step expired[] = {
    {
        .story = "This morning all was well. It is afternoon, and frontend still sends the token "
                 "that it fetched at its start.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_MINTED,
                                      .from = "frontend-sa",
                                      .options = {"--expired"}}},
        .expected = REASON_EXPIRED,
        .choices = {{403, REASON_EXPIRED, "the token has expired"},
                    {401, REASON_EXPIRED, "the token has expired"},
                    {401, REASON_UNKNOWN_KEY, "Google changed its keys meanwhile"},
                    {403, REASON_NO_GRANT, "somebody took the role away"}},
        .learned = "An ID token lives for an hour. The challenge does not say that it has expired: "
                   "to Cloud Run's caller, one that cannot be verified is like any other.",
    },
    {
        .story = "Ask the metadata server each time, or a library that does: they cache, and fetch "
                 "a new one in time.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
    },
};

const lesson lessons_tokens[] = {
    {.name = "no-token",
     .title = "No token: 403, not 401",
     .story =
         "backend-api was deployed with --no-allow-unauthenticated. Its developer opens its URL "
         "in a browser, to see whether it works.",
     .doc = RUN_DOCS "authenticating/service-to-service",
     LESSON_STEPS(no_token)},
    {.name = "access-token",
     .title = "An access token instead of an ID token",
     .story =
         "frontend-sa holds roles/run.invoker on backend-api, and frontend's code sends a fresh "
         "token of it.",
     .doc = RUN_DOCS "troubleshooting#401",
     LESSON_STEPS(access_token)},
    {.name = "wrong-audience",
     .title = "The audience: path, query, custom domain, tag",
     .story = "A token is made for one audience. Four developers each had a good idea which.",
     .doc = RUN_DOCS "configuring/custom-audiences",
     LESSON_STEPS(wrong_audience)},
    {.name = "expired",
     .title = "A token that was kept for too long",
     .story = "frontend fetches its token once, when it starts, to save the time.",
     .doc = RUN_DOCS "troubleshooting#401",
     LESSON_STEPS(expired)},
    {.name = NULL},
};
