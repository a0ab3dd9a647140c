#include "decision/matrix.h"

#include "decision/explain.h"

matrix matrix_of(const snapshot *s, int64_t now_us)
{
    matrix m = {.s = s, .now_us = now_us};
    m.accounts = snapshot_account_count(s);
    m.users = snapshot_user_count(s);
    m.columns = snapshot_service_count(s);
    m.rows = m.accounts + m.users + 1;
    return m;
}

const char *matrix_email(const matrix *m, size_t row)
{
    if (row < m->accounts)
        return snapshot_account(m->s, row)->email;
    return row < m->accounts + m->users ? snapshot_user(m->s, row - m->accounts) : NULL;
}

void matrix_caller(const matrix *m, size_t row, buf *b)
{
    principal p;
    if (snapshot_principal(m->s, matrix_email(m, row), NULL, &p))
        explain_caller(b, m->s, &p);
    else
        buf_str(b, "anonymous");
}

decision matrix_cell(const matrix *m, size_t row, size_t column)
{
    const service *svc = snapshot_service(m->s, column);
    const char *const aud[] = {svc->url};
    const claims c = {.iss = "https://accounts.google.com",
                      .email = matrix_email(m, row),
                      .aud = aud,
                      .aud_count = 1,
                      .has_exp = true,
                      .has_iat = true,
                      .exp_s = m->now_us / 1000000 + 1,
                      .iat_s = m->now_us / 1000000};
    const request_facts f = {.service = svc,
                             .internal = true,
                             .header = c.email ? HEADER_AUTHORIZATION : HEADER_NONE,
                             .token = c.email ? TOKEN_VERIFIED : TOKEN_ABSENT,
                             .claims = &c};
    decision d = decide(m->s, &f, m->now_us);
    d.audience_got = NULL; /* lived in this function */
    return d;
}

/* A plain yes is the caller's own binding on the service; anything else is named. */
static void note_binding(buf *b, const binding *g)
{
    const span by = span_of(g->member);
    const size_t from = b->n;
    if (!span_starts(by, SPAN_LIT("serviceAccount:")) && !span_starts(by, SPAN_LIT("user:")))
        buf_span(b, by);
    if (g->project_level)
        buf_str(b, b->n > from ? ", project" : "project");
}

void matrix_note(buf *b, const decision *d)
{
    static const char *const notes[REASON_COUNT_] = {
        [REASON_PUBLIC] = "public",
        [REASON_CHECK_DISABLED] = "check off",
        [REASON_NOT_PROPAGATED] = "propagating",
        [REASON_CONDITION_NOT_MET] = "condition not met",
        [REASON_DENIED] = "denied",
        [REASON_ACCOUNT_DISABLED] = "account disabled",
        [REASON_INGRESS_BLOCKED] = "ingress none",
    };
    if (notes[d->reason])
        buf_str(b, notes[d->reason]);
    else if (d->binding)
        note_binding(b, d->binding);
}
