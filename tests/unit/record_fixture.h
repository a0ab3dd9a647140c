/* A view and a record of a finished request, for the tests of log and ring. */
#ifndef RECORD_FIXTURE_H
#define RECORD_FIXTURE_H

#include "check_main.h"
#include "gateway/record.h"
#include "policy_fixture.h"

#define RECORD_INSERT_ID "663760330006df7c63521728"

static snapshot *record_snap;
static host_names *record_names;
static loop *record_loop;
static upstreams *record_upstreams;
static view *record_view;
static trace record_trace;

static void record_names_changed(void *ctx)
{
    (void)ctx;
}

static inline void record_setup(void)
{
    record_snap = fixture_tutorial();
    record_loop = loop_new(NULL);
    record_names = host_names_open(record_loop, record_names_changed, NULL);
    record_upstreams = upstreams_new(record_names);
    record_view =
        view_new(&(view_parts){.serial = 1, .snap = record_snap, .upstreams = record_upstreams});
    record_trace = (trace){.id = "105445aa7843bc8bf206b12000100000", .span_id = 0x1f};
}

static inline void record_teardown(void)
{
    view_unref(record_view);
    upstreams_free(record_upstreams);
    host_names_close(record_names);
    loop_free(record_loop);
    snapshot_unref(record_snap);
}

static inline record record_refusal(void)
{
    return (record){.wall_us = NOW_US + 123456,
                    .insert_id = {0x663760330006df7c, 0x63521728},
                    .view = record_view,
                    .service = fixture_find(record_snap, "backend-api"),
                    .reason = REASON_NO_GRANT,
                    .decided = true,
                    .method = SPAN_LIT("GET"),
                    .target = SPAN_LIT("/a?b"),
                    .host = SPAN_LIT("h:1"),
                    .version = SPAN_LIT("HTTP/1.1"),
                    .remote_ip = SPAN_LIT("203.0.113.7"),
                    .server_ip = SPAN_LIT("127.0.0.1"),
                    .caller = SPAN_LIT("x@y.example"),
                    .explanation = SPAN_LIT("because"),
                    .fix = SPAN_LIT("gcloud run"),
                    .text_payload = "not authorized",
                    .trace = &record_trace,
                    .outcome = {.status = 403, .request_bytes = 10, .response_bytes = 20}};
}

static inline record record_passed(void)
{
    record r = record_refusal();
    r.reason = REASON_GRANTED;
    r.explanation = r.fix = (span){0};
    r.text_payload = NULL;
    r.granted_file = "t.yaml";
    r.granted_line = 7;
    r.outcome.status = 200;
    r.outcome.forwarded = true;
    r.outcome.latency_us = 1234567;
    return r;
}

/* The refusal, in audit mode. */
static inline record record_audited(void)
{
    record r = record_refusal();
    r.audited = true;
    r.text_payload = NULL;
    r.outcome.status = 200;
    r.outcome.forwarded = true;
    r.outcome.latency_us = 1234567;
    return r;
}

#endif
