/* spec.template.spec: limits of the revision, its containers, their environment. */
#include <stdlib.h>

#include "base/buf.h"
#include "config/values.h"
#include "control/run_check.h"
#include "control/run_json.h"

enum {
    FIELD_MAX = 512,
    CONTAINERS_MAX = 10,
    TIMEOUT_MAX_S = 3600,
    CONCURRENCY_MAX = 1000,
    IMAGE_MAX = 1024,
    ENV_MAX = 1000,
    ENV_VALUE_MAX = 32 * 1024
};

#define SPEC "spec.template.spec"

/* ---- environment ---- */

static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"};
    for (size_t i = 0; i < countof(reserved); i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

static void check_secret(json_t *list, const json_t *var, const char *at)
{
    const json_t *from = run_check_member(list, var, at, "valueFrom", JSON_OBJECT);
    if (!from)
        return;
    const char *name = run_text(from, "secretKeyRef.name");
    const char *key = run_text(from, "secretKeyRef.key");
    if (!name || !*name || !key || !*key)
        run_violation(list, at, "valueFrom.secretKeyRef needs a name and a key.");
}

/* *reserved gets the names that Cloud Run sets itself. */
static void check_var(json_t *list, const json_t *var, const char *at, buf *reserved)
{
    const char *name = json_string_value(run_check_member(list, var, at, "name", JSON_STRING));
    const json_t *value = run_check_member(list, var, at, "value", JSON_STRING);
    check_secret(list, var, at);
    if (!name || !value_is_env_name(span_of(name)))
        run_violation(list, at,
                      "Environment variable names must not be empty or contain '=' or NUL.");
    else if (is_reserved(name))
        buf_fmt(reserved, "%s%s", reserved->n ? ", " : "", name);
    if (json_string_length(value) > ENV_VALUE_MAX)
        run_violation(list, at, "The value has more than %d bytes.", ENV_VALUE_MAX);
}

static bool is_repeated(const json_t *env, size_t upto, const char *name)
{
    for (size_t i = 0; name && i < upto; i++) {
        const char *other = run_text(json_array_get(env, i), "name");
        if (other && strcmp(other, name) == 0)
            return true;
    }
    return false;
}

static void check_env(json_t *list, const json_t *container, const char *at)
{
    const json_t *env = run_check_member(list, container, at, "env", JSON_ARRAY);
    auto_buf buf field = buf_make(FIELD_MAX);
    auto_buf buf reserved = buf_make(FIELD_MAX);
    buf_fmt(&field, "%s.env", at);
    if (json_array_size(env) > ENV_MAX) {
        run_violation(list, field.p, "More than %d environment variables.", ENV_MAX);
        return;
    }
    size_t i;
    json_t *var;
    json_array_foreach (env, i, var) {
        auto_buf buf each = buf_make(FIELD_MAX);
        buf_fmt(&each, "%s.env[%zu]", at, i);
        check_var(list, var, each.p, &reserved);
        if (is_repeated(env, i, run_text(var, "name")))
            run_violation(list, each.p, "The name '%.80s' is there twice.", run_text(var, "name"));
    }
    if (reserved.n)
        run_violation(list, field.p,
                      "The following reserved env names were provided: %s. These values are "
                      "automatically set by the system.",
                      reserved.p);
}

/* ---- resources, ports ---- */

/* Digits, perhaps a dot and more, then one of the suffixes. */
static bool is_quantity(span s, const char *const *suffixes)
{
    size_t n = 0, dots = 0;
    while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || (s.p[n] == '.' && n && !dots))) {
        dots += s.p[n] == '.';
        n++;
    }
    if (!n || s.p[n - 1] == '.')
        return false;
    for (; *suffixes; suffixes++)
        if (span_eq_str(span_from(s, n), *suffixes))
            return true;
    return false;
}

static void check_limits(json_t *list, const json_t *container, const char *at)
{
    static const char *const memory[] = {"",  "k",  "K",  "M",  "G",  "T",
                                         "m", "Ki", "Mi", "Gi", "Ti", NULL};
    static const char *const cpu[] = {"", "m", NULL};
    const json_t *resources = run_check_member(list, container, at, "resources", JSON_OBJECT);
    auto_buf buf field = buf_make(FIELD_MAX);
    buf_fmt(&field, "%s.resources", at);
    json_t *limits = run_check_member(list, resources, field.p, "limits", JSON_OBJECT);
    const char *key;
    json_t *value;
    json_object_foreach (limits, key, value) {
        const span text = span_of(json_string_value(value));
        const bool is_memory = strcmp(key, "memory") == 0;
        if (!text.n || (is_memory && !is_quantity(text, memory)) ||
            (strcmp(key, "cpu") == 0 && !is_quantity(text, cpu)))
            run_violation(list, field.p, "Invalid value specified for %.40s%s", key,
                          is_memory ? ": expected such as 512Mi or 2Gi."
                                    : ": expected such as 1, 2 or 1000m.");
    }
}

static void check_port(json_t *list, const json_t *port, const char *at)
{
    const char *name = json_string_value(run_check_member(list, port, at, "name", JSON_STRING));
    (void)run_check_number(list, port, at, "containerPort", 1, 65535);
    if (name && *name && strcmp(name, "http1") != 0 && strcmp(name, "h2c") != 0)
        run_violation(list, at, "Invalid port name '%.80s': should be either h2c or http1.", name);
}

/* How many ports it has. */
static size_t check_ports(json_t *list, const json_t *container, const char *at)
{
    const json_t *ports = run_check_member(list, container, at, "ports", JSON_ARRAY);
    auto_buf buf field = buf_make(FIELD_MAX);
    buf_fmt(&field, "%s.ports", at);
    if (json_array_size(ports) > 1)
        run_violation(list, field.p, "Only one port may be specified.");
    else if (json_is_object(json_array_get(ports, 0)))
        check_port(list, json_array_get(ports, 0), field.p);
    else if (json_array_size(ports))
        run_violation(list, field.p, "Invalid value at '%s': objects are expected.", field.p);
    return json_array_size(ports);
}

/* ---- containers ---- */

static void check_strings(json_t *list, const json_t *container, const char *at, const char *name)
{
    const json_t *items = run_check_member(list, container, at, name, JSON_ARRAY);
    size_t i;
    json_t *item;
    json_array_foreach (items, i, item) {
        auto_buf buf field = buf_make(FIELD_MAX);
        buf_fmt(&field, "%s.%s[%zu]", at, name, i);
        if (!json_is_string(item))
            run_violation(list, field.p, "Invalid value: a text is expected.");
    }
}

static bool is_image(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && s.n <= IMAGE_MAX;
}

static size_t check_container(json_t *list, const json_t *container, const char *at)
{
    (void)run_check_member(list, container, at, "name", JSON_STRING);
    const char *image =
        json_string_value(run_check_member(list, container, at, "image", JSON_STRING));
    auto_buf buf field = buf_make(FIELD_MAX);
    buf_fmt(&field, "%s.image", at);
    if (!is_image(span_of(image)))
        run_violation(list, field.p,
                      "Expected a container image path with format "
                      "[region.]gcr.io/repo-path[:tag or @digest], "
                      "[region-]docker.pkg.dev/repo-path[:tag or @digest] or "
                      "docker.io/repo-path[:tag or @digest], got '%.80s'.",
                      image ? image : "");
    check_strings(list, container, at, "command");
    check_strings(list, container, at, "args");
    check_env(list, container, at);
    check_limits(list, container, at);
    return check_ports(list, container, at);
}

static void check_containers(json_t *list, const json_t *spec)
{
    const json_t *containers = run_check_member(list, spec, SPEC, "containers", JSON_ARRAY);
    const size_t count = json_array_size(containers);
    if (count == 0 || count > CONTAINERS_MAX) {
        run_violation(list, SPEC ".containers",
                      "Between 1 and %d containers are expected, not %zu.", CONTAINERS_MAX, count);
        return;
    }
    size_t with_ports = 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *c = json_array_get(containers, i);
        auto_buf buf at = buf_make(FIELD_MAX);
        buf_fmt(&at, SPEC ".containers[%zu]", i);
        if (json_is_object(c))
            with_ports += check_container(list, c, at.p) > 0;
        else
            run_violation(list, at.p, "Invalid value at '%s': an object is expected.", at.p);
    }
    if (count > 1 && with_ports != 1)
        run_violation(list, SPEC ".containers",
                      "Exactly one container of several must have a port: the ingress container.");
}

/* ---- volumes ---- */

static void check_volume(json_t *list, const json_t *volume, const char *at)
{
    const char *name = json_string_value(run_check_member(list, volume, at, "name", JSON_STRING));
    if (!name || !*name)
        run_violation(list, at, "A volume needs a name.");
    auto_buf buf field = buf_make(FIELD_MAX);
    buf_fmt(&field, "%s.secret", at);
    const json_t *secret = run_check_member(list, volume, at, "secret", JSON_OBJECT);
    const json_t *items = run_check_member(list, secret, field.p, "items", JSON_ARRAY);
    size_t i;
    json_t *item;
    json_array_foreach (items, i, item) {
        if (!json_is_object(item))
            run_violation(list, field.p, "Invalid value at '%s.items': objects are expected.",
                          field.p);
    }
}

static void check_volumes(json_t *list, const json_t *spec)
{
    const json_t *volumes = run_check_member(list, spec, SPEC, "volumes", JSON_ARRAY);
    size_t i;
    json_t *volume;
    json_array_foreach (volumes, i, volume) {
        auto_buf buf at = buf_make(FIELD_MAX);
        buf_fmt(&at, SPEC ".volumes[%zu]", i);
        check_volume(list, volume, at.p);
    }
}

void run_check_template_spec(json_t *list, const json_t *spec)
{
    (void)run_check_number(list, spec, SPEC, "timeoutSeconds", 1, TIMEOUT_MAX_S);
    (void)run_check_number(list, spec, SPEC, "containerConcurrency", 0, CONCURRENCY_MAX);
    const char *runs_as =
        json_string_value(run_check_member(list, spec, SPEC, "serviceAccountName", JSON_STRING));
    if (runs_as && *runs_as && !value_is_email(span_of(runs_as)))
        run_violation(list, SPEC ".serviceAccountName",
                      "Service account '%.80s' is not the e-mail address of a service account.",
                      runs_as);
    (void)run_check_member(list, spec, SPEC, "nodeSelector", JSON_OBJECT);
    check_containers(list, spec);
    check_volumes(list, spec);
}
