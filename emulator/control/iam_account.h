/* Service accounts as IAM v1 shows them, and their entries in the state. Private to iam_*.c. */
#ifndef CONTROL_IAM_ACCOUNT_H
#define CONTROL_IAM_ACCOUNT_H

#include "control/api.h"

enum { ACCOUNT_KEY_TEXT = 512 };

/* The account that the path names by e-mail or unique id (params 0: project, 1: account). NULL:
 * answered. */
const account *iam_account_of(api_call *c);

/* As IAM v1's ServiceAccount; a new reference. */
json_t *iam_account_json(const api_call *c, const account *a);
/* An account that is being changed, from its entry; deleted ones too. */
json_t *iam_account_json_of(const api_call *c, const char *email, const json_t *entry);

/* A copy of the account's entry in the state, or a new one that says what the file says: to be
 * changed, and put back with iam_account_put. */
json_t *iam_account_entry(const api_call *c, const account *a);

/* entry is stolen. */
void iam_account_put(const api_call *c, json_t *draft, const char *email, json_t *entry);

/* Commits a draft in which only this entry (stolen) differs. */
void iam_account_commit(api_call *c, const char *email, json_t *entry, json_t *reply);

/* "serviceAccounts/E-MAIL": the resource of its policy. */
void iam_account_resource(const char *email, char out[ACCOUNT_KEY_TEXT]);

/* Which page of a list the query asks for: the items [from, to) of total, and the token of the next
 * page ("": none). false: answered. */
typedef struct iam_page {
    size_t from, to;
    char next[24];
} iam_page;
bool iam_page_of(api_call *c, size_t otherwise, size_t most, size_t total, iam_page *out);
/* Reads an optional member that must be text of at most `most` bytes; *out is NULL when absent.
 * false: answered. */
bool iam_text(api_call *c, const json_t *object, const char *key, size_t most, const char **out);

/* Is the field named in an update mask ("displayName,description"; also in snake case)? */
bool iam_mask_has(span mask, const char *camel, const char *snake);

#endif
