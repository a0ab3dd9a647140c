/* Services between requests and the state: found there or in the topology's file, changed, taken
 * away. What both versions of the Cloud Run Admin API share. */
#ifndef CONTROL_RUN_STORE_H
#define CONTROL_RUN_STORE_H

#include "control/api.h"
#include "control/run_model.h"

/* A service as it is now, or as it is about to be; zero-initialise. */
typedef struct run_subject {
    json_t *entry;
    char *name, *url;
    run_view view; /* of the above; valid until the next commit */
} run_subject;
void run_subject_free(run_subject *s);
#define auto_subject AUTO(run_subject_free)

/* false: there is none of that name in force. */
bool run_find(const api_call *c, const char *name, run_subject *out);
/* Is that the project's region? "" and "-" are any. */
bool run_region_fits(const api_call *c, const char *region);
/* As run_find, but also answers: 404 where project, region or service are not there. */
bool run_require(api_call *c, const char *of_project, const char *region, const char *name,
                 run_subject *out);
/* The 404 that gcloud knows. kind: "SERVICE", "REVISION". */
void run_not_found(api_call *c, const char *kind, const char *name, const char *region);

/* What the service becomes when this Knative Service is sent; before is NULL for a new one. false:
 * answered with what is wrong with it (fields by the name that `field_of` gives them; NULL: as in
 * the Knative Service). */
typedef void run_field_name(const char *knative, buf *out);
bool run_prepare(api_call *c, const char *name, const json_t *wanted, const run_subject *before,
                 run_field_name *field_of, run_subject *out);

/* Makes it so; the answer (stolen) goes out. created: as a new service, nobody's yet. */
void run_commit(api_call *c, const run_subject *s, bool created, json_t *reply);
/* Deletes it with its policy; the answer (stolen) goes out. */
void run_remove(api_call *c, const char *name, json_t *reply);
/* The entry without that revision, for run_rewrite. NULL: answered, because it is in use. */
json_t *run_entry_without(api_call *c, const run_subject *s, const char *revision);
/* Another entry (stolen) for the same service. */
void run_rewrite(api_call *c, const char *name, json_t *entry, json_t *reply);

/* ---- pages ---- */
/* Which of `total` items are asked for, by the query parameters that are named so; without a size
 * `otherwise` of them; "" as *out_next is the last page. false: answered. */
typedef struct run_page {
    size_t from, to;
    char next[24];
} run_page;
bool run_page_of(api_call *c, const char *size_name, const char *token_name, size_t otherwise,
                 size_t total, run_page *out);

/* A boolean query parameter; false: answered. */
bool run_query_flag(api_call *c, const char *name, bool *out);

#endif
