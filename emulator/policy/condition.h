/* IAM conditions: a title, and a CEL expression over request.time and the resource ("Overview of
 * IAM Conditions"; which attributes Cloud Run offers: "Attribute reference"). */
#ifndef POLICY_CONDITION_H
#define POLICY_CONDITION_H

#include "cel/cel.h"
#include "policy/member.h"

typedef struct condition_text {
    const char *title, *description, *expression; /* description may be NULL */
} condition_text;

/* Bytes of the texts, and && || ! in one expression (IAM docs, "Quotas and limits"). */
enum {
    CONDITION_TITLE_MAX = 100,
    CONDITION_DESCRIPTION_MAX = 256,
    CONDITION_LOGICAL_OPERATORS_MAX = 12
};

typedef struct condition condition;

/* NULL and *out: see cel_compile; line 0 when it is not the expression: a missing title, texts that
 * are too long. Texts are copied. */
condition *condition_new(const condition_text *text, cel_problem *out);
void condition_free(condition *c); /* NULL is fine */
const condition_text *condition_get(const condition *c);

/* May a binding of this role, or with this member, carry a condition at all? NULL: yes; else a
 * sentence without a period that says why not and what to do. */
const char *condition_refused_role(span role);
const char *condition_refused_member(const member *m);

/* What a condition can look at. */
typedef struct condition_facts {
    int64_t now_us;
    const char *resource_name;    /* "projects/P/locations/L/services/S" */
    const char *resource_service; /* "run.googleapis.com" */
    const char *resource_type;    /* "run.googleapis.com/Service" */
} condition_facts;

/* false too when the evaluation fails. Any thread. */
bool condition_holds(const condition *c, const condition_facts *f);

#endif
