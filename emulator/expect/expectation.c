/* What a case wants, in words and against what it got. */
#include "expect/suite.h"

void expectation_put(buf *b, const expectation *e)
{
    if (e->status)
        buf_fmt(b, "%u", e->status);
    if (e->reason != REASON_COUNT_)
        buf_fmt(b, "%s%s", e->status ? " " : "", reason_info(e->reason)->name);
    else if (!e->status)
        buf_str(b, e->allows ? "allow" : "refuse");
}

bool expectation_met(const expectation *e, reason got)
{
    if (got == REASON_COUNT_ || reason_info(got)->allows != e->allows)
        return false;
    if (e->reason != REASON_COUNT_ && e->reason != got)
        return false;
    return !e->status || e->status == reason_status(got);
}
