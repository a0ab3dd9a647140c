/* Turns the outcome of a call to another service into an answer for one's own caller. */
#ifndef COMMON_RELAY_H
#define COMMON_RELAY_H

#include "service.h"
#include "service_call.h"

/* Runs the call. True: the other program answered by itself, with JSON and no 5xx. False: it could
 * not be asked, or it (or Cloud Run in front of it) refused; then *out_refusal is the 502 with the
 * reason, which has been logged. */
bool relay_call(const char *name, const service_call *call, const request *r, answer *out_answer,
                reply *out_refusal);

/* The other program's answer as it is. Takes the body out of a. */
reply relay_reply(answer *a);

/* Writes why an answer refused, as plain printable text. */
void relay_reason(const answer *a, char *out, size_t out_size);

#endif
