/* What head and trailers have in common: lines that end with CR LF, fields of 'name: value'. */
#ifndef PROXY_H1_LINE_H
#define PROXY_H1_LINE_H

#include "proxy/h1_parse.h"

/* NULL when the line (without its CR LF) is a sound field, else what is wrong. */
const char *h1_line_field(span line, field *out);

/* Only characters of a token (RFC 9110 §5.6.2), and at least one. */
bool h1_line_is_token(span s);

/* Searches p[*scanned..n) for the end of the line that begins at `begin`. True: *out_line is the
 * line without CR LF and *scanned is behind it. False: not there yet, or *out_why is set. */
bool h1_line_complete(const char *p, size_t begin, size_t *scanned, size_t n, span *out_line,
                      const char **out_why);

#endif
