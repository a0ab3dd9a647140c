/* Answers of the control listener: JSON, and errors in the shape of Google's APIs. */
#ifndef CONTROL_REPLY_H
#define CONTROL_REPLY_H

#include "http/server.h"

#define REPLY_JSON_TYPE "application/json; charset=UTF-8"

void reply_json(http_request *r, unsigned status, span body);

/* {"error":{"code":404,"message":"…","status":"NOT_FOUND"}}; allow (nullable) goes with a 405. */
void reply_error(http_request *r, unsigned code, const char *allow, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* One of google.rpc.Code's names as it goes with an HTTP status of its own. */
const char *error_status(unsigned code);
/* Appends such an error; details is the text of a JSON array, or empty. */
void error_body(unsigned code, const char *status, span message, span details, buf *out);
/* The answer with one field more (its name may be NULL). */
void reply_error_body(http_request *r, unsigned code, http_field more, span body);

/* Can a foreign web page have caused this request? A name that an attacker's DNS may point at this
 * machine is no proof of anything: only addresses, localhost, names without a dot and the metadata
 * server's own are let in. */
bool host_is_ours(span host);

/* A browser says that a page of another origin has caused this request (Origin; Sec-Fetch-Site of
 * "Fetch Metadata Request Headers", W3C). Following a link is no harm. */
bool is_cross_site(const http_request *r);
bool origin_is_foreign(span origin, span host);

#endif
