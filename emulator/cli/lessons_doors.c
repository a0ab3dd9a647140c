/* Lessons 11 and 12: refused before anybody asked who is calling. "Restricting ingress" of Cloud
 * Run's docs; the Fetch standard's CORS protocol
 * (https://fetch.spec.whatwg.org/#http-cors-protocol), by which preflights carry no credentials. */
#include "cli/lesson.h"

#define RUN_DOCS "https://cloud.google.com/run/docs/"

/* ---- 11 ---- */

static const lesson_step internal[] = {
    {
        .story =
            "frontend calls its run.app URL, with a token of frontend-sa, which holds the role.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_INGRESS_BLOCKED,
        .choices = {{200, REASON_GRANTED, "both are in the same project"},
                    {403, REASON_INGRESS_BLOCKED, "the call comes from outside"},
                    {401, REASON_INGRESS_BLOCKED, "the call comes from outside"},
                    {404, REASON_INGRESS_BLOCKED, "the call comes from outside"}},
        .learned =
            "Ingress comes before IAM: the token was not looked at, the page is the one of a "
            "service that does not exist, and the service's log has no entry at all. A "
            "Cloud Run service is internal only when its traffic goes through the VPC; by "
            "default, it goes by the internet.",
    },
    {
        .story = "Either send frontend's traffic through the VPC, and leave backend-api internal; "
                 "or open its ingress, and leave it to IAM. Here, the latter.",
        .edit = {"ingress: internal", "ingress: all"},
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .learned =
            "Ingress and IAM are two layers: what passes the one still has to pass the other.",
    },
};

/* ---- 12 ---- */

#define PREFLIGHT                                                                                  \
    {                                                                                              \
        .to = "backend-api", .method = "OPTIONS", .path = "/items", .fields = {                    \
            "Origin: https://frontend.example.com",                                                \
            "Access-Control-Request-Method: GET",                                                  \
            "Access-Control-Request-Headers: authorization"                                        \
        }                                                                                          \
    }

static const lesson_step preflight[] = {
    {
        .story = "Before the browser sends a request with Authorization to another origin, it asks "
                 "whether it may: a preflight, which by the standard carries no credentials. The "
                 "application answers such questions properly.",
        .request = PREFLIGHT,
        .expected = REASON_NO_CREDENTIAL,
        .answer_lacks = "Access-Control-Allow-Origin",
        .choices = {{204, REASON_GRANTED, "the application allows it"},
                    {403, REASON_NO_CREDENTIAL, "the question carries no token"},
                    {401, REASON_NO_CREDENTIAL, "the question carries no token"},
                    {404, REASON_RESERVED_PATH, "OPTIONS is Cloud Run's own"}},
        .learned = "The application never saw it. The page has no Access-Control-Allow-Origin, so "
                   "the browser's console speaks of CORS, and no header that the application sets "
                   "will mend it. A browser cannot call a private service across origins, whatever "
                   "token it has.",
    },
    {
        .story = "Best, do not call it from the browser: frontend, which is public, takes the call "
                 "at its own origin and calls backend-api with its own token. Or let everybody in, "
                 "and verify users' tokens in the application. The latter:",
        .edit = {"frontend-sa: [backend-api]", "allUsers: [backend-api]"},
        .request = PREFLIGHT,
        .expected = REASON_PUBLIC,
        .answer_has = "Access-Control-Allow-Origin",
        .learned = "The application answers. From now on it alone decides who may do what.",
    },
};

const lesson lessons_doors[] = {
    {.name = "ingress",
     .title = "Internal ingress: 404, and no log",
     .story = "backend-api was deployed with --ingress=internal, for only frontend calls it.",
     .doc = RUN_DOCS "securing/ingress",
     LESSON_STEPS(internal)},
    {.name = "preflight",
     .title = "CORS: the preflight that is refused",
     .story =
         "A page at https://frontend.example.com calls backend-api, which is private, from the "
         "browser, with an ID token in Authorization.",
     .doc = "https://cloud.google.com/functions/docs/writing/write-http-functions#cors",
     LESSON_STEPS(preflight)},
    {.name = NULL},
};
