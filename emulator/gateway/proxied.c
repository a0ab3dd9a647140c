/* Requests to the shared ingress as a proxy, target in absolute-form. */
#include "gateway/admission.h"

enum { DEFAULT_HTTP_PORT = 80, DEFAULT_HTTPS_PORT = 443 };

bool proxied_is(const admit *a, const admission *m)
{
    return a->o.egress && !m->door->service && exchange_scheme(m->x).n;
}

static bool is_https(const admission *m)
{
    return span_ieq_str(exchange_scheme(m->x), "https");
}

static bool target(const admission *m, span *out_host, uint16_t *out_port)
{
    return connect_authority(exchange_host(m->x),
                             is_https(m) ? DEFAULT_HTTPS_PORT : DEFAULT_HTTP_PORT, out_host,
                             out_port);
}

static door *own_door(const admit *a, const admission *m)
{
    span host;
    uint16_t port;
    return target(m, &host, &port) ? egress_door(a->o.egress, host, port) : NULL;
}

const service *proxied_service(const admit *a, const admission *m)
{
    door *d = own_door(a, m);
    return d && d->service ? door_service(d, m->hold->view) : NULL;
}

/* ---- answers ---- */

static reply text_reply(exchange *x, unsigned status, span text)
{
    field *fields = exchange_alloc(x, sizeof *fields);
    fields[0] = (field){SPAN_LIT("content-type"), SPAN_LIT("text/plain; charset=utf-8")};
    return (reply){
        .status = status, .fields = fields, .field_count = 1, .body = judge_keep(x, text)};
}

static void answer(admission *m, unsigned status, span text)
{
    m->unlogged = true;
    m->explanation = judge_keep(m->x, span_trim(text));
    const reply r = text_reply(m->x, status, text);
    exchange_reply(m->x, &r);
}

/* Cloud Run's front end serves http:// only to say where it moved. */
static void redirect(admit *a, admission *m)
{
    buf *b = &a->scratch;
    buf_clear(b);
    buf_str(b, "https");
    buf_span(b, span_from(exchange_target(m->x), exchange_scheme(m->x).n));
    const span location = judge_keep(m->x, buf_view(b));
    buf_clear(b);
    buf_str(b, "<HTML><HEAD><meta http-equiv=\"content-type\" "
               "content=\"text/html;charset=utf-8\">\n<TITLE>302 Moved</TITLE></HEAD><BODY>\n"
               "<H1>302 Moved</H1>\nThe document has moved\n<A HREF=\"");
    buf_html(b, location);
    buf_str(b, "\">here</A>.\r\n</BODY></HTML>\r\n");
    m->unlogged = true;
    m->explanation = SPAN_LIT("Cloud Run serves run.app names over https only.");
    const field fields[] = {{SPAN_LIT("content-type"), SPAN_LIT("text/html; charset=UTF-8")},
                            {SPAN_LIT("location"), location},
                            {SPAN_LIT("server"), SPAN_LIT(PAGE_SERVER)}};
    exchange_reply(m->x, &(reply){.status = 302,
                                  .fields = fields,
                                  .field_count = countof(fields),
                                  .body = buf_view(b)});
}

/* ---- passing on ---- */

static void explain_unreachable(const admission *m, const char *why, buf *b)
{
    buf_fmt(b, "%.*s cannot be reached: %s.\n", SPAN_ARG(exchange_host(m->x)), why);
}

static void on_found(egress_wait *w, const net_addr *to)
{
    admission *m = container_of(w, admission, wait);
    if (to) {
        m->passed_on = true;
        exchange_forward(m->x, &(forward){.upstream = *to});
        return;
    }
    auto_buf buf b = buf_make(PAGE_BODY_MAX);
    explain_unreachable(m, "there is no such host", &b);
    answer(m, 502, buf_view(&b));
}

void proxied_failure(admission *m, proxy_failure f, reply *out)
{
    auto_buf buf b = buf_make(PAGE_BODY_MAX);
    const char *detail = exchange_failure_detail(m->x);
    explain_unreachable(m, detail ? detail : proxy_failure_name(f), &b);
    *out = text_reply(m->x, 502, buf_view(&b));
}

static void pass_on(const admit *a, admission *m, span host, uint16_t port)
{
    m->wait.done = on_found;
    exchange_defer(m->x);
    egress_find(a->o.egress, &m->wait, exchange_peer(m->x), host, port);
}

bool proxied_judge(admit *a, admission *m)
{
    if (m->service) {
        if (!m->by_run_app_host || is_https(m) || exchange_is_secure(m->x))
            return false;
        redirect(a, m);
        return true;
    }
    span host;
    uint16_t port;
    if (!target(m, &host, &port) || own_door(a, m))
        return false;
    auto_buf buf why = buf_make(PAGE_BODY_MAX);
    if (!egress_may(m->hold->view, exchange_peer(m->x), host, &why))
        answer(m, 403, buf_view(&why));
    else if (is_https(m))
        answer(m, 502, SPAN_LIT("Ask for https:// by CONNECT: the proxy speaks no TLS for you.\n"));
    else
        pass_on(a, m, host, port);
    return true;
}
