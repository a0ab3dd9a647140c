/* IAM policies as the APIs of Cloud Run, IAM and Resource Manager all show and take them. A
 * resource is named as in the state: "project", "services/NAME", "serviceAccounts/E-MAIL"; whether
 * it exists is the caller's business. */
#ifndef CONTROL_IAM_POLICY_H
#define CONTROL_IAM_POLICY_H

#include "control/api.h"

/* The policy in force, a new reference: what was set by API if that counts, else what the file
 * says. Members whose account is gone are shown as IAM shows them. {"etag":"ACAB"} when empty. */
json_t *iam_policy_of(const api_call *c, const char *on);

/* ---- whole methods; they answer ---- */
/* requestedPolicyVersion is checked in the query and in the body ("options"). */
void iam_policy_serve_get(api_call *c, const char *on);
/* The body is {"policy":{…},"updateMask":"…"}. */
void iam_policy_serve_set(api_call *c, const char *on);
/* The body is {"permissions":[…]}. */
void iam_policy_serve_test(api_call *c, const char *on);

/* The etag that a request gives (nullable: none) against the one in force; of: "policy", "role", …,
 * for the refusal. Answers and returns false when they differ. */
bool iam_etag_fits(api_call *c, const char *of, const json_t *given, const char *in_force);

/* ---- for those who write policies into a draft themselves ---- */
/* The entry of the state for a policy that is complete ("bindings", "etag", "version"); a new
 * reference. */
json_t *iam_policy_entry(const api_call *c, const char *on, const json_t *policy);

/* In every policy, who (such as "serviceAccount:E") becomes another ("deleted:…"), in the draft;
 * policies of the file are taken over into it where they name it. */
void iam_policy_rename_member(const api_call *c, json_t *draft, const char *who,
                              const char *becomes);

#endif
