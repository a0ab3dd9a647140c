/* Where the environment says that the metadata server is. Three variables, and no client reads all
 * of them. */
#include <string.h>

#include "cli/doctor.h"

#define AREA "environment"

enum { WORDS_MAX = 1024 };

/* Who reads the variable, and what happens where it alone is missing. */
static const struct variable {
    const char *name, *readers, *without;
} variables[] = {
    {"GCE_METADATA_HOST", "Python, Node, Go, Java, Ruby, .NET, Rust",
     "Go, Java, Ruby, .NET and Rust look for the metadata server elsewhere"},
    {"GCE_METADATA_IP", "Python's probe, Node",
     "Python's probe goes to 169.254.169.254, so that google.auth.default() finds no credentials"},
    {"GCE_METADATA_ROOT", "C++, gcloud, old Python",
     "C++ and gcloud look for it at metadata.google.internal"},
};

/* names: one or more of the variables. */
static void mend_env(const doctor *d, finding *f, const char *names, const char *wanted)
{
    auto_buf buf exports = buf_make(WORDS_MAX);
    for (size_t i = 0; wanted && i < countof(variables); i++)
        if (strstr(names, variables[i].name))
            buf_fmt(&exports, " %s=%s", variables[i].name, wanted);
    if (d->mend_env)
        finding_mend(f, "%s", d->mend_env);
    else if (exports.n)
        finding_mend(f, "export%s", exports.p);
    else
        finding_mend(f, "eval \"$(%s env SERVICE)\", as one of the services", d->as_invoker);
}

/* ---- its form ---- */

/* What is wrong with the form of a value, or NULL. *out_who: whom that stops. */
static const char *form_fault(span value, const char **out_who)
{
    *out_who = "most clients";
    if (span_find(value, ' ') < value.n || span_find(value, '\t') < value.n ||
        span_find(value, '\n') < value.n || span_find(value, '\r') < value.n)
        return "blanks";
    const bool scheme =
        span_starts(value, SPAN_LIT("http://")) || span_starts(value, SPAN_LIT("https://"));
    *out_who = "Python, Go, Java, .NET, C++, Rust and gcloud, which put http:// in front of it";
    if (scheme)
        return "a scheme";
    *out_who = "Go, Java, .NET, C++ and gcloud, which append their own paths to it";
    return span_find(value, '/') < value.n ? "a path" : NULL;
}

/* The address within "http://HOST:PORT/path". */
static span bare_address(span value)
{
    value = span_trim(value);
    if (span_starts(value, SPAN_LIT("http://")))
        value = span_from(value, strlen("http://"));
    else if (span_starts(value, SPAN_LIT("https://")))
        value = span_from(value, strlen("https://"));
    return (span){value.p, span_find(value, '/')};
}

static bool check_form(const doctor *d, const char *name, const char *value)
{
    const char *who = NULL;
    const char *fault = form_fault(span_of(value), &who);
    if (!fault)
        return true;
    const span bare = bare_address(span_of(value));
    finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "metadata_variable_form",
                            "%s = %s holds %s: that stops %s", name, value, fault, who);
    finding_expect(f, "HOST:PORT alone: %.*s", SPAN_ARG(bare));
    auto_free char *address = span_dup(bare);
    mend_env(d, f, name, address);
    return false;
}

/* ---- whose it is ---- */

static bool is_default_place(const char *value)
{
    static const char *const places[] = {"169.254.169.254",           "169.254.169.254:80",
                                         "metadata.google.internal",  "metadata.google.internal:80",
                                         "metadata.google.internal.", "metadata"};
    for (size_t i = 0; i < countof(places); i++)
        if (strcmp(value, places[i]) == 0)
            return true;
    return false;
}

/* A server that gives tokens, but perhaps not the service's. */
static void check_owner(const doctor *d, const char *name, const char *value, whose w,
                        const char *wanted)
{
    auto_buf buf words = buf_make(WORDS_MAX);
    whose_words(w, &words);
    const bool shared = w.kind == WHOSE_SHARED_METADATA;
    if (!d->svc || !wanted || same_address(value, wanted)) {
        report_add(d->report, FINDING_OK, AREA, "metadata_variable", "%s = %s is %s", name, value,
                   words.p);
        return;
    }
    finding *f =
        report_add(d->report, shared ? FINDING_WARNING : FINDING_PROBLEM, AREA,
                   "metadata_variable_other", "%s = %s is %s%s%s", name, value, words.p,
                   shared ? "" : ": tokens are those of ", shared ? "" : w.svc->account->email);
    finding_expect(f, "%s, which is %s's (%s)", wanted, d->svc->name, d->svc->account->email);
    mend_env(d, f, name, wanted);
}

static void check_value(const doctor *d, const char *name, const char *value, const char *wanted)
{
    const whose w = whose_address(d->s, value);
    if (w.kind == WHOSE_METADATA || w.kind == WHOSE_SHARED_METADATA) {
        check_owner(d, name, value, w, wanted);
        return;
    }
    if (w.kind == WHOSE_NOBODYS && is_default_place(value)) {
        report_add(d->report, FINDING_OK, AREA, "metadata_variable",
                   "%s = %s is where clients look without it", name, value);
        return;
    }
    auto_buf buf words = buf_make(WORDS_MAX);
    whose_words(w, &words);
    finding *f =
        report_add(d->report, d->svc || w.kind != WHOSE_NOBODYS ? FINDING_PROBLEM : FINDING_WARNING,
                   AREA, "metadata_variable_wrong", "%s = %s is %s", name, value, words.p);
    if (wanted)
        finding_expect(f, "%s", wanted);
    mend_env(d, f, name, wanted);
}

/* ---- together ---- */

static void none_is_set(const doctor *d)
{
    finding *f = report_add(
        d->report, d->svc ? FINDING_PROBLEM : FINDING_WARNING, AREA, "metadata_variables_missing",
        "none of GCE_METADATA_HOST, GCE_METADATA_IP and GCE_METADATA_ROOT is set in %s: client "
        "libraries look at 169.254.169.254 and metadata.google.internal",
        d->env_name);
    auto_free char *wanted = wanted_metadata(d->s, d->svc);
    if (d->svc && wanted)
        finding_expect(f, "all three: %s", wanted);
    mend_env(d, f, NULL, NULL);
}

static void some_are_missing(const doctor *d, const char *given)
{
    for (size_t i = 0; i < countof(variables); i++) {
        const char *value = envlist_get(d->env, variables[i].name);
        if (value && *value)
            continue;
        finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "metadata_variable_missing",
                                "%s is %s while another one is set: %s", variables[i].name,
                                value ? "empty" : "not set", variables[i].without);
        finding_expect(f, "%s=%s, for %s", variables[i].name, given, variables[i].readers);
        mend_env(d, f, variables[i].name, given);
    }
}

/* A scheme or a path is a fault of its own. */
static bool they_mean_others(const char *a, const char *b)
{
    auto_free char *x = span_dup(bare_address(span_of(a)));
    auto_free char *y = span_dup(bare_address(span_of(b)));
    return strcmp(x, y) != 0 && !same_address(x, y);
}

static void they_differ(const doctor *d)
{
    const char *first = NULL, *its_name = NULL;
    for (size_t i = 0; i < countof(variables); i++) {
        const char *value = envlist_get(d->env, variables[i].name);
        if (!value || !*value)
            continue;
        if (first && they_mean_others(first, value)) {
            finding *f = report_add(
                d->report, FINDING_PROBLEM, AREA, "metadata_variables_differ",
                "%s=%s, but %s=%s: which one counts depends on the client (%s; %s)", its_name,
                first, variables[i].name, value, variables[0].readers, variables[i].readers);
            finding_expect(f, "the same address in all three");
            mend_env(d, f, variables[i].name, first);
            return;
        }
        first = value;
        its_name = variables[i].name;
    }
}

/* Was the same value looked at under an earlier name? */
static bool seen_before(const doctor *d, size_t i)
{
    const char *value = envlist_get(d->env, variables[i].name);
    for (size_t before = 0; before < i; before++) {
        const char *other = envlist_get(d->env, variables[before].name);
        if (other && strcmp(other, value) == 0)
            return true;
    }
    return false;
}

/* "GCE_METADATA_HOST, GCE_METADATA_IP": all that have the value of variable i. */
static char *names_of_value(const doctor *d, size_t i)
{
    const char *value = envlist_get(d->env, variables[i].name);
    auto_buf buf names = buf_make(WORDS_MAX);
    for (; i < countof(variables); i++) {
        const char *other = envlist_get(d->env, variables[i].name);
        if (other && strcmp(other, value) == 0)
            buf_fmt(&names, "%s%s", names.n ? ", " : "", variables[i].name);
    }
    return buf_take(&names);
}

void doctor_env_metadata(doctor *d)
{
    auto_free char *wanted = wanted_metadata(d->s, d->svc);
    const char *given = NULL;
    for (size_t i = 0; i < countof(variables); i++) {
        const char *value = envlist_get(d->env, variables[i].name);
        if (!value || !*value)
            continue;
        given = given ? given : value;
        if (seen_before(d, i))
            continue;
        auto_free char *names = names_of_value(d, i);
        if (check_form(d, names, value))
            check_value(d, names, value, d->svc ? wanted : NULL);
    }
    if (!given) {
        none_is_set(d);
        return;
    }
    some_are_missing(d, d->svc && wanted ? wanted : given);
    they_differ(d);
}
