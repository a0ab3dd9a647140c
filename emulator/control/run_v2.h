/* Between Knative objects and those of google.cloud.run.v2 (the API's reference, "Service",
 * "Revision"). Pure. */
#ifndef CONTROL_RUN_V2_H
#define CONTROL_RUN_V2_H

#include "base/buf.h"
#include "control/run_model.h"

#define V2_SERVICE_TYPE  "type.googleapis.com/google.cloud.run.v2.Service"
#define V2_REVISION_TYPE "type.googleapis.com/google.cloud.run.v2.Revision"

/* google.cloud.run.v2.Service and .Revision; the caller owns them. */
json_t *run_v2_service(const run_view *v);
json_t *run_v2_revision(const run_view *v, const json_t *stored);

/* The Knative Service that a v2 Service asks for; the caller owns it. before (nullable) is the
 * entry whose annotations that v2 has no fields for stay. Appends to violations what v2 does not
 * know or what has the wrong type. */
json_t *run_v2_to_knative(const json_t *v2, const char *name, const json_t *before,
                          json_t *violations);

/* The v2 Service `now` with what the mask ("description,template.containers"; empty or "*": all
 * that can be set) names taken from `sent`; the caller owns it. NULL: *out_bad is the path that no
 * Service has. */
json_t *run_v2_patched(const json_t *now, const json_t *sent, span mask, span *out_bad);

/* The fields of google.cloud.run.v2.Service, NULL at the end. */
extern const char *const run_v2_service_names[];

/* "spec.template.spec.containers[0].env" → "template.containers[0].env" */
void run_v2_field_of(const char *knative, buf *out);

/* An etag as v2 gives it: the resource version, quoted. Is `given` (quoted or not) that of the
 * entry? */
json_t *run_v2_etag(const json_t *entry);
bool run_v2_etag_fits(const json_t *entry, const char *given);

/* ---- fields that are annotations in Knative objects ---- */
typedef enum run_v2_kind { V2_TEXT, V2_INT, V2_BOOL, V2_JSON, V2_WORD } run_v2_kind;

typedef struct run_v2_word {
    const char *note, *word; /* "internal", "INGRESS_TRAFFIC_INTERNAL_ONLY" */
    int number;              /* the enum's, which may be sent for the word */
} run_v2_word;

typedef struct run_v2_field {
    const char *path; /* "ingress", "scaling.minInstanceCount"; NULL ends the table */
    const char *note; /* the annotation's name */
    run_v2_kind kind;
    json_type type;           /* of V2_JSON */
    const run_v2_word *words; /* of V2_WORD; a word that is NULL ends them */
} run_v2_field;

extern const run_v2_field run_v2_service_fields[], run_v2_template_fields[];

/* From annotations into a v2 object, and the other way (at: where the object stands). */
void run_v2_fields_write(const run_v2_field *table, const json_t *notes, json_t *v2);
void run_v2_fields_read(const run_v2_field *table, const json_t *v2, const char *at, json_t *notes,
                        json_t *violations);
/* Is this one of the annotations or labels that v2 keeps to itself? */
bool run_v2_is_system(const char *key);
/* Has the table this annotation? */
bool run_v2_has_note(const run_v2_field *table, const char *note);

#endif
