/* Answers of the JSON APIs that this process serves, in the shapes of Google's (google.rpc.Status
 * as JSON) and of its OAuth endpoint (RFC 6749 §5). */
#ifndef METADATA_RPC_H
#define METADATA_RPC_H

#include "http/server.h"

enum { RPC_ANSWER_MAX = 256 * 1024 };

/* google.rpc.Code, as far as it is used here. */
typedef enum rpc_code {
    RPC_INVALID_ARGUMENT,    /* 400 */
    RPC_FAILED_PRECONDITION, /* 400 */
    RPC_UNAUTHENTICATED,     /* 401 */
    RPC_PERMISSION_DENIED,   /* 403 */
    RPC_NOT_FOUND,           /* 404 */
    RPC_METHOD_NOT_ALLOWED,  /* 405, UNIMPLEMENTED: never 501, which clients retry */
    RPC_INTERNAL,            /* 500 */
    RPC_UNAVAILABLE          /* 503 */
} rpc_code;

/* One google.rpc.ErrorInfo; key NULL: no metadata. */
typedef struct rpc_info {
    const char *reason, *domain, *key, *value;
} rpc_info;

/* 200. */
void rpc_answer(http_request *r, span json);
/* {"error":{"code":403,"message":…,"status":"PERMISSION_DENIED","details":[…]}}; info may be NULL.
 */
void rpc_fail(http_request *r, rpc_code code, const rpc_info *info, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* {"error":"invalid_grant","error_description":…} */
void rpc_oauth_fail(http_request *r, unsigned status, const char *what, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
