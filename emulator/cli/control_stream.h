/* Reads an answer of the control listener that does not end: server-sent events. Blocking; for
 * commands, not daemons. */
#ifndef CLI_CONTROL_STREAM_H
#define CLI_CONTROL_STREAM_H

#include "base/error.h"
#include "cli/sse.h"

typedef enum stream_end {
    STREAM_UNREACHABLE, /* nobody answers; *e */
    STREAM_REFUSED,     /* an answer, but no stream; *e */
    STREAM_LOST,        /* it was there, and ended */
    STREAM_STOPPED      /* event() had enough, or nobody reads `output` any more */
} stream_end;

typedef struct stream_reader {
    void (*opened)(void *ctx); /* the stream is there */
    bool (*event)(void *ctx, const sse_event *e);
    void *ctx;
    int output; /* a descriptor that is watched for having no reader any more */
} stream_reader;

/* control: "HOST:PORT". last_id: empty, or where to go on. */
stream_end control_stream(const char *control, const char *path, span last_id,
                          const stream_reader *r, error *e);

/* Sleeps; false: nobody reads `output` any more. */
bool stream_pause(int output, int milliseconds);

#endif
