/* A remembered request from the inside: for the ring, and for what is printed of it. */
#ifndef GATEWAY_RECENT_IMPL_H
#define GATEWAY_RECENT_IMPL_H

#include "gateway/recent.h"

/* Its texts stand one behind the other in `text`, in this order. */
typedef enum request_part {
    PART_SERVICE,
    PART_REVISION,
    PART_INSTANCE,
    PART_METHOD,
    PART_HOST,
    PART_TARGET,
    PART_PROTOCOL,
    PART_USER_AGENT,
    PART_REFERER,
    PART_REMOTE_IP,
    PART_SERVER_IP,
    PART_CALLER,
    PART_GRANTED_FILE,
    PART_EXPLANATION,
    PART_FIX,
    PART_LOCAL_FIX,
    PART_COUNT_
} request_part;

struct recent_request {
    int64_t wall_us, ended_us, latency_us;
    uint64_t request_bytes, response_bytes, span_id;
    const char *text_payload; /* static; NULL: none */
    unsigned status;
    uint32_t granted_line;
    reason reason;
    proxy_failure failure;
    bool decided, audited, refused, troubled, unlogged, unserved, https, sampled;
    uint16_t lengths[PART_COUNT_];
    char trace[TRACE_ID_LEN + 1];
    uint64_t insert_id[2];
    char text[];
};

/* A view of one of the texts; empty when there was none. */
span request_text(const recent_request *r, request_part p);

#endif
