/* Containers' lines on their way to the gateway's control listener, where 'gcloud run services logs
 * read' finds them: in batches, in order, from a loop. Nothing here ever waits: while the gateway
 * is away the newest lines are kept, and how many were lost is told with them. */
#ifndef CLI_LOG_SENDER_H
#define CLI_LOG_SENDER_H

#include "base/loop.h"
#include "base/span.h"

typedef struct log_sender log_sender;
typedef struct log_channel log_channel; /* one stream of one service */

log_sender *log_sender_open(loop *l);
/* NULL is fine, here and everywhere below. */
void log_sender_close(log_sender *s);

/* Where the control listener is, "HOST:PORT" (looked up at once); NULL: nowhere, and lines wait. */
void log_sender_aim(log_sender *s, const char *control);

/* stream: "stdout" or "stderr". The sender's; the same for the same names. */
log_channel *log_sender_channel(log_sender *s, const char *service, const char *stream);

/* One line, without its newline, written now. */
void log_channel_line(log_channel *c, span line);
/* Bytes as they were read; lines are cut out of them. And the end of them: what is left is a line.
 */
void log_channel_bytes(log_channel *c, span bytes);
void log_channel_end(log_channel *c);

/* Turns the loop until all is sent, the gateway is away, or max_us are over. */
void log_sender_flush(log_sender *s, int64_t max_us);

#endif
