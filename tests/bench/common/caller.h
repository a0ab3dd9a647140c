/* What the load programs share: one request, connections that send it, the answers' framing, and
 * latencies. They exit with a message when anything is not as it must be: a figure would be wrong.
 */
#ifndef COMMON_CALLER_H
#define COMMON_CALLER_H

#include "base/net.h"

_Noreturn void caller_die(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A decimal number from the command line, 1 to max. */
int64_t caller_number(const char *text, uint64_t max);

/* "GET / HTTP/1.1", Host, the fixed header (lines with their ends), and the given lines ("Name:
 * value"); the caller frees. */
char *caller_request(const char *host, const char *fixed, char *const *lines, int count);

/* Connects to "127.0.0.1:port" and waits until that is done; non-blocking from then on. */
int caller_connect(const char *address);

/* Sends all of it, which has to fit the socket's buffer. */
void caller_send(int fd, const void *p, size_t n);

/* Bytes of the answer that s begins with, its body by Content-Length; 0: it is not complete. Dies
 * unless its status line begins with `status`. */
size_t caller_answer(span s, const char *status);

typedef struct latencies {
    int64_t *us;
    size_t n, room;
} latencies;

void latencies_open(latencies *l, size_t room);
void latencies_add(latencies *l, int64_t us); /* beyond the room: not kept */
void latencies_sort(latencies *l);
int64_t latencies_at(const latencies *l, double share); /* sorted; 0.99: the 99th percentile */

#endif
