/* `invoker export`: a topology as text for something else. */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/grant_order.h"
#include "policy/snapshot.h"

enum { EXPORT_TEXT_MAX = 256 * 1024 * 1024 };

typedef struct export_source {
    const snapshot *s;
    const snapshot *base;   /* the file alone; NULL: s is not made from a file and a state */
    const json_t *document; /* the state over it; NULL: none */
    const char *title;      /* the first line, a comment */
} export_source;

/* A topology that loads as x->s again. What an API made or changed says so in a comment. */
void export_yaml(buf *b, const export_source *x);
/* A shell script of gcloud commands, for accounts, roles, policies and services' settings. */
void export_gcloud(buf *b, const export_source *x);
/* Configuration for Terraform's google provider: accounts, roles and grants. */
void export_terraform(buf *b, const export_source *x);

/* What the three print from. */
typedef struct export_job {
    const export_source *from;
    const snapshot *s;
    const grant_order *grants;
    buf *out;
} export_job;

/* export_yaml_policy.c: "policy:" with the bindings of that resource's policy, if there are any. */
void export_yaml_policy(const export_job *j, unsigned depth, const resource *r);
/* export_yaml_service.c: "services:". */
void export_yaml_services(const export_job *j);
/* export_yaml_people.c: accounts, users, groups. */
void export_yaml_accounts(const export_job *j);
void export_yaml_people(const export_job *j);
/* export_yaml_rest.c: roles, deny rules, images. */
void export_yaml_rest(const export_job *j);

/* The part of an account's e-mail before the @ when it is one of the project's own, that is, one
 * that `iam service-accounts create` makes there; else empty. */
span export_account_id(const snapshot *s, const char *email);

#endif
