/* Why a request that was allowed has no answer of its container, and what to do about it. */
#include <stdarg.h>

#include "gateway/admission.h"

static span PRINTF_LIKE(3, 4) said(admit *a, admission *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_clear(&a->scratch);
    buf_vfmt(&a->scratch, format, args);
    va_end(args);
    return judge_keep(m->x, buf_view(&a->scratch));
}

static const project *project_of(const admission *m)
{
    return snapshot_project(m->hold->view->snap);
}

/* Who gave it its address says what may take the place of one: of a service that an API made it is
 * the gateway itself. */
static void advise_to_attach(admit *a, admission *m)
{
    const service *s = m->service;
    const char *file = project_of(m)->file;
    m->unserved = true;
    if (s->image && !snapshot_image(m->hold->view->snap, span_of(s->image)))
        m->local_fix = said(a, m, "invoker run %s -- COMMAND, or images: { \"%s\": COMMAND } in %s",
                            s->name, s->image, file);
    else if (s->upstream)
        m->local_fix = said(a, m, "invoker run %s -- COMMAND", s->name);
    else
        m->local_fix = said(a, m, "invoker run %s -- COMMAND, or services.%s.upstream in %s",
                            s->name, s->name, file);
}

void admission_explain_missing_upstream(admit *a, admission *m)
{
    const service *s = m->service;
    m->explanation =
        s->upstream ? said(a, m, "The upstream %s of %s has no address yet.", s->upstream, s->name)
                    : said(a, m, "No upstream is attached to %s.", s->name);
    advise_to_attach(a, m);
}

void admission_explain_no_instance(admit *a, admission *m)
{
    const service *s = m->service;
    const project *p = project_of(m);
    m->explanation =
        said(a, m,
             "As many requests to %s are in flight as max_instances: %u and concurrency: %u let "
             "in: %u.",
             s->name, s->max_instances, s->concurrency, s->max_instances * s->concurrency);
    m->fix =
        said(a, m, "gcloud run services update %s --region=%s --max-instances=%u --concurrency=%u",
             s->name, p->region, s->max_instances + 1, s->concurrency);
    m->local_fix =
        said(a, m, "services.%s: raise max_instances or concurrency in %s", s->name, p->file);
}

void admission_explain_too_large(admit *a, admission *m)
{
    const service *s = m->service;
    const project *p = project_of(m);
    m->explanation = said(a, m,
                          "The request body is larger than %llu MiB, the most that a container "
                          "may get that does not speak HTTP/2.",
                          (unsigned long long)(s->body_limit >> 20));
    m->fix =
        said(a, m, "gcloud run services update %s --region=%s --use-http2", s->name, p->region);
    m->local_fix = said(a, m, "services.%s: use_http2: true or limits: { request_body: off } in %s",
                        s->name, p->file);
}

static void explain_large_response(admit *a, admission *m)
{
    const service *s = m->service;
    const project *p = project_of(m);
    m->explanation = said(a, m,
                          "The response declares a length above %llu MiB, its head included; only "
                          "one without Content-Length (Transfer-Encoding: chunked) or over HTTP/2 "
                          "may be larger.",
                          (unsigned long long)(s->response_limit >> 20));
    m->fix =
        said(a, m, "gcloud run services update %s --region=%s --use-http2", s->name, p->region);
    m->local_fix =
        said(a, m, "services.%s: use_http2: true or limits: { response_body: off } in %s", s->name,
             p->file);
}

static span what_failed(admit *a, admission *m, proxy_failure f)
{
    const service *s = m->service;
    const char *detail = exchange_failure_detail(m->x);
    char address[NET_ADDR_TEXT_MAX];
    (void)net_addr_text(&m->hold->view->services[s->index].upstream, address);
    if (f == PROXY_TIMEOUT)
        return said(a, m,
                    "The upstream of %s at %s did not answer completely within its timeout of "
                    "%lld ms.",
                    s->name, address, (long long)(s->timeout_us / 1000));
    if (f == PROXY_BAD_RESPONSE)
        return said(a, m,
                    "The upstream of %s at %s closed the connection or sent what is not HTTP: %s.",
                    s->name, address, detail ? detail : "no answer came");
    return said(a, m, "The upstream of %s at %s does not accept connections.", s->name, address);
}

void admission_explain_failure(admit *a, admission *m, proxy_failure f)
{
    if (f == PROXY_REQUEST_TOO_LARGE)
        admission_explain_too_large(a, m);
    else if (f == PROXY_RESPONSE_TOO_LARGE)
        explain_large_response(a, m);
    else
        m->explanation = what_failed(a, m, f);
    if (f == PROXY_CONNECT_FAILED)
        advise_to_attach(a, m);
}
