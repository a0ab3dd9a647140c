/* What the files of export_gcloud share. */
#ifndef CLI_EXPORT_GCLOUD_H
#define CLI_EXPORT_GCLOUD_H

#include "cli/export.h"

/* One word of a shell's command line. */
void shell_put(buf *b, const char *text);
/* " --OPTION=VALUE" */
void shell_put_option(buf *b, const char *option, const char *value);
/* "# TEXT", on one line. */
void shell_put_comment(buf *b, const char *text);

/* " --project=P --region=R" */
void gcloud_put_place(const export_job *j);

/* export_gcloud_grants.c */
void export_gcloud_grants(const export_job *j);
void export_gcloud_denies(const export_job *j);

/* What the policy of a deny rule is called; and is rule i the first of its policy? */
const char *export_deny_policy(const deny_rule *r);
bool export_is_first_rule(const snapshot *s, size_t i);

#endif
