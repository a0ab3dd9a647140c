/* Server-sent events as they come off a socket (HTML Living Standard, "Server-sent events"). */
#ifndef CLI_SSE_H
#define CLI_SSE_H

#include "base/buf.h"

enum { SSE_LINE_MAX = 4 * 1024 * 1024 };

/* Views, valid during the call only. id: the last one that the stream gave; type: "message" when
 * the event does not say; data: its lines joined by '\n'. */
typedef struct sse_event {
    span id, type, data;
} sse_event;

typedef struct sse {
    buf line, id, type, data;
    bool after_cr; /* a line ended with CR: a LF right behind it belongs to that */
    bool stopped;
} sse;

void sse_init(sse *s);
void sse_free(sse *s);

/* Calls event(ctx, …) for each that is complete; it returns false to have no more. false: it did,
 * or a line or event is too long. */
bool sse_feed(sse *s, span bytes, bool (*event)(void *ctx, const sse_event *e), void *ctx);

#endif
