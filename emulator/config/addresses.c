/* The overlay of addresses: "NAME KIND ADDRESS" a line. */
#include "config/addresses.h"

#include <stdio.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/net.h"
#include "config/values.h"

enum { OVERLAY_BYTES_MAX = 4 * 1024 * 1024, KEY_MAX = 128, FIELDS = 3 };

struct addresses {
    char *text; /* cut up in place; the map's values point into it */
    strmap *by_key;
};

static const char *const SERVICE_KINDS[] = {"listen", "metadata", "upstream", NULL};
static const char *const SHARED_KINDS[] = {"ingress", "metadata", "control", NULL};

static bool one_of(span word, const char *const *words)
{
    for (; *words; words++)
        if (span_eq_str(word, *words))
            return true;
    return false;
}

/* "NAME KIND", the map's key. */
static span key_of(span name, span kind, char out[KEY_MAX])
{
    int n = snprintf(out, KEY_MAX, "%.*s %.*s", SPAN_ARG(name), SPAN_ARG(kind));
    return (span){out, n < 0 || n >= KEY_MAX ? 0 : (size_t)n};
}

/* Splits at runs of blanks; returns how many fields there are (counting on past FIELDS). */
static size_t split(span line, span out[FIELDS])
{
    size_t count = 0;
    while ((line = span_trim(line)).n) {
        size_t end = 0;
        while (end < line.n && line.p[end] != ' ' && line.p[end] != '\t')
            end++;
        if (count < FIELDS)
            out[count] = (span){line.p, end};
        count++;
        line = span_from(line, end);
    }
    return count;
}

static bool check_address(span kind, span address, error *e)
{
    net_addr numeric;
    span host;
    uint16_t port;
    if (!span_eq_str(kind, "upstream"))
        return net_addr_parse(address, &numeric, e);
    if (value_host_port(address, &host, &port))
        return true;
    return error_set(e, ERR_INVALID, "'%.*s' is not an address; expected HOST:PORT",
                     SPAN_ARG(address));
}

static bool check_fields(const span field[FIELDS], error *e)
{
    bool shared = span_eq_str(field[0], "-");
    if (!shared && !value_is_service_name(field[0]))
        return error_set(e, ERR_INVALID, "'%.*s' is not a service name", SPAN_ARG(field[0]));
    if (!one_of(field[1], shared ? SHARED_KINDS : SERVICE_KINDS))
        return error_set(e, ERR_INVALID, "unknown kind '%.*s'; expected %s", SPAN_ARG(field[1]),
                         shared ? "ingress, metadata or control" : "listen, metadata or upstream");
    return check_address(field[1], field[2], e);
}

static bool add_line(addresses *a, span line, error *e)
{
    span field[FIELDS];
    size_t count = split(line, field);
    if (count == 0 || field[0].p[0] == '#')
        return true;
    if (count != FIELDS)
        return error_set(e, ERR_INVALID, "expected NAME KIND ADDRESS");
    if (!check_fields(field, e))
        return false;
    char key[KEY_MAX];
    char *address = a->text + (field[2].p - a->text);
    if (!strmap_put(a->by_key, key_of(field[0], field[1], key), address))
        return error_set(e, ERR_INVALID, "%.*s %.*s is there already", SPAN_ARG(field[0]),
                         SPAN_ARG(field[1]));
    address[field[2].n] = '\0'; /* over the blank or newline behind it */
    return true;
}

addresses *addresses_read(const char *path, error *e)
{
    size_t n;
    auto_free char *text = file_read(path, OVERLAY_BYTES_MAX, &n, e);
    if (!text)
        return NULL;
    addresses *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->by_key = strmap_new();
    a->text = TAKE(text);
    span rest = {a->text, n};
    span line;
    for (unsigned number = 1; rest.n; number++) {
        (void)span_cut(&rest, '\n', &line);
        if (!add_line(a, line, e)) {
            error_wrap(e, "%s:%u", path, number);
            addresses_free(a);
            return NULL;
        }
    }
    return a;
}

void addresses_free(addresses *a)
{
    if (!a)
        return;
    strmap_free(a->by_key);
    free(a->text);
    free(a);
}

const char *addresses_get(const addresses *a, const char *name, const char *kind)
{
    char key[KEY_MAX];
    return a ? strmap_get(a->by_key, key_of(span_of(name), span_of(kind), key)) : NULL;
}
