/* Services as the Knative v1 API shows them. An entry is what is kept of a service: {"knative":
 * {metadata, spec}, "revisions":[{metadata, spec}…], oldest first, "updated": RFC 3339}; the rest
 * (status, URLs, links) is derived from it here. Pure. */
#ifndef CONTROL_RUN_MODEL_H
#define CONTROL_RUN_MODEL_H

#include <jansson.h>

#include "policy/snapshot.h"
#include "state/revision.h"

#define RUN_INGRESS      "run.googleapis.com/ingress"
#define RUN_URLS         "run.googleapis.com/urls"
#define RUN_LOCATION     "cloud.googleapis.com/location"
#define RUN_CREATOR      "serving.knative.dev/creator"
#define RUN_MODIFIER     "serving.knative.dev/lastModifier"
#define RUN_GENERATION   "serving.knative.dev/configurationGeneration"
#define RUN_AUDIENCES    "run.googleapis.com/custom-audiences"
#define RUN_IAM_DISABLED "run.googleapis.com/invoker-iam-disabled"
#define RUN_URL_DISABLED "run.googleapis.com/default-url-disabled"
#define RUN_MAX_SCALE    "autoscaling.knative.dev/maxScale"

typedef struct run_view {
    const project *project;
    const char *name;
    const char *url;     /* where it can be called here */
    const json_t *entry; /* an entry that is no tombstone */
} run_view;

/* The entry of a service as the topology's file has it; the caller owns it. version: its resource
 * version; updated_us: since when the file is as it is. */
json_t *run_entry_of_file(const snapshot *s, const service *svc, const char *version,
                          int64_t updated_us);

/* kind: Service. The caller owns it. */
json_t *run_service_object(const run_view *v);
/* kind: Revision; stored is one of the entry's. The caller owns it. */
json_t *run_revision_object(const run_view *v, const json_t *stored);

/* All URLs of the service, the one that works here first; the caller owns the array. */
json_t *run_urls(const run_view *v);
/* A UUID from a name (RFC 4122 §4.3 in form, not in hash): the same wherever it is asked for. */
enum { RUN_UUID_TEXT = 37 };
void run_uuid(const char *kind, const char *name, const char *made, char out[RUN_UUID_TEXT]);

/* Fills in what a template does not say and leaves out what says nothing, so that two templates
 * that mean the same are equal; template is changed. */
void run_template_complete(const project *p, const char *name, json_t *template);

#endif
