/* What the APIs changed, as one versioned JSON document beside the topology's file: the file stays
 * the user's, the document is ours. Kept in a folder (crash-safe: a change that was acknowledged is
 * there after a restart, half a change never is) or in memory only.
 *
 * The document is {"format":1,"serial":N} and these collections, each an object of entries by key:
 *
 * "services"  NAME → {"over":F, "deleted":true}                                  deleted by API
 *                  | {"over":F, "knative":{…}, "revisions":[…], "updated":RFC 3339, "listen":A,
 *                     "metadata":A, "upstream":A}: a Knative v1 Service with metadata and spec (no
 *                     status), its revisions (revision.h); the addresses are given out when it is
 *                     made (absent: as the topology says)
 * "accounts"  E-MAIL → {"over":F, "deleted":true, …} | {"over":F, "uniqueId":…, "displayName":…,
 *                     "description":…, "disabled":bool, "createTime":…, "keys":[{"id","publicKey"
 *                     (PEM, SubjectPublicKeyInfo),"validAfter","validBefore","disabled"}…]}
 * "policies"  "project" | "services/NAME" | "serviceAccounts/E-MAIL" → {"over":F, "etag":…,
 *                     "version":1|3, "bindings":[…as IAM's JSON…], "updated":RFC 3339, "by":E-MAIL}
 * "roles"     "projects/P/roles/R" → IAM's Role as JSON, "includedPermissions" among it
 * "deny"      ID → IAM v2's Policy as JSON
 * "apis"      NAME → {"enabled":bool}: what Service Usage was asked to enable or disable
 *
 * "settled" is the serial of the last commit that let all changes arrive (state_settle).
 *
 * F ("over") is the fingerprint of what the topology's file says of the same thing (fingerprint.h),
 * absent where it says nothing: when that part of the file changes, the entry no longer counts. */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

enum { STATE_DOCUMENT_MAX = 64 * 1024 * 1024 };

typedef struct state state;

/* dir: made (0700) when missing, NULL: in memory only. writer: locks the folder against a second
 * writer. durable: every commit is on the disk when it returns (fsync). NULL and *e: not readable,
 * not ours, written by a newer version, or another writer holds it. */
typedef struct state_options {
    const char *dir;
    bool writer, durable;
} state_options;
state *state_open(const state_options *o, error *e);
void state_close(state *s); /* NULL is fine */

/* The document in force; borrowed, valid until the next commit or refresh. Never NULL. */
json_t *state_document(const state *s);
/* Counts the commits. */
uint64_t state_serial(const state *s);
/* Its file, there or not yet; NULL: in memory only. */
const char *state_path(const state *s);
/* An entry, or NULL; borrowed. */
json_t *state_entry(const state *s, const char *collection, const char *key);
json_t *state_entry_in(const json_t *document, const char *collection, const char *key);
bool state_is_empty(const json_t *document); /* no entry at all */

/* ---- changing: a draft that shares what it does not change ---- */
/* The caller owns it (json_decref, or state_commit). */
json_t *state_draft(const state *s);
/* Sets (entry is stolen) or, with NULL, removes. Entries of a draft are never changed in place:
 * they may be shared with the document in force; change a json_deep_copy and set that. */
void state_set(json_t *draft, const char *collection, const char *key, json_t *entry);
/* Everything that still propagates (changes of the file, too) has arrived, for every process, when
 * the draft is committed. */
void state_settle(json_t *draft);
/* The serial of the last document that was settled; 0: none was. */
uint64_t state_settled(const json_t *document);
/* Takes the draft (stolen) as the next document, on disk first. false: nothing changed. */
bool state_commit(state *s, json_t *draft, error *e);

/* ---- back to what state_open found ---- */
bool state_is_as_opened(const state *s);
/* A draft of that; the caller owns it. */
json_t *state_draft_as_opened(const state *s);

/* For readers: looks whether the writer has written since; *out_changed. An unreadable file leaves
 * the former document in force. */
bool state_refresh(state *s, bool *out_changed, error *e);

#endif
