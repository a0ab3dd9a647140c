/* The request as the judge reads it. */
#include "proxy/exchange_impl.h"

void exchange_add_field(exchange *x, span name, span value)
{
    if (x->field_count == x->field_room) {
        field *more = exchange_alloc(x, 2 * x->field_room * sizeof *more);
        memcpy(more, x->fields, x->field_count * sizeof *more);
        x->fields = more;
        x->field_room *= 2;
    }
    x->fields[x->field_count++] = (field){name, value};
}

/* absolute-form names the host itself (RFC 9112 §3.2.2); the upstream is asked in origin-form. */
static void split_absolute(exchange *x)
{
    const size_t colon = span_find(x->target, ':');
    span rest = span_from(x->target, colon + 3);
    x->scheme = (span){x->target.p, colon};
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    x->named_host = (span){rest.p, end};
    x->outgoing = span_from(rest, end);
    if (x->outgoing.n && x->outgoing.p[0] == '/')
        return;
    char *rooted = exchange_alloc(x, x->outgoing.n + 1);
    rooted[0] = '/';
    if (x->outgoing.n)
        memcpy(rooted + 1, x->outgoing.p, x->outgoing.n);
    x->outgoing = (span){rooted, x->outgoing.n + 1};
}

void exchange_set_target(exchange *x, span target)
{
    x->target = x->outgoing = exchange_keep(x, target);
    if (target.n > 8 && target.p[0] != '/' &&
        (span_ieq((span){target.p, 7}, SPAN_LIT("http://")) ||
         span_ieq((span){target.p, 8}, SPAN_LIT("https://"))))
        split_absolute(x);
    x->path = (span){x->outgoing.p, span_find(x->outgoing, '?')};
}

span exchange_method(const exchange *x)
{
    return x->method;
}

span exchange_target(const exchange *x)
{
    return x->target;
}

span exchange_path(const exchange *x)
{
    return x->path;
}

span exchange_host(const exchange *x)
{
    return x->named_host.n ? x->named_host : x->host;
}

span exchange_version(const exchange *x)
{
    return x->version;
}

static bool is_called(const field *f, span name)
{
    return f->name.n == name.n && span_ieq(f->name, name);
}

span exchange_field_at(const exchange *x, const char *name, size_t i)
{
    for (size_t k = 0; k < x->field_count; k++)
        if (is_called(&x->fields[k], span_of(name)) && i-- == 0)
            return x->fields[k].value;
    return (span){0};
}

size_t exchange_field(const exchange *x, const char *name, span *out_first)
{
    const span wanted = span_of(name);
    size_t count = 0;
    for (size_t i = 0; i < x->field_count; i++) {
        if (!is_called(&x->fields[i], wanted))
            continue;
        if (count++ == 0 && out_first)
            *out_first = x->fields[i].value;
    }
    return count;
}

const net_addr *exchange_peer(const exchange *x)
{
    return x->peer;
}

void *exchange_tag(const exchange *x)
{
    return x->tag;
}

bool exchange_is_secure(const exchange *x)
{
    return x->secure;
}

span exchange_scheme(const exchange *x)
{
    return x->scheme;
}

bool exchange_declared_length(const exchange *x, uint64_t *out_bytes)
{
    if (x->framing.has_length)
        *out_bytes = x->framing.length;
    return x->framing.has_length;
}

int64_t exchange_started_us(const exchange *x)
{
    return x->started_us;
}

size_t exchange_request_head_bytes(const exchange *x)
{
    return x->head_bytes;
}

void exchange_set_user(exchange *x, void *user)
{
    x->user = user;
}

void *exchange_user(const exchange *x)
{
    return x->user;
}
