/* Walking and building JSON documents, those of the Cloud Run Admin API above all. Paths are member
 * names joined by dots ("spec.template.metadata"); names of annotations, which hold dots, are given
 * by themselves.
 */
#ifndef CONTROL_RUN_JSON_H
#define CONTROL_RUN_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/span.h"

/* What is there, borrowed; NULL when something on the way is missing or no object. */
json_t *run_at(const json_t *o, const char *path);
/* The same as text or number; NULL or `otherwise` when it is none. */
const char *run_text(const json_t *o, const char *path);
int64_t run_int(const json_t *o, const char *path, int64_t otherwise);
/* A member's text of the object at the path: run_member(o, "metadata.labels", "my.label/a"). */
const char *run_member(const json_t *o, const char *path, const char *name);

/* The object there, borrowed; made when missing (what is no object on the way is replaced). */
json_t *run_make(json_t *o, const char *path);
/* The value is stolen; NULL leaves the member out, and what is no object stays as it is. Aborts
 * when memory is gone. */
void run_set(json_t *o, const char *name, json_t *value);
/* A copy of the text, in which bytes that are not UTF-8 become U+FFFD. */
json_t *run_string(const char *text);
/* As run_set with such a copy; NULL leaves the member out. */
void run_set_text(json_t *o, const char *name, const char *text);
/* Sets what is missing only. */
void run_default(json_t *o, const char *name, json_t *value);
/* Steals the value. */
void run_push(json_t *array, json_t *value);
/* A deep copy, of {} when o is NULL or no object. */
json_t *run_copy(const json_t *o);

/* "true" in any case: annotations come as "True" from gcloud and as "true" from people. */
bool run_is_true(const char *text);

#endif
