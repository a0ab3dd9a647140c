/* What the query string of a metadata request asks for (docs: "View and query VM metadata"). */
#ifndef METADATA_ASK_H
#define METADATA_ASK_H

#include "base/span.h"

typedef enum ask_alt { ALT_NATURAL, ALT_JSON, ALT_TEXT } ask_alt;

typedef struct ask {
    bool recursive;
    ask_alt alt;
    bool wait_for_change;
    bool has_last_etag;
    span last_etag;     /* raw */
    int64_t timeout_us; /* negative: none */
} ask;

/* NULL, or what is wrong with it (answer 400). Unknown parameters do not matter. */
const char *ask_parse(span query, ask *out);

/* Is the flag there and set: true, 1, yes, y, t, in any case? Is it there and off: false, 0, no, n?
 */
bool ask_flag_on(span query, const char *name);
bool ask_flag_off(span query, const char *name);

#endif
