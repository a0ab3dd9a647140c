/* IAM's frame around a CEL expression: its attributes, limits and where it may stand. */
#include "policy/condition.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/attr.h"

struct condition {
    condition_text text; /* its strings are owned */
    cel_program *program;
};

/* In the order in which condition_holds fills them in. */
static const cel_attribute attributes[] = {
    {"request.time", CEL_TIMESTAMP},
    {"resource.name", CEL_STRING},
    {"resource.service", CEL_STRING},
    {"resource.type", CEL_STRING},
    {NULL, CEL_BOOL},
};

static void problem_set(cel_problem *out, uint32_t line, uint32_t column, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static void problem_set(cel_problem *out, uint32_t line, uint32_t column, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    out->line = line;
    out->column = column;
    (void)vsnprintf(out->text, sizeof out->text, fmt, args);
    va_end(args);
}

static bool check_texts(const condition_text *text, cel_problem *out)
{
    const span title = span_of(text->title), description = span_of(text->description);
    if (title.n == 0)
        problem_set(out, 0, 0, "a condition needs a title");
    else if (title.n > CONDITION_TITLE_MAX)
        problem_set(out, 0, 0, "the title of a condition has %zu bytes; at most %d are allowed",
                    title.n, CONDITION_TITLE_MAX);
    else if (description.n > CONDITION_DESCRIPTION_MAX)
        problem_set(out, 0, 0,
                    "the description of a condition has %zu bytes; at most %d are allowed",
                    description.n, CONDITION_DESCRIPTION_MAX);
    else if (span_of(text->expression).n == 0)
        problem_set(out, 0, 0, "a condition needs an expression");
    else
        return true;
    return false;
}

static cel_program *compile(const char *expression, cel_problem *out)
{
    uint32_t line, column;
    cel_program *p = cel_compile(span_of(expression), attributes, out);
    if (p && cel_logical_operator(p, CONDITION_LOGICAL_OPERATORS_MAX, &line, &column)) {
        problem_set(out, line, column,
                    "more than %d logical operators (&&, ||, !); split the condition into several "
                    "bindings, or use `in` with a list",
                    CONDITION_LOGICAL_OPERATORS_MAX);
        cel_free(p);
        return NULL;
    }
    return p;
}

condition *condition_new(const condition_text *text, cel_problem *out)
{
    if (!check_texts(text, out))
        return NULL;
    cel_program *p = compile(text->expression, out);
    if (!p)
        return NULL;
    condition *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->program = p;
    c->text = (condition_text){
        .title = span_dup(span_of(text->title)),
        .description = text->description ? span_dup(span_of(text->description)) : NULL,
        .expression = span_dup(span_of(text->expression)),
    };
    return c;
}

static void free_text(const char *owned)
{
    union {
        const char *given;
        char *taken;
    } u = {owned};
    free(u.taken);
}

void condition_free(condition *c)
{
    if (!c)
        return;
    cel_free(c->program);
    free_text(c->text.title);
    free_text(c->text.description);
    free_text(c->text.expression);
    free(c);
}

const condition_text *condition_get(const condition *c)
{
    return &c->text;
}

const char *condition_refused_role(span role)
{
    static const char *const basic[] = {"roles/owner", "roles/editor", "roles/viewer"};
    for (size_t i = 0; i < countof(basic); i++)
        if (span_eq_str(role, basic[i]))
            return "the basic roles owner, editor and viewer cannot be granted with a condition; "
                   "use a role of the service, such as roles/run.invoker";
    return NULL;
}

const char *condition_refused_member(const member *m)
{
    if (m->kind == MEMBER_ALL_USERS || m->kind == MEMBER_ALL_AUTHENTICATED)
        return "allUsers and allAuthenticatedUsers cannot be granted a role with a condition; put "
               "them into a binding without one";
    return NULL;
}

bool condition_holds(const condition *c, const condition_facts *f)
{
    const cel_value values[] = {
        {CEL_TIMESTAMP, {.i = f->now_us}},
        {CEL_STRING, {.s = span_of(f->resource_name)}},
        {CEL_STRING, {.s = span_of(f->resource_service)}},
        {CEL_STRING, {.s = span_of(f->resource_type)}},
    };
    return cel_eval(c->program, values) == CEL_TRUE;
}
