/* Cloud Logging v2, for reading: entries:list and the names of the logs. Entries are the requests
 * that the gateway remembers and the lines of containers that the store keeps. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "control/api_impl.h"
#include "control/log_request.h"

enum { LOOKED_AT_MAX = 3000 };

/* Something that may become an entry. */
typedef struct candidate {
    log_place place;
    const void *request; /* for the backend, or NULL: */
    bool advice;         /* about the request, not itself */
    container_line line; /* a container's line */
} candidate;

typedef struct listing {
    api_call *call;
    log_request asked;
    int64_t from_us, till_us; /* all that can match */
    candidate *all;
    size_t count, room;
} listing;

static log_store *logs_of(const api_call *c)
{
    return api_session_of(c)->control->logs;
}

/* ---- gathering ---- */

static bool is_wanted(const listing *l, const log_place *p)
{
    if (p->time_us < l->from_us || p->time_us > l->till_us)
        return false;
    if (!l->asked.goes_on)
        return true;
    const int order = log_place_order(p, &l->asked.from);
    return l->asked.newest_first ? order < 0 : order > 0;
}

static void add(listing *l, const candidate *one)
{
    if (!is_wanted(l, &one->place))
        return;
    l->all = array_room(l->all, l->count, &l->room, sizeof *l->all);
    l->all[l->count++] = *one;
}

static void add_line(void *ctx, const container_line *line)
{
    listing *l = ctx;
    candidate one = {.place.time_us = line->time_us, .line = *line};
    log_store_insert_id(logs_of(l->call), line, one.place.id);
    add(l, &one);
}

static void add_request(listing *l, const control_request *r)
{
    candidate one = {.place.time_us = r->time_us, .request = r->request};
    const span id = span_of(r->insert_id);
    memcpy(one.place.id, id.p, id.n < LOG_ID_MAX ? id.n : LOG_ID_MAX);
    add(l, &one);
    if (!r->unserved)
        return;
    one.advice = true;
    one.place.id[id.n < LOG_ID_MAX ? id.n : LOG_ID_MAX - 1] = '1'; /* just behind it */
    add(l, &one);
}

static int oldest_first(const void *a, const void *b)
{
    return log_place_order(&((const candidate *)a)->place, &((const candidate *)b)->place);
}

static int newest_first(const void *a, const void *b)
{
    return oldest_first(b, a);
}

/* ---- answering ---- */

static json_t *entry_of(const listing *l, const candidate *one)
{
    const api_call *c = l->call;
    const control_request r = {
        .time_us = one->place.time_us, .request = one->request, .advice = one->advice};
    json_t *entry = one->request ? c->backend->log_entry(c->backend->ctx, &r) : NULL;
    if (one->advice)
        (void)json_object_set_new(entry, "insertId", json_string(one->place.id));
    if (entry)
        return entry;
    return log_store_entry(logs_of(c), &one->line, snapshot_project(api_snapshot(c)));
}

/* Appends what matches; *out_last is the last one on the page, or the last that was looked at.
 * false: there is nothing behind it. */
static bool fill_page(const listing *l, json_t *entries, const log_place **out_last)
{
    for (size_t i = 0; i < l->count; i++) {
        json_auto_t *entry = entry_of(l, &l->all[i]);
        const bool matches = log_filter_matches(l->asked.filter, entry);
        if (matches && json_array_size(entries) == l->asked.page_size)
            return true;
        if (matches) {
            if (l->asked.text_only && !l->all[i].request)
                log_entry_text_only(entry, &l->all[i].line);
            (void)json_array_append(entries, entry);
            *out_last = &l->all[i].place;
        }
        if (i + 1 == LOOKED_AT_MAX && i + 1 < l->count) {
            *out_last = &l->all[i].place;
            return true; /* an empty page may have a token too */
        }
    }
    return false;
}

static void reply_page(listing *l)
{
    const log_place *last = NULL;
    json_t *entries = json_array();
    json_t *body = json_object();
    if (l->count)
        qsort(l->all, l->count, sizeof *l->all,
              l->asked.newest_first ? newest_first : oldest_first);
    const bool more = fill_page(l, entries, &last);
    if (json_array_size(entries))
        (void)json_object_set(body, "entries", entries);
    json_decref(entries);
    if (more) {
        auto_buf buf token = buf_make(256);
        log_page_token(last, l->asked.filter_text, l->asked.newest_first, &token);
        (void)json_object_set_new(body, "nextPageToken", json_string(token.p));
    }
    api_reply(l->call, 200, body);
}

static void free_listing(listing *l)
{
    log_filter_free(l->asked.filter);
    free(l->all);
    free(l);
}

static void on_requests(void *arg, const control_request *all, size_t count)
{
    listing *l = arg;
    for (size_t i = 0; i < count; i++)
        add_request(l, &all[i]);
    log_store_each(logs_of(l->call), log_filter_bounds(l->asked.filter).service, add_line, l);
    reply_page(l);
    free_listing(l);
}

/* Names have one spelling only; a bound may have another. */
static void lower_name(span name, char out[64])
{
    for (size_t i = 0; i < name.n && i < 63; i++) {
        out[i] = name.p[i];
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = "abcdefghijklmnopqrstuvwxyz"[out[i] - 'A'];
    }
}

static void list_entries(api_call *c)
{
    listing *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    l->call = c;
    if (!log_request_read(c, &l->asked)) {
        free_listing(l);
        return;
    }
    const log_bounds b = log_filter_bounds(l->asked.filter);
    l->from_us = b.from_us;
    l->till_us = b.till_us;
    if (l->asked.goes_on && l->asked.newest_first && l->asked.from.time_us < l->till_us)
        l->till_us = l->asked.from.time_us;
    if (l->asked.goes_on && !l->asked.newest_first && l->asked.from.time_us > l->from_us)
        l->from_us = l->asked.from.time_us;
    control_requests_query q = {.from_us = l->from_us, .till_us = l->till_us};
    lower_name(b.service, q.service);
    c->backend->requests(c->backend->ctx, &q, on_requests, l);
}

/* ---- the names of logs ---- */

typedef struct names {
    api_call *call;
    bool has[2]; /* by line_stream */
} names;

static void note_stream(void *ctx, const container_line *line)
{
    names *n = ctx;
    n->has[line->stream] = true;
}

static void on_request_known(void *arg, const control_request *all, size_t count)
{
    names *n = arg;
    const char *in = snapshot_project(api_snapshot(n->call))->id;
    json_t *list = json_array();
    json_t *body = json_object();
    for (size_t i = 0; i < count; i++)
        n->has[STREAM_STDERR] = n->has[STREAM_STDERR] || all[i].unserved;
    log_store_each(logs_of(n->call), (span){0}, note_stream, n);
    const struct {
        const char *id;
        bool is_there;
    } logs[] = {{"requests", count != 0},
                {"stderr", n->has[STREAM_STDERR]},
                {"stdout", n->has[STREAM_STDOUT]}};
    for (size_t i = 0; i < countof(logs); i++)
        if (logs[i].is_there)
            (void)json_array_append_new(
                list, json_sprintf("projects/%s/logs/run.googleapis.com%%2F%s", in, logs[i].id));
    if (json_array_size(list))
        (void)json_object_set(body, "logNames", list);
    json_decref(list);
    api_reply(n->call, 200, body);
    free(n);
}

static void list_logs(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return;
    names *n = calloc(1, sizeof *n);
    if (!n)
        abort();
    n->call = c;
    const control_requests_query q = {0};
    c->backend->requests(c->backend->ctx, &q, on_request_known, n);
}

const api_route logging_routes[] = {
    {.method = "POST", .pattern = "/v2/entries:list", .serve = list_entries},
    {.method = "GET", .pattern = "/v2/projects/{}/logs", .serve = list_logs},
    {0}};
