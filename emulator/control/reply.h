/* Answers of the control listener: JSON, and errors in the shape of Google's APIs. */
#ifndef CONTROL_REPLY_H
#define CONTROL_REPLY_H

#include "http/server.h"

void reply_json(http_request *r, unsigned status, span body);

/* {"error":{"code":404,"message":"…","status":"NOT_FOUND"}}; allow (nullable) goes with a 405. */
void reply_error(http_request *r, unsigned code, const char *allow, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Can a foreign web page have caused this request? A name that an attacker's DNS may point at this
 * machine is no proof of anything: only addresses, localhost and names without a dot are let in. */
bool host_is_ours(span host);

#endif
