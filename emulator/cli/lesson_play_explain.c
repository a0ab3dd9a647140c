/* What came of a request: status, headers, production's log, each check, and the cure. */
#include "cli/cli.h"
#include "cli/lesson_play_impl.h"
#include "cli/why.h"
#include "gateway/pages.h"

enum { REPORT_MAX = 256 * 1024, LINE_BYTES_MAX = 4096 };

static void tell_answer(const play *p, const lesson_step *step, const came *c)
{
    const reason_row *row = reason_info(step->expected);
    const unsigned status = outcome_status(c->decision);
    if (!c->passed) {
        tell_line(p->tell, TELL_BAD, "It came out otherwise than this lesson says: %s.",
                  c->why_not);
        return;
    }
    if (c->too_late) {
        tell_text(p->tell, 0, step->too_late);
        return;
    }
    if (row->allows)
        tell_line(p->tell, TELL_GOOD, "%u, by the container: %s", status, row->summary);
    else
        tell_line(p->tell, TELL_BAD, "%s", why_status_text(step->expected));
    tell_raw(p->tell, "\n");
    if (row->challenge)
        tell_field(p->tell, "header", "WWW-Authenticate: " PAGE_CHALLENGE);
    else if (!row->allows)
        tell_field(p->tell, "header", "no WWW-Authenticate");
    if (row->log_text)
        tell_field(p->tell, "log", row->log_text);
    else if (!row->logged)
        tell_field(p->tell, "log", "(production writes no log entry)");
}

static void tell_checks(const play *p, const came *c)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    why_put_decision(&b, c->decision);
    tell_raw(p->tell, "\n");
    tell_raw(p->tell, b.p);
}

static void tell_cure(const play *p, const lesson_step *step)
{
    if (!step->gcloud && !step->terraform)
        return;
    tell_line(p->tell, TELL_BOLD, "\nIn production:");
    tell_raw(p->tell, step->gcloud ? "\n" : "");
    tell_text(p->tell, 2, step->gcloud);
    tell_raw(p->tell, step->terraform ? "\n" : "");
    tell_text(p->tell, 2, step->terraform);
}

void play_explain(const play *p, const lesson_step *step, const came *c)
{
    tell_answer(p, step, c);
    if (!c->passed || (!c->too_late && !reason_info(step->expected)->allows))
        tell_checks(p, c);
    tell_raw(p->tell, "\n");
    tell_text(p->tell, 0, step->learned);
    tell_cure(p, step);
    tell_raw(p->tell, "\n");
}
