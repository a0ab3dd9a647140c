/* Policies as `gcloud … get-iam-policy` prints them. */
#include "cli/export.h"
#include "cli/yaml_out.h"
#include "policy/role.h"

static void put_condition(buf *b, unsigned depth, const condition *c)
{
    if (!c)
        return;
    const condition_text *text = condition_get(c);
    yaml_put_key(b, depth, "condition");
    yaml_put_pair(b, depth + 1, "title", text->title);
    if (text->description && *text->description)
        yaml_put_pair(b, depth + 1, "description", text->description);
    yaml_put_pair(b, depth + 1, "expression", text->expression);
}

static void put_binding(const export_job *j, unsigned depth, const binding *const *list, size_t n)
{
    buf *b = j->out;
    yaml_put_indent(b, depth);
    buf_str(b, "- role: ");
    yaml_put_text(b, span_of(list[0]->role));
    buf_char(b, '\n');
    yaml_put_key(b, depth + 1, "members");
    for (size_t i = 0; i < n; i++) {
        yaml_put_indent(b, depth + 1);
        buf_str(b, "- ");
        yaml_put_text(b, span_of(list[i]->member));
        buf_char(b, '\n');
    }
    put_condition(b, depth + 1, list[0]->condition);
}

void export_yaml_policy(const export_job *j, unsigned depth, const resource *r)
{
    size_t count;
    const binding *const *list = grant_order_of(j->grants, r, &count);
    if (!count)
        return;
    const place at = list[0]->place;
    if (at.file && at.line == 0)
        yaml_put_comment(j->out, depth, at.file);
    yaml_put_key(j->out, depth, "policy");
    yaml_put_key(j->out, depth + 1, "bindings");
    while (count) {
        const size_t n = grant_order_run(list, count);
        put_binding(j, depth + 1, list, n);
        list += n;
        count -= n;
    }
}
