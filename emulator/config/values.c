/* The small grammars of topology files. */
#include "config/values.h"

#include "base/net.h"

enum {
    SERVICE_NAME_MAX = 49,
    ACCOUNT_NAME_MAX = 30,
    PROJECT_ID_MIN = 6,
    PROJECT_ID_MAX = 30,
    EMAIL_MAX = 254,
    HOST_MAX = 253,
    LABEL_MAX = 63
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/* ---- durations ---- */

typedef struct unit {
    const char *name;
    int64_t us;
} unit;

static const unit UNITS[] = {
    {"h", INT64_C(3600000000)}, {"m", INT64_C(60000000)}, {"s", 1000000}, {"ms", 1000}};

/* The unit that text begins with, at or behind *from; the letters taken leave text. */
static const unit *take_unit(span *text, size_t *from)
{
    size_t letters = 0;
    while (letters < text->n && is_lower(text->p[letters]))
        letters++;
    span word = {text->p, letters};
    for (size_t i = *from; i < sizeof UNITS / sizeof UNITS[0]; i++) {
        if (!span_eq_str(word, UNITS[i].name))
            continue;
        *from = i + 1;
        *text = span_from(*text, letters);
        return &UNITS[i];
    }
    return NULL;
}

bool value_duration_us(span text, int64_t *out_us)
{
    int64_t total = 0;
    size_t from = 0;
    if (text.n == 0)
        return false;
    while (text.n) {
        size_t digits = 0;
        while (digits < text.n && is_digit(text.p[digits]))
            digits++;
        uint64_t number;
        if (!span_u64((span){text.p, digits}, 1000000000, &number))
            return false;
        text = span_from(text, digits);
        const unit *u = take_unit(&text, &from);
        if (!u)
            return false;
        total += (int64_t)number * u->us; /* at most 10^9 hours and a bit: 3.6 * 10^18 */
    }
    *out_us = total;
    return true;
}

/* ---- names ---- */

/* a-z 0-9 -, a letter first, no hyphen last */
static bool is_label(span text, size_t least, size_t most)
{
    if (text.n < least || text.n > most || !is_lower(text.p[0]) || text.p[text.n - 1] == '-')
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!is_lower(text.p[i]) && !is_digit(text.p[i]) && text.p[i] != '-')
            return false;
    return true;
}

bool value_is_service_name(span text)
{
    return is_label(text, 1, SERVICE_NAME_MAX);
}

bool value_is_account_name(span text)
{
    return is_label(text, 1, ACCOUNT_NAME_MAX);
}

bool value_is_project_id(span text)
{
    return is_label(text, PROJECT_ID_MIN, PROJECT_ID_MAX);
}

bool value_is_project_number(span text)
{
    uint64_t number;
    return text.n && text.n <= 19 && text.p[0] != '0' && span_u64(text, UINT64_MAX, &number);
}

bool value_is_unique_id(span text)
{
    size_t digits = 0;
    while (digits < text.n && is_digit(text.p[digits]))
        digits++;
    return text.n == 21 && digits == text.n && text.p[0] == '1';
}

bool value_is_region(span text)
{
    size_t digits = 0;
    while (digits < text.n && is_digit(text.p[text.n - 1 - digits]))
        digits++;
    if (digits == 0 || digits > 2)
        return false;
    span words = {text.p, text.n - digits};
    bool two_words = span_find(words, '-') != words.n;
    return two_words && is_label(words, 3, 40);
}

/* Underscores are no host names by the book, but Compose services have them. */
static bool is_dns_label(span label)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!is_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
            return false;
    return true;
}

bool value_is_host_name(span text)
{
    if (text.n > HOST_MAX)
        return false;
    span rest = text;
    span label;
    while (span_cut(&rest, '.', &label))
        if (!is_dns_label(label))
            return false;
    return is_dns_label(label);
}

bool value_is_email(span text)
{
    span domain = text;
    span local;
    if (text.n > EMAIL_MAX || !span_cut(&domain, '@', &local) || local.n == 0)
        return false;
    for (size_t i = 0; i < local.n; i++)
        if (!is_alnum(local.p[i]) && !strchr("!#$%&'*+-/=?^_`{|}~.", local.p[i]))
            return false;
    return value_is_host_name(domain) && span_find(domain, '.') != domain.n;
}

bool value_is_service_account_email(span text)
{
    return value_is_email(text) && span_ends(text, SPAN_LIT(".gserviceaccount.com"));
}

bool value_is_env_name(span text)
{
    return text.n && span_find(text, '=') == text.n;
}

/* ---- addresses ---- */

/* "host" or "[v6]" from the front of text. */
static bool take_host(span *text, span *out_host)
{
    size_t end = span_find(*text, ':');
    if (text->n && text->p[0] == '[') {
        end = span_find(*text, ']') + 1;
        net_cidr v6;
        if (end > text->n || end > NET_ADDR_TEXT_MAX ||
            span_find((span){text->p, end}, '/') != end ||
            !net_cidr_parse((span){text->p + 1, end - 2}, &v6, NULL))
            return false;
    } else if (!value_is_host_name((span){text->p, end})) {
        return false;
    }
    *out_host = (span){text->p, end};
    *text = span_from(*text, end);
    return true;
}

static bool take_port(span text, uint16_t *out_port)
{
    uint64_t port;
    if (text.n < 2 || text.p[0] != ':' || !span_u64(span_from(text, 1), 65535, &port) || port == 0)
        return false;
    *out_port = (uint16_t)port;
    return true;
}

bool value_host_port(span text, span *out_host, uint16_t *out_port)
{
    span rest = text;
    return take_host(&rest, out_host) && take_port(rest, out_port);
}

static bool is_http(span scheme)
{
    return span_ieq_str(scheme, "http") || span_ieq_str(scheme, "https");
}

bool value_origin(span text, origin *out)
{
    origin o = {0};
    span rest = text;
    if (!span_cut(&rest, ':', &o.scheme) || !is_http(o.scheme) ||
        !span_starts(rest, SPAN_LIT("//")))
        return false;
    rest = span_from(rest, 2);
    if (span_ends(rest, SPAN_LIT("/")))
        rest.n--;
    if (!take_host(&rest, &o.host))
        return false;
    o.port = span_ieq_str(o.scheme, "http") ? 80 : 443;
    o.has_port = rest.n != 0;
    if (o.has_port && !take_port(rest, &o.port))
        return false;
    *out = o;
    return true;
}
