/* Lessons 13 to 17: who is let in besides, and who no longer. "Cloud Run IAM roles"
 * (https://cloud.google.com/run/docs/reference/iam/roles), "IAM Conditions" and "Deny policies" of
 * IAM's docs. */
#include "cli/lesson.h"

#define RUN_DOCS "https://cloud.google.com/run/docs/"
#define IAM_DOCS "https://cloud.google.com/iam/docs/"
#define EMAIL    "frontend-sa@my-project.iam.gserviceaccount.com"
#define FORGED(...)                                                                                \
    {                                                                                              \
        .kind = CARRIED_MINTED, .from = "frontend-sa", .options = { __VA_ARGS__ }                  \
    }

/* ---- 13 ---- */

static const lesson_step project_editor[] = {
    {
        .story = "The job 'ci' builds images. Its account, ci-sa, has roles/editor on the project, "
                 "from the days when everything had. It calls backend-api.",
        .request = {.to = "backend-api", .authorization = {.kind = CARRIED_IDENTITY, .from = "ci"}},
        .expected = REASON_GRANTED,
        .choices = {{403, REASON_NO_GRANT, "only roles/run.invoker lets one invoke"},
                    {403, REASON_DENIED, "the project's roles do not reach into services"},
                    {200, REASON_GRANTED, "roles/editor holds run.routes.invoke, too"},
                    {401, REASON_NO_GRANT, "nobody was granted anything on backend-api"}},
        .learned =
            "What is checked is the permission run.routes.invoke, on the service or inherited "
            "from its project, folder or organization. roles/run.invoker and "
            "run.servicesInvoker have it, and so have owner, editor, run.admin, "
            "run.developer, run.editor and run.sourceDeveloper. get-iam-policy of the "
            "service shows nothing of it.",
    },
    {
        .story = "report-sa has roles/viewer on the project.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "report"}},
        .expected = REASON_NO_GRANT,
        .choices = {{200, REASON_GRANTED, "to view is to call"},
                    {403, REASON_NO_GRANT, "roles/viewer lacks run.routes.invoke"},
                    {401, REASON_NO_GRANT, "roles/viewer lacks run.routes.invoke"}},
        .learned = "viewer, run.viewer and cloudfunctions.invoker do not have it.",
    },
    {
        .story = "Give ci-sa what it needs, and no more.",
        .edit = {"role: roles/editor", "role: roles/artifactregistry.writer"},
        .request = {.to = "backend-api", .authorization = {.kind = CARRIED_IDENTITY, .from = "ci"}},
        .expected = REASON_NO_GRANT,
        .learned = "Now backend-api is as private as it looked.",
        .gcloud = "  gcloud projects remove-iam-policy-binding my-project \\\n"
                  "    --member=serviceAccount:ci-sa@my-project.iam.gserviceaccount.com \\\n"
                  "    --role=roles/editor",
        .terraform = "  Delete the google_project_iam_member with roles/editor.",
    },
};

/* ---- 14 ---- */

static const lesson_step condition[] = {
    {
        .story = "It is long past that day. The binding is still there, with its role and member.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_CONDITION_NOT_MET,
        .choices = {{401, REASON_EXPIRED, "the token has expired"},
                    {403, REASON_CONDITION_NOT_MET, "the grant's condition is not met"},
                    {401, REASON_CONDITION_NOT_MET, "the grant's condition is not met"},
                    {200, REASON_GRANTED, "conditions hold for the console only"}},
        .learned =
            "A binding whose condition is false, or cannot be evaluated, grants nothing: it "
            "looks like no role at all. Lists of members do not show conditions; look at the "
            "policy itself.",
    },
    {
        .story = "Prolong it.",
        .edit = {"2026-01-31T18:00:00Z", "{tomorrow}"},
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .gcloud = "  gcloud run services remove-iam-policy-binding backend-api \\\n"
                  "    --region=us-central1 \\\n"
                  "    --member=serviceAccount:" EMAIL " \\\n"
                  "    --role=roles/run.invoker --all\n"
                  "  gcloud run services add-iam-policy-binding backend-api \\\n"
                  "    --region=us-central1 \\\n"
                  "    --member=serviceAccount:" EMAIL " \\\n"
                  "    --role=roles/run.invoker \\\n"
                  "    --condition='title=trial,expression=request.time < timestamp(\"...\")'",
        .terraform = "  resource \"google_cloud_run_v2_service_iam_member\" \"trial\" {\n"
                     "    name     = \"backend-api\"\n"
                     "    location = \"us-central1\"\n"
                     "    role     = \"roles/run.invoker\"\n"
                     "    member   = \"serviceAccount:" EMAIL "\"\n"
                     "    condition {\n"
                     "      title      = \"trial\"\n"
                     "      expression = \"request.time < timestamp(\\\"...\\\")\"\n"
                     "    }\n"
                     "  }",
    },
};

/* ---- 15 ---- */

static const lesson_step forged[] = {
    {
        .story = "They write a token with frontend-sa's e-mail and the right audience. It says "
                 "\"alg\": \"none\", and has no signature.",
        .request = {.to = "backend-api", .authorization = FORGED("--unsigned")},
        .expected = REASON_BAD_ALG,
        .choices = {{200, REASON_GRANTED, "the claims are all right"},
                    {403, REASON_BAD_ALG, "nobody signed it"},
                    {401, REASON_BAD_ALG, "nobody signed it"},
                    {401, REASON_EXPIRED, "it has no end"}},
        .learned = "Claims count only under a signature, RS256, by one of Google's keys.",
    },
    {
        .story = "So they sign it, with a key of their own.",
        .request = {.to = "backend-api", .authorization = FORGED("--foreign-key")},
        .expected = REASON_UNKNOWN_KEY,
        .choices = {{401, REASON_UNKNOWN_KEY, "Google does not publish that key"},
                    {403, REASON_UNKNOWN_KEY, "Google does not publish that key"},
                    {401, REASON_BAD_ALG, "nobody signed it"},
                    {200, REASON_GRANTED, "it is signed"}},
        .learned = "Google's public keys are at https://www.googleapis.com/oauth2/v3/certs; the "
                   "token's kid has to be one of them.",
    },
    {
        .story = "They name one of Google's keys in it, and sign with their own.",
        .request = {.to = "backend-api", .authorization = FORGED("--foreign-key-same-kid")},
        .expected = REASON_BAD_SIGNATURE,
        .learned = "That key did not make this signature.",
    },
    {
        .story = "They find an old token of frontend's in a log, and move its end.",
        .request = {.to = "backend-api", .authorization = FORGED("--tampered")},
        .expected = REASON_BAD_SIGNATURE,
        .learned = "The signature is over every byte of it. From outside, all four look the same: "
                   "401, \"could not be verified\".",
    },
    {
        .story = "The one who is frontend asks the metadata server.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
    },
};

/* ---- 16 ---- */

static const lesson_step deny_policy[] = {
    {
        .story = "frontend-sa holds roles/run.invoker on backend-api, as get-iam-policy shows.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_DENIED,
        .choices = {{200, REASON_GRANTED, "the service's own policy is nearer"},
                    {401, REASON_DENIED, "a deny policy comes before all grants"},
                    {403, REASON_NO_GRANT, "frontend-sa holds no role there"},
                    {403, REASON_DENIED, "a deny policy comes before all grants"}},
        .learned = "Deny policies come first, whatever is granted and wherever. They are documents "
                   "of their own: neither the service's nor the project's IAM policy shows them.",
    },
    {
        .story = "Except frontend-sa from it.",
        .edit = {"exceptionPrincipals: []",
                 "exceptionPrincipals: "
                 "[\"principal://iam.googleapis.com/projects/-/serviceAccounts/" EMAIL "\"]"},
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
        .gcloud = "  gcloud iam policies get POLICY --kind=denypolicies --attachment-point=\\\n"
                  "  cloudresourcemanager.googleapis.com/projects/my-project > deny.json\n"
                  "  gcloud iam policies update POLICY --kind=denypolicies --attachment-point=\\\n"
                  "  cloudresourcemanager.googleapis.com/projects/my-project \\\n"
                  "    --policy-file=deny.json",
    },
};

/* ---- 17 ---- */

static const lesson_step disabled_account[] = {
    {
        .story = "frontend still has a token that it fetched before; it has half an hour to live.",
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_MINTED, .from = "frontend-sa"}},
        .expected = REASON_ACCOUNT_DISABLED,
        .choices = {{401, REASON_ACCOUNT_DISABLED, "the account is disabled"},
                    {403, REASON_ACCOUNT_DISABLED, "the account is disabled"},
                    {200, REASON_GRANTED, "the token has not expired"},
                    {403, REASON_NO_GRANT, "its grants went with it"}},
        .learned =
            "A disabled account keeps its bindings and can do nothing with them; its metadata "
            "server gives no new tokens either. (Google documents that disabled accounts "
            "cannot authenticate; which status it is, Cloud Run's docs do not say.)",
    },
    {
        .story = "Enable it again.",
        .edit = {"frontend-sa: { disabled: true }", "frontend-sa: { disabled: false }"},
        .request = {.to = "backend-api",
                    .authorization = {.kind = CARRIED_IDENTITY, .from = "frontend"}},
        .expected = REASON_GRANTED,
    },
};

const lesson lessons_trust[] = {
    {.name = "project-editor",
     .title = "Editors of the project may invoke",
     .story = "backend-api is private, and nobody holds a role on it. Its developer concludes that "
              "nobody can call it.",
     .doc = RUN_DOCS "reference/iam/roles",
     LESSON_STEPS(project_editor)},
    {.name = "condition",
     .title = "A grant that has ended",
     .story = "For a trial, frontend-sa was granted roles/run.invoker on backend-api with the "
              "condition request.time < timestamp(\"2026-01-31T18:00:00Z\").",
     .doc = IAM_DOCS "conditions-overview",
     LESSON_STEPS(condition)},
    {.name = "forged",
     .title = "Forged tokens",
     .story = "Somebody would like to be frontend-sa, which may invoke backend-api.",
     .doc = RUN_DOCS "troubleshooting#401",
     LESSON_STEPS(forged)},
    {.name = "deny-policy",
     .title = "A deny policy",
     .story = "The project's administrators attached a deny policy: nobody may invoke anything but "
              "by exception.",
     .doc = IAM_DOCS "deny-overview",
     LESSON_STEPS(deny_policy)},
    {.name = "disabled-account",
     .title = "A service account that was disabled",
     .story = "An administrator, tidying up, disabled frontend-sa: its last key was years old.",
     .doc = IAM_DOCS "service-accounts-disable-enable",
     LESSON_STEPS(disabled_account)},
    {.name = NULL},
};
