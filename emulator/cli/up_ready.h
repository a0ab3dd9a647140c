/* What `up` says on stdout once everything answers. */
#ifndef CLI_UP_READY_H
#define CLI_UP_READY_H

#include "base/buf.h"
#include "cli/up_env.h"

enum { UP_READY_MAX = 4 * 1024 * 1024 };

/* The one line of `up --json`, without newline:
 * {"ready":true,"control":URL,"ingress":ADDR,"metadata":ADDR,"certs_v1":URL,"certs_v3":URL,
 *  "ca":PATH,"ca_bundle":PATH,"state":DIR,"services":{NAME:{"url","metadata","upstream","service_account"},…}}.
 * What there is not is null.
 */
void up_ready_json(buf *out, const snapshot *s, const trust_files *trust, const char *state_dir);

/* The same for people. state_dir NULL: what APIs change is not kept. */
void up_ready_text(buf *out, const snapshot *s, const char *state_dir, bool colour);

#endif
