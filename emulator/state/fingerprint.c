/* Fingerprints of what the topology's file says. Addresses are left out: `up` may give out others
 * at each start, and the APIs do not change them; where an environment variable holds a service's
 * URL that service's name stands for it, for the same reason. */
#include <stdio.h>

#include "base/hash.h"
#include "state/merge.h"

enum { TEXT_MAX = 16 * 1024 * 1024 };

/* Not secret: the fingerprints of two runs have to be equal. */
static const hash_key KEY = {UINT64_C(0x696e766f6b657221), UINT64_C(0x66696e6765727072)};

static void finish(const buf *b, char out[FINGERPRINT_TEXT])
{
    out[0] = '\0';
    if (b->n)
        (void)snprintf(out, FINGERPRINT_TEXT, "%016llx",
                       (unsigned long long)hash_bytes(KEY, b->p, b->n));
}

static void add(buf *b, const char *text)
{
    buf_json(b, span_of(text ? text : ""));
    buf_char(b, ',');
}

static void add_list(buf *b, const char *const *list)
{
    for (; list && *list; list++)
        add(b, *list);
    buf_char(b, ';');
}

/* The service whose URL the text begins with; the longest one where one is the other's beginning.
 */
static const service *url_at(const snapshot *base, span text)
{
    const service *found = NULL;
    for (size_t i = 0; i < snapshot_service_count(base); i++) {
        const service *s = snapshot_service(base, i);
        if (span_starts(text, span_of(s->url)) &&
            (!found || span_of(s->url).n > span_of(found->url).n))
            found = s;
    }
    return found;
}

static void add_value(buf *b, const snapshot *base, span value)
{
    while (value.n) {
        const service *s = value.p[0] == 'h' ? url_at(base, value) : NULL;
        if (s) {
            buf_fmt(b, "${%s.url}", s->name);
            value = span_from(value, span_of(s->url).n);
        } else {
            buf_char(b, value.p[0]);
            value = span_from(value, 1);
        }
    }
    buf_char(b, '\n');
}

void fingerprint_service(const snapshot *base, const char *name, char out[FINGERPRINT_TEXT])
{
    auto_buf buf b = buf_make(TEXT_MAX);
    const service *s = snapshot_find_service(base, span_of(name));
    if (s) {
        add(&b, s->account->email);
        add(&b, s->image);
        buf_fmt(&b, "%d %d %d %d %u %u %lld %llu %llu;", (int)s->ingress, s->iam_check,
                s->default_url_disabled, s->use_http2, (unsigned)s->max_instances,
                (unsigned)s->concurrency, (long long)s->timeout_us,
                (unsigned long long)s->body_limit, (unsigned long long)s->response_limit);
        add_list(&b, s->command);
        add_list(&b, s->custom_audiences);
        add_list(&b, s->hosts);
        add_list(&b, s->addresses);
        for (size_t i = 0; i < s->env_count; i++) {
            add(&b, s->env[i].name);
            add_value(&b, base, span_of(s->env[i].value));
        }
    }
    finish(&b, out);
}

void fingerprint_account(const snapshot *base, const char *email, char out[FINGERPRINT_TEXT])
{
    auto_buf buf b = buf_make(TEXT_MAX);
    const account *a = snapshot_find_account(base, span_of(email));
    if (a) {
        add(&b, a->email);
        add(&b, a->display_name);
        add(&b, a->description);
        buf_str(&b, a->disabled ? "1" : "0");
    }
    finish(&b, out);
}

bool binding_of(const snapshot *base, const binding *g, const char *whose)
{
    span r = span_of(whose);
    const span services = SPAN_LIT("services/"), accounts = SPAN_LIT("serviceAccounts/");
    if (g->account)
        return span_starts(r, accounts) &&
               span_ieq_str(span_from(r, accounts.n), g->account->email);
    if (g->project_level)
        return span_eq_str(r, "project");
    return span_starts(r, services) &&
           span_eq_str(span_from(r, services.n), snapshot_service(base, g->service)->name);
}

void fingerprint_policy(const snapshot *base, const char *whose, char out[FINGERPRINT_TEXT])
{
    auto_buf buf b = buf_make(TEXT_MAX);
    for (size_t i = 0; i < snapshot_binding_count(base); i++) {
        const binding *g = snapshot_binding(base, i);
        if (!binding_of(base, g, whose))
            continue;
        add(&b, g->role);
        add(&b, g->member);
        const condition_text *c = g->condition ? condition_get(g->condition) : NULL;
        add(&b, c ? c->title : NULL);
        add(&b, c ? c->description : NULL);
        add(&b, c ? c->expression : NULL);
    }
    finish(&b, out);
}

/* ---- does an entry still count? ---- */

static bool is_over(const json_t *entry, const char *fingerprint)
{
    const char *over = json_string_value(json_object_get(entry, "over"));
    return strcmp(over ? over : "", fingerprint) == 0;
}

bool state_service_counts(const snapshot *base, const char *name, const json_t *entry)
{
    char now[FINGERPRINT_TEXT];
    fingerprint_service(base, name, now);
    return entry && is_over(entry, now);
}

bool state_account_counts(const snapshot *base, const char *email, const json_t *entry)
{
    char now[FINGERPRINT_TEXT];
    fingerprint_account(base, email, now);
    return entry && is_over(entry, now);
}

bool state_policy_counts(const snapshot *base, const char *whose, const json_t *entry)
{
    char now[FINGERPRINT_TEXT];
    fingerprint_policy(base, whose, now);
    return entry && is_over(entry, now);
}
