/* Environments of services: ${service.url} references become URLs. */
#include "config/load.h"
#include "config/values.h"

enum { ENV_VALUE_MAX = 32768 };

typedef struct template
{
    const char *key; /* the variable's name */
    const node *value;
}
template;

/* One reference, the text between the braces. */
static bool expand_one(loader *l, const template *t, span ref, buf *out)
{
    span field = ref;
    span name;
    bool dotted = span_cut(&field, '.', &name);
    int shown = ref.n > 60 ? 60 : (int)ref.n;
    if (!dotted) {
        diag_at(l->diags, t->value->at,
                "%s: '${%.*s}' is not a reference; write ${SERVICE.url}, or $${%.*s} for the text "
                "itself",
                t->key, shown, ref.p, shown, ref.p);
        return false;
    }
    const service_draft *s = find_service(l, name);
    if (!s) {
        diag_at(l->diags, t->value->at, "%s: service '%.*s' in '${%.*s}' is not defined%s", t->key,
                (int)(name.n > 60 ? 60 : name.n), name.p, shown, ref.p,
                diag_suggest(l->diags, name, load_words(l, WORDS_SERVICES)));
        return false;
    }
    if (!span_eq_str(field, "url")) {
        diag_at(l->diags, t->value->at, "%s: '${%.*s}': only a service's url can be referred to",
                t->key, shown, ref.p);
        return false;
    }
    buf_str(out, s->value.url);
    return true;
}

static bool expand(loader *l, const template *t, buf *out)
{
    span rest = t->value->text;
    bool good = true;
    while (rest.n) {
        size_t dollar = span_find(rest, '$');
        buf_add(out, rest.p, dollar);
        rest = span_from(rest, dollar);
        if (span_starts(rest, SPAN_LIT("$$"))) {
            buf_char(out, '$');
            rest = span_from(rest, 2);
        } else if (span_starts(rest, SPAN_LIT("${"))) {
            span ref;
            rest = span_from(rest, 2);
            if (!span_cut(&rest, '}', &ref)) {
                diag_at(l->diags, t->value->at, "%s: '}' is missing behind '${%.60s'", t->key,
                        ref.p);
                return false;
            }
            good = expand_one(l, t, ref, out) && good;
        } else if (rest.n) {
            buf_char(out, '$');
            rest = span_from(rest, 1);
        }
    }
    return good;
}

static bool is_reserved(span name)
{
    static const char *const reserved[] = {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"};
    for (size_t i = 0; i < countof(reserved); i++)
        if (span_eq_str(name, reserved[i]))
            return true;
    return false;
}

static bool check_name(loader *l, const node *key)
{
    if (!value_is_env_name(key->text)) {
        expected(l, "env", key, "the name of an environment variable");
        return false;
    }
    if (is_reserved(key->text)) {
        diag_at(l->diags, key->at, "env: '%s' is set by Cloud Run itself and cannot be given",
                key->text.p);
        return false;
    }
    return true;
}

static bool settle_variable(loader *l, const node_pair *entry, env_var *out)
{
    span text;
    if (!check_name(l, entry->key) ||
        !read_scalar(l, entry->key->text.p, entry->value, "text (\"\" for none)", &text))
        return false;
    const template t = {entry->key->text.p, entry->value};
    auto_buf buf value = buf_make(ENV_VALUE_MAX);
    if (!expand(l, &t, &value))
        return false;
    if (!buf_ok(&value)) {
        diag_at(l->diags, entry->value->at, "%s: longer than %d characters", t.key, ENV_VALUE_MAX);
        return false;
    }
    *out = (env_var){t.key, arena_dup(l->mem, buf_view(&value))};
    return true;
}

void settle_env(loader *l, service_draft *s)
{
    if (!s->env || !read_is_map(l, "env", s->env))
        return;
    env_var *env = arena_alloc(l->mem, s->env->count * sizeof *env);
    size_t count = 0;
    for (size_t i = 0; i < s->env->count; i++)
        if (settle_variable(l, &s->env->pairs[i], &env[count]))
            count++;
    s->value.env = env;
    s->value.env_count = count;
}
