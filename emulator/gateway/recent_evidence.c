/* What a decision was made from, kept in the ring: texts of topology and token by value, so that
 * neither has to stay for it; the claims as they came, to be read again when somebody asks. */
#include <stddef.h>
#include <stdlib.h>

#include "gateway/recent_impl.h"
#include "jose/jws.h"

static const struct {
    request_part part;
    size_t at; /* of its span in an evidence */
} places[] = {
#define X(part, most, member) {PART_##part, offsetof(evidence, member)},
    EVIDENCE_PARTS(X)
#undef X
};

void recent_evidence_parts(const evidence *e, span parts[PART_COUNT_])
{
    for (size_t i = 0; i < countof(places); i++) {
        if (e)
            memcpy(&parts[places[i].part], (const char *)e + places[i].at, sizeof(span));
        else
            parts[places[i].part] = (span){0};
    }
}

void recent_numbers_of(const evidence *e, recent_numbers *out)
{
    *out = (recent_numbers){.skew_s = e->skew_s,
                            .granted_us = e->nearest.granted_us,
                            .effective_us = e->nearest.effective_us,
                            .revoked_us = e->nearest.revoked_us,
                            .audience_index = e->audience_index,
                            .binding_column = e->binding.column,
                            .nearest_line = e->nearest.line,
                            .nearest_column = e->nearest.column,
                            .deny_line = e->deny_line,
                            .by_run_app_host = e->by_run_app_host,
                            .internal = e->internal,
                            .reserved_path = e->reserved_path,
                            .default_url_disabled = e->default_url_disabled,
                            .ingress = e->ingress,
                            .header = e->header,
                            .token = e->token,
                            .audience = e->audience,
                            .principal_kind = e->principal.kind,
                            .nearest_state = e->nearest.state};
}

/* ---- and back ---- */

static void recall_token(const recent_request *r, recalled *out)
{
    const span kept = request_text(r, PART_TOKEN);
    auto_buf buf token = buf_make(TOKEN_KEPT_MAX + 8);
    if (!kept.n)
        return;
    buf_span(&token, kept);
    buf_str(&token, ".AA"); /* some signature: nobody looks at it */
    (void)jws_peek(buf_view(&token), &out->kid, &out->alg, &out->claims, NULL);
    const claims *c = out->evidence.claims = out->claims;
    const size_t i = out->evidence.audience_index;
    if (!out->evidence.audience_got.n && c && i < c->aud_count)
        out->evidence.audience_got = span_of(c->aud[i]);
    out->evidence.kid = span_of(out->kid);
    out->evidence.alg = span_of(out->alg);
}

static span path_of(span target)
{
    return (span){target.p, span_find(target, '?')};
}

void recent_recall(const recent_request *r, recalled *out)
{
    const recent_numbers *n = &r->numbers;
    *out = (recalled){.kid = NULL};
    evidence *e = &out->evidence;
    *e = (evidence){.reason = r->reason,
                    .now_us = r->wall_us,
                    .skew_s = n->skew_s,
                    .host = request_text(r, PART_HOST),
                    .path = path_of(request_text(r, PART_TARGET)),
                    .from = request_text(r, PART_REMOTE_IP),
                    .service = request_text(r, PART_SERVICE),
                    .ingress = n->ingress,
                    .default_url_disabled = n->default_url_disabled,
                    .by_run_app_host = n->by_run_app_host,
                    .internal = n->internal,
                    .reserved_path = n->reserved_path,
                    .header = n->header,
                    .token = n->token,
                    .audience = n->audience,
                    .audience_index = n->audience_index,
                    .principal = {n->principal_kind, request_text(r, PART_CALLER)},
                    .deny_line = n->deny_line};
    for (size_t i = 0; i < countof(places); i++) {
        const span text = request_text(r, places[i].part);
        memcpy((char *)e + places[i].at, &text, sizeof text);
    }
    span rest = e->accepted;
    (void)span_cut(&rest, '\n', &e->url);
    e->binding.file = request_text(r, PART_GRANTED_FILE);
    e->binding.line = r->granted_line;
    e->binding.column = n->binding_column;
    e->nearest.line = n->nearest_line;
    e->nearest.column = n->nearest_column;
    e->nearest.state = n->nearest_state;
    e->nearest.granted_us = n->granted_us;
    e->nearest.effective_us = n->effective_us;
    e->nearest.revoked_us = n->revoked_us;
    recall_token(r, out);
}

void recalled_free(recalled *c)
{
    claims_free(c->claims);
    free(c->kid);
    free(c->alg);
}
