/* A container's line as a log entry ("Logging and viewing logs in Cloud Run": structured logging).
 */
#include <stdlib.h>

#include "base/clock.h"
#include "control/log_filter.h"
#include "control/log_store.h"

static void put(json_t *object, const char *key, json_t *value)
{
    if (value && json_object_set_new(object, key, value) != 0)
        abort();
}

static void put_text(json_t *object, const char *key, span value)
{
    put(object, key, json_stringn(value.n ? value.p : "", value.n));
}

static void put_time(json_t *object, const char *key, int64_t wall_us, int digits)
{
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(wall_us, digits, time);
    put(object, key, json_string(time));
}

static json_t *resource_of(const container_line *line, const project *p)
{
    json_t *labels = json_object();
    put(labels, "project_id", json_string(p->id));
    put(labels, "location", json_string(p->region));
    put_text(labels, "service_name", line->service);
    put_text(labels, "configuration_name", line->service);
    put_text(labels, "revision_name", line->revision);
    return json_pack("{s:s,s:o}", "type", "cloud_run_revision", "labels", labels);
}

/* ---- structured lines ---- */

/* Moves a string that is at a special key to a field of the entry. */
static void lift(json_t *entry, const char *field, json_t *payload, const char *key)
{
    json_t *v = json_object_get(payload, key);
    if (!json_is_string(v))
        return;
    put(entry, field, json_incref(v));
    (void)json_object_del(payload, key);
}

/* Any case; a name that is no severity stays where it is. */
static void lift_severity(json_t *entry, json_t *payload)
{
    const char *name = json_string_value(json_object_get(payload, "severity"));
    const char *known = name ? log_severity_name(log_severity_number(span_of(name))) : NULL;
    if (!known)
        return;
    put(entry, "severity", json_string(known));
    (void)json_object_del(payload, "severity");
}

static void lift_labels(json_t *entry, json_t *payload)
{
    static const char special[] = "logging.googleapis.com/labels";
    const char *key = NULL;
    json_t *value = NULL;
    json_t *labels = json_object_get(payload, special);
    if (!json_is_object(labels))
        return;
    json_object_foreach (labels, key, value) {
        if (!json_is_string(value))
            return; /* labels are strings; then it is no such map */
    }
    put(entry, "labels", json_incref(labels));
    (void)json_object_del(payload, special);
}

/* An object all of whose members are of the kinds that its message has: 's'tring, 'i'nteger (which
 * is a string in protobuf's JSON) and 'b'ool. */
static bool has_members(json_t *object, const char *const *names, const char *kinds)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (object, key, value) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        const bool fits = kinds[i] == 'b' ? json_is_boolean(value) : json_is_string(value);
        if (!names[i] || (!fits && !(kinds[i] == 'i' && json_is_integer(value))))
            return false;
    }
    return json_is_object(object);
}

static void lift_objects(json_t *entry, json_t *payload)
{
    static const struct {
        const char *special, *field, *names[5], *kinds;
    } rows[] = {{"logging.googleapis.com/operation",
                 "operation",
                 {"id", "producer", "first", "last", NULL},
                 "ssbb"},
                {"logging.googleapis.com/sourceLocation",
                 "sourceLocation",
                 {"file", "function", "line", NULL},
                 "ssi"}};
    for (size_t i = 0; i < countof(rows); i++) {
        json_t *object = json_object_get(payload, rows[i].special);
        if (!has_members(object, rows[i].names, rows[i].kinds))
            continue;
        const json_t *line = json_object_get(object, "line");
        if (json_is_integer(line))
            put(object, "line", json_sprintf("%lld", (long long)json_integer_value(line)));
        put(entry, rows[i].field, json_incref(object));
        (void)json_object_del(payload, rows[i].special);
    }
}

static void lift_sampled(json_t *entry, json_t *payload)
{
    static const char special[] = "logging.googleapis.com/trace_sampled";
    json_t *v = json_object_get(payload, special);
    if (!json_is_boolean(v))
        return;
    put(entry, "traceSampled", json_incref(v));
    (void)json_object_del(payload, special);
}

/* false: it is no JSON object. */
static bool put_payload(json_t *entry, span text)
{
    json_t *payload = text.n && text.p[0] == '{' ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    if (!payload)
        return false;
    lift_severity(entry, payload);
    lift(entry, "trace", payload, "logging.googleapis.com/trace");
    lift(entry, "spanId", payload, "logging.googleapis.com/spanId");
    lift_sampled(entry, payload);
    lift_labels(entry, payload);
    lift_objects(entry, payload);
    put(entry, "jsonPayload", payload);
    return true;
}

/* ---- the entry ---- */

json_t *log_store_entry(const log_store *s, const container_line *line, const project *p)
{
    char id[LINE_ID_LEN + 1];
    json_t *e = json_object();
    log_store_insert_id(s, line, id);
    put(e, "insertId", json_string(id));
    put(e, "logName",
        json_sprintf("projects/%s/logs/run.googleapis.com%%2F%s", p->id,
                     line->stream == STREAM_STDERR ? "stderr" : "stdout"));
    put_time(e, "timestamp", line->time_us, 6);
    put_time(e, "receiveTimestamp", line->received_us, 9);
    put(e, "resource", resource_of(line, p));
    if (line->about_loss)
        put(e, "severity", json_string("WARNING"));
    if (line->about_loss || !put_payload(e, line->text))
        put_text(e, "textPayload", line->text);
    return e;
}

void log_entry_text_only(json_t *entry, const container_line *line)
{
    if (json_object_del(entry, "jsonPayload") == 0)
        put_text(entry, "textPayload", line->text);
}
