/* Pages of log entries: their order, and where the next one begins. */
#ifndef CONTROL_LOG_PAGE_H
#define CONTROL_LOG_PAGE_H

#include "base/buf.h"

enum { LOG_ID_MAX = 40 };

/* Entries are ordered by time, those of one time by their insertId. */
typedef struct log_place {
    int64_t time_us;
    char id[LOG_ID_MAX + 1];
} log_place;

/* < 0: a comes first when the oldest do. */
int log_place_order(const log_place *a, const log_place *b);

/* An opaque token for "behind this place"; it fits to the request only whose filter and order are
 * the same. */
void log_page_token(const log_place *last, span filter, bool newest_first, buf *out);
/* false: not a token of ours, or one of another request. */
bool log_page_from(span token, span filter, bool newest_first, log_place *out_last);

#endif
