/* Looking up what people name. */
#include "decision/lookup.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/hash.h"

/* More are not compared with: a suggestion has to come at once. */
enum { NAMES_MAX = 10000 };

static span short_name(const account *a)
{
    return (span){a->email, span_find(span_of(a->email), '@')};
}

/* ---- services ---- */

const service *lookup_service(const snapshot *s, const char *name, error *e)
{
    const service *found = snapshot_find_service(s, span_of(name));
    if (found)
        return found;
    const char *file = snapshot_project(s)->file;
    const size_t all = snapshot_service_count(s);
    const size_t count = all < NAMES_MAX ? all : NAMES_MAX;
    auto_free const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        abort();
    for (size_t i = 0; i < count; i++)
        names[i] = snapshot_service(s, i)->name;
    const char *near = did_you_mean(span_of(name), names);
    if (near)
        error_set(e, ERR_NOT_FOUND, "no service '%.100s' in %s; did you mean '%s'?", name, file,
                  near);
    else
        error_set(e, ERR_NOT_FOUND, "no service '%.100s' in %s", name, file);
    return NULL;
}

/* ---- accounts ---- */

/* The account whose short name (e-mail, where the word is one) is nearest, or NULL. */
static const account *nearest_account(const snapshot *s, const char *word)
{
    const size_t all = snapshot_account_count(s);
    const size_t count = all < NAMES_MAX ? all : NAMES_MAX;
    const bool whole = strchr(word, '@') != NULL;
    char **names = calloc(count + 1, sizeof *names);
    if (!names)
        abort();
    for (size_t i = 0; i < count; i++) {
        const account *a = snapshot_account(s, i);
        names[i] = span_dup(whole ? span_of(a->email) : short_name(a));
    }
    const char *near = did_you_mean(span_of(word), (const char *const *)names);
    const account *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (names[i] == near)
            found = snapshot_account(s, i);
        free(names[i]);
    }
    free(names);
    return found;
}

static void unknown_account(const snapshot *s, const char *name, error *e)
{
    const char *file = snapshot_project(s)->file;
    const service *svc = snapshot_find_service(s, span_of(name));
    if (svc) {
        error_set(e, ERR_INVALID, "'%.100s' is a service; it runs as %.*s", name,
                  SPAN_ARG(short_name(svc->account)));
        return;
    }
    const account *near = nearest_account(s, name);
    if (!near) {
        error_set(e, ERR_NOT_FOUND, "no service account '%.100s' in %s", name, file);
        return;
    }
    const span meant = strchr(name, '@') ? span_of(near->email) : short_name(near);
    error_set(e, ERR_NOT_FOUND, "no service account '%.100s' in %s; did you mean '%.*s'?", name,
              file, SPAN_ARG(meant));
}

const account *lookup_account(const snapshot *s, const char *name, error *e)
{
    const account *found = snapshot_resolve_account(s, span_of(name));
    if (!found)
        unknown_account(s, name, e);
    return found;
}

const char *lookup_caller(const snapshot *s, const char *name, error *e)
{
    const account *found = snapshot_resolve_account(s, span_of(name));
    if (found)
        return found->email;
    if (strchr(name, '@'))
        return name;
    unknown_account(s, name, e);
    return NULL;
}
