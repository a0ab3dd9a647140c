/* What the reader types. */
#ifndef CLI_LESSON_READER_H
#define CLI_LESSON_READER_H

#include "base/buf.h"
#include "base/loop.h"

/* Standard input, line by line, where it is a terminal. */
typedef struct reader reader;
reader *reader_open(loop *l); /* NULL: it is no terminal */
void reader_close(reader *r); /* NULL is fine */

/* A line that is there, without its break; false: none yet. */
bool reader_line(reader *r, buf *out);
/* There will be no more. */
bool reader_ended(const reader *r);

#endif
