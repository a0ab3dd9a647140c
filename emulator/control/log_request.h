/* A request of entries:list, once it is known to be sound. */
#ifndef CONTROL_LOG_REQUEST_H
#define CONTROL_LOG_REQUEST_H

#include "control/api.h"
#include "control/log_filter.h"
#include "control/log_page.h"

typedef struct log_request {
    log_filter *filter; /* the caller's: log_filter_free() */
    span filter_text;   /* in the call's body */
    size_t page_size;
    bool newest_first;
    bool goes_on; /* behind `from` */
    log_place from;
    bool text_only; /* 'gcloud run services logs read': it fails on a line without textPayload */
} log_request;

/* *out is {0} before. false: the call is answered; there may be a filter all the same. */
bool log_request_read(api_call *c, log_request *out);

#endif
