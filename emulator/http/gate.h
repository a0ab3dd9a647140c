/* The one gate against malformed and ambiguous requests that libmicrohttpd lets through or repairs
 * without a word (RFC 9112 §2.2, §3, §5, §6.1, §6.3, §11.2): called in the first handler call of
 * every request, and once more behind a chunked body.
 *
 * Out of its sight: empty lines before a request line, which a server should skip (RFC 9112 §2.2;
 * libmicrohttpd takes any line that begins with NUL for one), NUL LF in place of CR LF, and a bare
 * LF in the framing of chunks. Who forwards writes head and framing anew, so that none of these
 * travels. */
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
 * says what is wrong: answer 400 and close. method and version are the handler's own arguments:
 * where they point to is part of the check. raw_target is what raw_target() of mhd_loop was told,
 * or a copy. */
const char *gate_check(struct MHD_Connection *c, const char *method, const char *raw_target,
                       const char *version, gate_facts *out);

/* The same for the trailer section of a chunked request, in the handler's last call; `method` is
 * the pointer that the first call was given. each (nullable) is told every sound field up to the
 * first fault. */
const char *gate_trailers(struct MHD_Connection *c, const char *method,
                          void (*each)(void *ctx, span name, span value), void *ctx);

/* The parts of it that other parsers' requests are held against, too. A request target: NULL, or
 * what is wrong with it (RFC 9112 §3.2). An authority: HOST or HOST:PORT (RFC 3986 §3.2). */
const char *gate_target_fault(span method, span target);
bool gate_sound_authority(span s);

#endif
