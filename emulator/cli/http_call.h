/* HTTP/1.1 requests of a command, many at a time, none of which waits longer than it was told to:
 * what the control client and `invoker doctor` ask with. Blocking; for commands, not daemons. */
#ifndef CLI_HTTP_CALL_H
#define CLI_HTTP_CALL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/net.h"

/* HTTP_ANSWERED without a request: somebody accepts connections. */
typedef enum http_outcome {
    HTTP_PENDING,
    HTTP_ANSWERED,
    HTTP_NO_CONNECTION, /* `failure` says why; ETIMEDOUT: nobody answers */
    HTTP_SILENT,        /* connected, and then nothing for too long */
    HTTP_BROKEN,        /* closed before the answer was complete, or reset */
    HTTP_NOT_HTTP,      /* something answered, but not in HTTP/1 */
    HTTP_TOO_LONG       /* the answer is longer than reply_max */
} http_outcome;

/* Zero-initialise, fill in the first part, release with http_call_free. */
typedef struct http_call {
    net_addr to;
    span request;       /* all its bytes, the caller's; none: whether it connects is the answer */
    size_t reply_max;   /* bytes of the answer with its head */
    int64_t connect_us; /* how long connecting may take */
    int64_t idle_us;    /* how long there may be no progress after that */
    int64_t until_us;   /* clock_mono_us() at which it is over in any case; 0: no such limit */

    http_outcome outcome;
    int failure; /* errno of HTTP_NO_CONNECTION */
    unsigned status;
    span head, body; /* views of the answer: the status line with the fields; what follows */

    buf reply;
    size_t sent;
    int fd;
    bool connected;
    int64_t since_us; /* of the last progress */
} http_call;

/* Runs all of them at once until each has an outcome. */
void http_calls_run(http_call *calls, size_t n);
void http_call_free(http_call *c);

/* The first field of that name (case-insensitive) in the answer, trimmed. */
bool http_call_field(const http_call *c, const char *name, span *out);

/* In words, without what was called: "Connection refused", "no answer within 0.3 s". For every
 * outcome but HTTP_ANSWERED. */
void http_call_trouble(const http_call *c, buf *out);

#endif
