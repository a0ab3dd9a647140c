/* A remembered request from the inside: for the ring, and for what is printed of it. */
#ifndef GATEWAY_RECENT_IMPL_H
#define GATEWAY_RECENT_IMPL_H

#include "gateway/recent.h"

/* Texts of an evidence: part, the most that is kept of it, where it belongs. */
#define EVIDENCE_PARTS(X)                                                                          \
    X(ACCEPTED, 1024, accepted)                                                                    \
    X(PROJECT, 64, project)                                                                        \
    X(REGION, 64, region)                                                                          \
    X(NEAR_HOST, 64, near_host)                                                                    \
    X(KEYS, 512, keys)                                                                             \
    X(AUDIENCE_GOT, 512, audience_got)                                                             \
    X(OTHER, 64, other)                                                                            \
    X(BINDING_MEMBER, 256, binding.member)                                                         \
    X(BINDING_ROLE, 256, binding.role)                                                             \
    X(BINDING_SERVICE, 64, binding.service)                                                        \
    X(BINDING_CONDITION, 512, binding.condition)                                                   \
    X(NEAREST_MEMBER, 256, nearest.member)                                                         \
    X(NEAREST_ROLE, 256, nearest.role)                                                             \
    X(NEAREST_SERVICE, 64, nearest.service)                                                        \
    X(NEAREST_CONDITION, 512, nearest.condition)                                                   \
    X(NEAREST_FILE, 256, nearest.file)                                                             \
    X(DENY_POLICY, 256, deny_policy)                                                               \
    X(DENY_PRINCIPAL, 256, deny_principal)                                                         \
    X(DENY_FILE, 256, deny_file)                                                                   \
    X(MEND_SERVICE, 64, mend_service)                                                              \
    X(MEND_VALUE, 512, mend_value)

/* The other ones: part, the most that is kept of it. */
#define REQUEST_PARTS(X)                                                                           \
    X(SERVICE, 64)                                                                                 \
    X(REVISION, 80)                                                                                \
    X(INSTANCE, INSTANCE_ID_LEN)                                                                   \
    X(METHOD, 16)                                                                                  \
    X(HOST, 256)                                                                                   \
    X(TARGET, 512)                                                                                 \
    X(PROTOCOL, 16)                                                                                \
    X(USER_AGENT, 256)                                                                             \
    X(REFERER, 256)                                                                                \
    X(REMOTE_IP, 64)                                                                               \
    X(SERVER_IP, 64)                                                                               \
    X(CALLER, 256)                                                                                 \
    X(GRANTED_FILE, 256)                                                                           \
    X(EXPLANATION, 480)                                                                            \
    X(FIX, 360)                                                                                    \
    X(LOCAL_FIX, 200)

/* The texts stand one behind the other, in this order. */
typedef enum request_part {
#define X(part, ...) PART_##part,
    REQUEST_PARTS(X) EVIDENCE_PARTS(X)
#undef X
        PART_TOKEN, /* its header and payload; never its signature */
    PART_COUNT_
} request_part;

/* Longer ones are not kept: a part of a token says nothing. */
enum { TOKEN_KEPT_MAX = 4096 };

/* What an evidence has besides texts. */
typedef struct recent_numbers {
    int64_t skew_s, granted_us, effective_us, revoked_us;
    size_t audience_index;
    uint32_t binding_column, nearest_line, nearest_column, deny_line;
    bool by_run_app_host, internal, reserved_path, default_url_disabled;
    ingress ingress;
    token_header header;
    token_state token;
    audience_verdict audience;
    member_kind principal_kind;
    binding_state nearest_state;
} recent_numbers;

struct recent_request {
    int64_t wall_us, ended_us, latency_us;
    uint64_t request_bytes, response_bytes, span_id;
    const char *text_payload; /* static; NULL: none */
    unsigned status;
    uint32_t granted_line;
    reason reason;
    proxy_failure failure;
    bool decided, audited, refused, troubled, unlogged, unserved, https, sampled;
    bool has_evidence;
    recent_numbers numbers;
    uint16_t lengths[PART_COUNT_];
    char trace[TRACE_ID_LEN + 1];
    uint64_t insert_id[2];
    char text[];
};

/* recent_evidence.c: from a record's evidence to what is kept of it, and back. */
void recent_numbers_of(const evidence *e, recent_numbers *out);
void recent_evidence_parts(const evidence *e, span parts[PART_COUNT_]);

/* What was kept, as it was; views of r and of what is freed by recalled_free. */
typedef struct recalled {
    evidence evidence;
    claims *claims;
    char *kid, *alg;
} recalled;
/* Only of one that has evidence. */
void recent_recall(const recent_request *r, recalled *out);
void recalled_free(recalled *c);

/* A view of one of the texts; empty when there was none. */
span request_text(const recent_request *r, request_part p);

#endif
