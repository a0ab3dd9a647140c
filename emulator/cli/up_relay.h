/* A service's output on its way to our log: line by line, each naming the service. */
#ifndef CLI_UP_RELAY_H
#define CLI_UP_RELAY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cli/log_sender.h"

typedef struct relay relay;

typedef struct relay_options {
    const char *name;
    bool colour;
    /* While this descriptor (where the log goes) cannot be written without blocking, the relay
     * reads nothing, so that a stalled reader of our log stalls the services and not us; -1: it
     * never blocks. */
    int wait_for_fd;
    log_channel *channel; /* where the lines go besides; NULL: nowhere */
} relay_options;

relay *relay_open(loop *l, const relay_options *o, error *e);

/* The end to give to the process as stdout or stderr; stays the relay's. */
int relay_child_fd(const relay *r);

/* Passes on what is there already, also a last line without newline. NULL is fine. */
void relay_close(relay *r);

/* One line as it goes to the log. Text: "name | line"; JSON: an entry with "process", and with
 * "jsonPayload" (a line that is a JSON object, as Cloud Run logs it) or "message". */
void relay_format(buf *out, log_format format, bool colour, const char *name, span line);

#endif
