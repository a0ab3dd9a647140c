/* The one gate against malformed and ambiguous requests that libmicrohttpd lets through
 * (RFC 9112 §3.2, §5, §6.1, §6.3, §11.2): called in the first handler call of every request. */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include <microhttpd.h>

#include "base/span.h"

typedef struct gate_facts {
    span host;     /* the Host field; empty for HTTP/1.0 without one */
    bool has_body; /* Content-Length > 0 or chunked */
    bool chunked;
    bool has_length; /* Content-Length given */
    uint64_t length;
    bool expect_continue;
    bool http10;
} gate_facts;

/* NULL when the request is sound (*out then holds what was learnt), else a static sentence that
 * says what is wrong: answer 400 and close. */
const char *gate_check(struct MHD_Connection *c, const char *method, const char *raw_target,
                       const char *version, gate_facts *out);

#endif
