/* What is known about a request when it is over: the one thing that the request log and the ring of
 * recent decisions are told. Only views. */
#ifndef GATEWAY_RECORD_H
#define GATEWAY_RECORD_H

#include "decision/evidence.h"
#include "gateway/trace.h"
#include "gateway/view.h"
#include "proxy/exchange.h"

enum { INSERT_ID_LEN = 24 };

typedef struct record {
    int64_t wall_us;        /* when it came */
    int64_t ended_us;       /* when it was over: the monotonic time of that turn of the loop */
    uint64_t insert_id[2];  /* its log entry's, wherever that is shown */
    const view *view;       /* judged by this */
    const service *service; /* NULL: unknown host */
    reason reason;
    bool audited;  /* it would be refused, but audit mode let it pass: not enforced */
    bool decided;  /* false: never judged (the caller left while keys were awaited) */
    bool unlogged; /* production writes no request-log entry for it */
    bool unserved; /* no container was there to take it */
    bool https;    /* over TLS, or by a run.app name: that is how production logs its URL */
    span method, target, host, version;
    span user_agent, referer;
    span remote_ip, server_ip;
    span caller;                      /* the principal's e-mail; empty: nobody */
    span explanation, fix, local_fix; /* of a refusal or failure; else empty */
    const char *granted_file;         /* where the binding stands that allowed it; NULL: nowhere */
    uint32_t granted_line;
    const evidence *evidence; /* NULL: never judged */
    span token; /* header and payload of the one that counted, without its signature; or empty */
    const char *text_payload; /* production's sentence, static; NULL: none */
    const trace *trace;
    exchange_outcome outcome;
} record;

/* An insertId as entries spell it. */
static inline void insert_id_text(const uint64_t id[2], char out[INSERT_ID_LEN + 1])
{
    ids_hex(out, 16, id[0]);
    ids_hex(out + 16, INSERT_ID_LEN - 16, id[1]);
    out[INSERT_ID_LEN] = '\0';
}

static inline bool record_refused(const record *r)
{
    return r->decided && !r->audited && !reason_info(r->reason)->allows;
}

/* Refused, or failed in our own hands: whatever we had to explain. */
static inline bool record_troubled(const record *r)
{
    return r->explanation.n != 0 || record_refused(r);
}

#endif
