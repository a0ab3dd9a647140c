/* The response's half of a call; for h1_call.c only. */
#ifndef PROXY_H1_RESPONSE_H
#define PROXY_H1_RESPONSE_H

#include "proxy/h1_call.h"

/* Receives towards the response head (H1_CALL_WAITING). */
void h1_response_progress(h1_call *c);

/* The connection is gone: retries or fails (h1_call.c). */
void h1_call_lost(h1_call *c, proxy_failure f, const char *why);

#endif
