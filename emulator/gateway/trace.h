/* Request identities: trace context in both spellings (X-Cloud-Trace-Context, W3C traceparent),
 * span ids, insert ids. */
#ifndef GATEWAY_TRACE_H
#define GATEWAY_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* A stream of 64-bit numbers that no other stream has, from a random start; names, not secrets. One
 * thread's. */
typedef struct ids {
    uint64_t state[4];
} ids;
ids ids_new(void);
uint64_t ids_next(ids *i);

/* n lower-case hexadecimal digits (at most 16) of value, no NUL. */
void ids_hex(char *out, size_t n, uint64_t value);

enum { TRACE_ID_LEN = 32 };

typedef struct trace {
    char id[TRACE_ID_LEN + 1];
    uint64_t span_id; /* this hop's, new for each request */
    bool sampled;
    bool continues_parent; /* the caller's traceparent is of this trace: its tracestate goes on */
} trace;

/* Keeps the caller's trace (X-Cloud-Trace-Context first, then traceparent) where it is well-formed,
 * else starts one. A field that came more than once is none: empty. */
void trace_begin(trace *t, ids *i, span cloud, span parent);

enum { TRACE_TEXT_MAX = 64 };
/* Each writes a field's value into out and returns it. */
span trace_cloud(const trace *t, char out[TRACE_TEXT_MAX]);    /* ID/SPAN;o=0, to the service */
span trace_parent(const trace *t, char out[TRACE_TEXT_MAX]);   /* 00-ID-SPAN-00, to the service */
span trace_response(const trace *t, char out[TRACE_TEXT_MAX]); /* ID or ID;o=1, to the caller */

#endif
