/* The rows of the checks that look at claims and policies, for check_rows.c. Private to decision/.
 */
#ifndef DECISION_CHECK_IMPL_H
#define DECISION_CHECK_IMPL_H

#include "decision/checks.h"

/* A value of somebody else's, cut. */
void check_put(buf *b, span value);
/* RFC 3339, where the year has four digits. */
void check_put_time(buf *b, int64_t at_s);
/* "MEMBER holds ROLE on SERVICE (PLACE)" */
void check_put_grant(buf *b, const evidence_grant *g);

/* Each fills in row->wanted, got and hint; row->result is set. */
void check_claims(check_row *row, const evidence *e);
void check_issuer(check_row *row, const evidence *e);
void check_time(check_row *row, const evidence *e);
void check_audience(check_row *row, const evidence *e);
void check_principal(check_row *row, const evidence *e);
void check_deny(check_row *row, const evidence *e);
void check_grant(check_row *row, const evidence *e);

#endif
