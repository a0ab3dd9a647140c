/* The walk over what the files speak of; lines and accounts. */
#include "cli/diff.h"

#include <stdarg.h>

static void put_place(buf *b, place at)
{
    if (at.file)
        place_put(b, at, false);
    else
        buf_str(b, "by default");
}

void diff_only(differ *d, bool here, place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_place(d->out, at);
    buf_str(d->out, here ? ": only here: " : ": only there: ");
    buf_vfmt(d->out, fmt, args);
    buf_char(d->out, '\n');
    va_end(args);
    d->count++;
}

void diff_value(differ *d, const char *subject, const char *key, place here_at, const char *here,
                place there_at, const char *there)
{
    if (strcmp(here, there) == 0)
        return;
    put_place(d->out, there_at);
    buf_fmt(d->out, ": %s: %s is ", subject, key);
    buf_json(d->out, span_of(there));
    buf_str(d->out, ", here ");
    buf_json(d->out, span_of(here));
    buf_str(d->out, " (");
    put_place(d->out, here_at);
    buf_str(d->out, ")\n");
    d->count++;
}

static place account_place(const differ *d)
{
    return (place){snapshot_project(d->here)->file, 0, 0};
}

static void diff_account(differ *d, const found_account *f)
{
    const account *there = snapshot_find_account(d->there->s, span_of(f->email));
    const account *here = snapshot_find_account(d->here, span_of(f->email));
    const place at = f->map ? f->map->at : (place){0};
    if (!f->map)
        return; /* only named somewhere */
    if (!here) {
        diff_only(d, false, at, "service account %s", f->email);
        return;
    }
    const place of = account_place(d);
    diff_value(d, f->email, "display_name", of, here->display_name, at, there->display_name);
    diff_value(d, f->email, "description", of, here->description, at, there->description);
    diff_value(d, f->email, "disabled", of, here->disabled ? "true" : "false", at,
               there->disabled ? "true" : "false");
}

/* ---- custom roles ---- */

static bool has(const char *const *list, const char *text)
{
    for (; *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

static void diff_role(differ *d, const node *map)
{
    const char *name = import_text(node_get(map, "name"));
    const custom_role *here = snapshot_find_role(d->here, span_of(name));
    const custom_role *there = snapshot_find_role(d->there->s, span_of(name));
    if (!here) {
        diff_only(d, false, map->at, "role %s", name);
        return;
    }
    for (const char *const *p = there->permissions; *p; p++)
        if (!has(here->permissions, *p))
            diff_only(d, false, map->at, "role %s permits %s", name, *p);
    for (const char *const *p = here->permissions; *p; p++)
        if (!has(there->permissions, *p))
            diff_only(d, true, account_place(d), "role %s permits %s", name, *p);
}

void diff_all(differ *d)
{
    const imported *m = d->there;
    for (size_t i = 0; i < m->accounts.count; i++)
        diff_account(d, &m->accounts.items[i]);
    for (size_t i = 0; i < m->roles.count; i++)
        diff_role(d, m->roles.items[i]);
    for (size_t i = 0; i < m->services.count; i++)
        if (m->services.items[i].map)
            diff_service(d, &m->services.items[i]);
    for (size_t i = 0; i < m->policies.count; i++)
        diff_policy(d, &m->policies.items[i]);
}
