/* The topology's file as IAM policies: what a snapshot grants on one resource. */
#include "control/iam_policy_internal.h"
#include "state/merge.h"

static json_t *binding_json(const binding *b)
{
    json_t *out = json_pack("{s:s, s:[s]}", "role", b->role, "members", b->member);
    const condition_text *text = b->condition ? condition_get(b->condition) : NULL;
    if (text)
        json_object_set_new(out, "condition",
                            json_pack("{s:s, s:s*, s:s}", "title", text->title, "description",
                                      text->description, "expression", text->expression));
    return out;
}

json_t *policy_bindings_of(const snapshot *s, const char *on)
{
    json_auto_t *all = json_array();
    for (size_t i = 0; i < snapshot_binding_count(s); i++) {
        const binding *b = snapshot_binding(s, i);
        if (binding_of(s, b, on))
            json_array_append_new(all, binding_json(b));
    }
    return policy_bindings_normal(all);
}
