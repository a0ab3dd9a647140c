/* From grants as they were given to bindings: on what they are, what their role contains, and their
 * conditions, each compiled once. */
#include <stdlib.h>

#include "base/buf.h"
#include "policy/role.h"
#include "policy/snapshot_builder.h"

enum { CONDITION_KEY_MAX = 2 * CEL_TEXT_MAX };

/* NULL: it does not compile. */
static condition *condition_of(snapshot *s, const condition_text *text)
{
    auto_buf buf key = buf_make(CONDITION_KEY_MAX);
    buf_fmt(&key, "%s\n%s\n%s", text->title, text->description ? text->description : "",
            text->expression);
    condition *known = buf_ok(&key) ? strmap_get(s->conditions_by_text, buf_view(&key)) : NULL;
    if (known)
        return known;
    cel_problem problem;
    condition *c = condition_new(text, &problem);
    if (!c)
        return NULL;
    s->conditions = reallocarray(s->conditions, s->condition_count + 1, sizeof(*s->conditions));
    if (!s->conditions)
        abort();
    s->conditions[s->condition_count++] = c;
    if (buf_ok(&key))
        strmap_put(s->conditions_by_text, buf_view(&key), c);
    return c;
}

static bool find_scope(const snapshot *s, const grant_spec *g, binding *b)
{
    b->service = BINDING_NO_SERVICE;
    b->project_level = !g->service && !g->account;
    if (g->service) {
        const service *svc = snapshot_find_service(s, span_of(g->service));
        if (svc)
            b->service = svc->index;
        return svc != NULL;
    }
    if (g->account)
        b->account = snapshot_find_account(s, span_of(g->account));
    return b->project_level || b->account;
}

bool snapshot_place_grant(snapshot *s, const grant_spec *g, binding *out)
{
    *out =
        (binding){.role = textpool_span(s->pool, span_of(g->role)),
                  .member = textpool_span(s->pool, span_of(g->member)),
                  .until_us = INT64_MAX,
                  .place = {textpool_text(s->pool, g->place.file), g->place.line, g->place.column}};
    if (!find_scope(s, g, out))
        return false;
    out->invokes =
        !out->account && snapshot_role_grants(s, span_of(out->role), SPAN_LIT(PERMISSION_INVOKE));
    if (g->condition)
        out->condition = condition_of(s, g->condition);
    /* Without its condition a grant would be wider than what was written. */
    return !g->condition || out->condition;
}

void snapshot_build_bindings(snapshot *s, const snapshot_builder *b, size_t revoked_most)
{
    s->bindings = textpool_alloc(s->pool, (b->bindings.count + revoked_most) * sizeof *s->bindings);
    for (size_t i = 0; i < b->bindings.count; i++) {
        if (snapshot_place_grant(s, &b->bindings.items[i], &s->bindings[s->binding_count]))
            s->binding_count++;
    }
}
