/* Which decisions a request asks for: the query of the list and of the stream. */
#include <string.h>

#include "control/control_impl.h"
#include "control/reply.h"

/* A text into its fixed place; too long for what it names is an answer of 400. */
static bool read_text(http_request *r, const char *name, char *out, size_t room)
{
    auto_buf buf b = buf_make(room - 1);
    out[0] = '\0';
    if (!http_query_get(r, name, true, &b))
        return true;
    if (!buf_ok(&b)) {
        reply_error(r, 400, NULL, "a %s is not that long", name);
        return false;
    }
    if (b.n)
        memcpy(out, b.p, b.n + 1);
    return true;
}

static bool read_number(http_request *r, const char *name, size_t least, size_t without,
                        size_t *out)
{
    auto_buf buf b = buf_make(32);
    uint64_t n = without;
    if (http_query_get(r, name, true, &b) &&
        (!buf_ok(&b) || !span_u64(buf_view(&b), CONTROL_DECISIONS_MAX, &n) || n < least)) {
        reply_error(r, 400, NULL, "%s is a number from %zu to %d", name, least,
                    CONTROL_DECISIONS_MAX);
        return false;
    }
    *out = (size_t)n;
    return true;
}

static bool is_set(http_request *r, const char *name)
{
    auto_buf buf b = buf_make(32);
    (void)http_query_get(r, name, true, &b);
    return span_eq(buf_view(&b), SPAN_LIT("1")) || span_eq(buf_view(&b), SPAN_LIT("true"));
}

bool decisions_query_read(http_request *r, const char *limit_name, size_t limit_least,
                          size_t limit_default, control_decisions_query *out)
{
    *out = (control_decisions_query){
        .limit = limit_default, .refused = is_set(r, "refused"), .allowed = is_set(r, "allowed")};
    return read_number(r, limit_name, limit_least, limit_default, &out->limit) &&
           read_text(r, "service", out->service, sizeof out->service) &&
           read_text(r, "caller", out->caller, sizeof out->caller) &&
           read_text(r, "reason", out->reason, sizeof out->reason);
}
