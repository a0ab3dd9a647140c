#include "relay.h"

#include <stdio.h>
#include <string.h>

#include "logline.h"

/* The text of the page's first non-empty <h2>, without its markup: Cloud Run says there why. */
static size_t page_message(const char *page, char *out, size_t out_size)
{
    const char *at = strstr(page, "<h2>");
    const char *end = at ? strstr(at, "</h2>") : NULL;
    size_t n = 0;
    if (!end) {
        return 0;
    }
    bool in_tag = false;
    for (; at < end && n + 1 < out_size; at++) {
        if (*at == '<' || *at == '>') {
            in_tag = *at == '<';
        } else if (!in_tag) {
            out[n++] = *at;
        }
    }
    out[n] = '\0';
    return n;
}

/* A program of ours says why in {"error": ...}. */
static bool json_message(const answer *a, char *out, size_t out_size)
{
    json_t *body =
        answer_is_json(a) ? json_loadb(text_cstr(&a->body), a->body.size, 0, NULL) : NULL;
    const char *error = json_string_value(json_object_get(body, "error"));
    if (error) {
        snprintf(out, out_size, "%s", error);
    }
    json_decref(body);
    return error != NULL;
}

void relay_reason(const answer *a, char *out, size_t out_size)
{
    char message[256];
    if (!json_message(a, message, sizeof message) &&
        page_message(text_cstr(&a->body), message, sizeof message) == 0) {
        snprintf(message, sizeof message, "no reason given");
    }
    if (a->www_authenticate[0]) {
        snprintf(out, out_size, "%s (WWW-Authenticate: %s)", message, a->www_authenticate);
    } else {
        snprintf(out, out_size, "%s", message);
    }
    text_printable(out);
}

static reply bad_gateway(const char *name, const service_call *call, const request *r, long status,
                         const char *reason)
{
    json_t *fields = json_pack("{s:s, s:s*, s:I}", "caller", r->caller, "called", call->url,
                               "calledStatus", (json_int_t)status);
    if (fields) {
        logline_add_trace(fields, r->trace);
    }
    logline_with(SEVERITY_ERROR, fields, "call to %s failed: %s", name, reason);
    char error[768];
    if (status > 0) {
        snprintf(error, sizeof error, "%s answered %ld: %s", name, status, reason);
    } else {
        snprintf(error, sizeof error, "%s could not be called: %s", name, reason);
    }
    return reply_json(502,
                      json_pack("{s:s, s:s, s:o, s:s}", "error", error, "service", name, "status",
                                status > 0 ? json_integer(status) : json_null(), "reason", reason));
}

bool relay_call(const char *name, const service_call *call, const request *r, answer *out_answer,
                reply *out_refusal)
{
    problem p = {{0}};
    answer a;
    if (!call->url) {
        *out_refusal = bad_gateway(name, call, r, 0, "its URL is not configured");
        return false;
    }
    if (!call_service(call, &a, &p)) {
        *out_refusal = bad_gateway(name, call, r, 0, p.text);
        return false;
    }
    if (a.status < 500 && (answer_is_json(&a) || a.status == 204)) {
        *out_answer = a;
        return true;
    }
    char reason[512];
    relay_reason(&a, reason, sizeof reason);
    *out_refusal = bad_gateway(name, call, r, a.status, reason);
    answer_free(&a);
    return false;
}

reply relay_reply(answer *a)
{
    if (a->status == 204) {
        return reply_empty(204);
    }
    reply r = {.status = (unsigned)a->status, .content_type = "application/json"};
    r.body_size = a->body.size;
    r.body = text_take(&a->body);
    return r;
}
