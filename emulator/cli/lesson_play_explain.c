/* What came of a request: status, headers, production's log, each check, and the cure. */
#include "cli/cli.h"
#include "cli/lesson_play_impl.h"
#include "cli/why.h"
#include "cli/why_view.h"
#include "gateway/pages.h"

enum { REPORT_MAX = 256 * 1024, HEAD_SHOWN = 14, TAIL_SHOWN = 28 };

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
        tell_line(p->tell, TELL_GOOD, "%u, from the container", status);
    else
        tell_line(p->tell, TELL_BAD, "%s", why_status_text(step->expected));
    tell_raw(p->tell, "\n");
    if (row->allows) {
        tell_field(p->tell, "cause", row->summary);
        return;
    }
    if (row->challenge)
        tell_field(p->tell, "header", "WWW-Authenticate: " PAGE_CHALLENGE);
    else
        tell_field(p->tell, "header", "no WWW-Authenticate");
    if (row->log_text)
        tell_field(p->tell, "log", row->log_text);
    else if (!row->logged)
        tell_field(p->tell, "log", "(production writes no log entry)");
}

static void tell_checks(const play *p, const came *c)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    why_view(&b, c->decision, p->tell->colour);
    tell_raw(p->tell, "\n");
    tell_raw(p->tell, b.p);
}

/* A header that the container got; of a token, what tells it from another. */
static void tell_received(const play *p, const lesson_step *step, const came *c)
{
    if (!step->shows || !c->answered)
        return;
    json_auto_t *root = json_loadb(c->answer.body.p, c->answer.body.n, 0, NULL);
    const json_t *fields = json_object_get(root, "headers");
    const char *value = json_string_value(json_object_get(fields, step->shows));
    const char *last = value ? strrchr(value, '.') : NULL;
    if (last)
        tell_line(p->tell, TELL_PLAIN, "  it got      %s: %.*s…%.*s%s", step->shows, HEAD_SHOWN,
                  value, TAIL_SHOWN, last, strlen(last) > TAIL_SHOWN ? "…" : "");
}

void play_cure(const play *p, const lesson_step *step)
{
    if (!step->gcloud && !step->terraform)
        return;
    tell_line(p->tell, TELL_BOLD, "In production");
    tell_raw(p->tell, "\n");
    tell_text(p->tell, 0, step->gcloud);
    tell_raw(p->tell, step->gcloud && step->terraform ? "\n" : "");
    tell_text(p->tell, 0, step->terraform);
    tell_raw(p->tell, "\n");
}

void play_explain(const play *p, const lesson_step *step, const came *c)
{
    tell_answer(p, step, c);
    if (c->passed)
        tell_received(p, step, c);
    if (!c->passed || (!c->too_late && !reason_info(step->expected)->allows))
        tell_checks(p, c);
    tell_raw(p->tell, "\n");
    tell_text(p->tell, 0, step->learned);
    tell_raw(p->tell, step->learned ? "\n" : "");
}
