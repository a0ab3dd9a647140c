/* The command that takes a grant away. */
#include "decision/explain_text.h"

void explain_condition(buf *b, const condition *c)
{
    const condition_text *text = condition_get(c);
    buf_str(b, "{\"title\": ");
    buf_json(b, span_of(text->title));
    if (text->description && *text->description) {
        buf_str(b, ", \"description\": ");
        buf_json(b, span_of(text->description));
    }
    buf_str(b, ", \"expression\": ");
    buf_json(b, span_of(text->expression));
    buf_char(b, '}');
}

void explain_revoke(buf *b, const snapshot *s, const binding *g)
{
    const project *p = snapshot_project(s);
    if (g->account) {
        buf_str(b, "gcloud iam service-accounts remove-iam-policy-binding ");
        explain_shell(b, span_of(g->account->email));
    } else if (g->project_level) {
        buf_str(b, "gcloud projects remove-iam-policy-binding ");
        explain_shell(b, span_of(p->id));
    } else {
        buf_fmt(b, "gcloud run services remove-iam-policy-binding %s --region=",
                snapshot_service(s, g->service)->name);
        explain_shell(b, span_of(p->region));
    }
    buf_str(b, " --member=");
    explain_shell(b, span_of(g->member));
    buf_str(b, " --role=");
    explain_shell(b, span_of(g->role));
    if (!g->condition)
        return;
    /* A here-document: no quoting of gcloud's own is in the way of an expression. */
    buf_str(b, " --condition-from-file=- <<'EOF'\n");
    explain_condition(b, g->condition);
    buf_str(b, "\nEOF");
}
