/* Texts as YAML scalars: what `invoker export yaml` and `invoker import` print is put together from
 * these, because comments have to stand in it. */
#ifndef CLI_YAML_OUT_H
#define CLI_YAML_OUT_H

#include "base/buf.h"

/* A scalar that every YAML 1.1 and 1.2 reader takes for exactly this text, in block and in flow
 * context: plain where nobody could take it for anything else, else in double quotes on one line.
 * Bytes that are not UTF-8 become U+FFFD. */
void yaml_put_text(buf *b, span text);
/* depth levels of two spaces. */
void yaml_put_indent(buf *b, unsigned depth);
/* "KEY:" on a line of its own. */
void yaml_put_key(buf *b, unsigned depth, const char *key);
/* "KEY: TEXT"; nothing when text is NULL. */
void yaml_put_pair(buf *b, unsigned depth, const char *key, const char *text);
/* "KEY: true" or "KEY: false". */
void yaml_put_bool(buf *b, unsigned depth, const char *key, bool value);
/* "KEY: [A, B]"; nothing for NULL or an empty list. */
void yaml_put_flow(buf *b, unsigned depth, const char *key, const char *const *list);
/* "# TEXT", whatever is in it, on one line. */
void yaml_put_comment(buf *b, unsigned depth, const char *text);

#endif
