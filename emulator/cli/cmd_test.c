/* `invoker test FILE…`: are the calls of these files let in and refused as they expect? */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/test_files.h"
#include "cli/test_live.h"
#include "cli/test_traffic.h"
#include "cli/test_up.h"
#include "expect/report.h"

#define COMMAND "test"

enum { JUNIT_MODE = 0644 };

typedef struct test_options {
    const char *config, *output, *junit, *fail_under, *control, *keys, *recording;
    bool coverage, live;
    char **files;
    /* settled */
    void (*print)(buf *b, const report *r);
    int64_t percent;
} test_options;

/* ---- what is asked for ---- */

static int choose_output(test_options *o)
{
    static const struct {
        const char *name;
        void (*print)(buf *b, const report *r);
    } outputs[] = {
        {"text", report_text}, {"tap", report_tap}, {"junit", report_junit}, {"json", report_json}};
    for (size_t i = 0; i < countof(outputs); i++)
        if (strcmp(o->output ? o->output : "text", outputs[i].name) == 0)
            o->print = outputs[i].print;
    return o->print
               ? -1
               : cli_usage_error(COMMAND, "--output is 'text', 'tap', 'junit' or 'json', not '%s'",
                                 o->output);
}

static int settle(test_options *o)
{
    o->percent = -1;
    if (o->fail_under && !percent_parse(o->fail_under, &o->percent))
        return cli_usage_error(COMMAND, "--fail-under is a percentage from 0 to 100, not '%s'",
                               o->fail_under);
    o->coverage |= o->fail_under || o->recording;
    return choose_output(o);
}

static int parse(int argc, char **argv, test_options *o)
{
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology, whatever the files say", &o->config},
        {"live", 0, CLI_FLAG, NULL, "by real requests to a gateway, of its own unless one is named",
         &o->live},
        {"control", 0, CLI_STRING, "ADDRESS", "of a running gateway ($INVOKER_CONTROL)",
         &o->control},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys, for --live", &o->keys},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default), tap, junit or json", &o->output},
        {"junit", 0, CLI_STRING, "FILE", "write JUnit XML there as well", &o->junit},
        {"coverage", 0, CLI_FLAG, NULL,
         "which cells of the matrix are asserted, and which grants nobody needs", &o->coverage},
        {"fail-under", 0, CLI_STRING, "PERCENT", "fail when less is covered (never rounded up)",
         &o->fail_under},
        {"recording", 0, CLI_STRING, "FILE",
         "what 'up --record' wrote: its calls need grants, too (as --control's do)", &o->recording},
        {0},
    };
    const int status = cli_parse(COMMAND, argc, argv, options, &o->files, NULL);
    return status < 0 ? settle(o) : status;
}

/* ---- running ---- */

/* Of the gateway that was named, by the option or the environment; NULL: none was. Caller frees. */
static char *named_control(const test_options *o, const snapshot *s)
{
    bool asked = false;
    char *address = control_address(o->control, s, &asked);
    if (!asked)
        free(TAKE(address));
    return address;
}

/* A gateway has one topology. */
static int check_control(const test_options *o, const test_suites *all)
{
    auto_free char *named = all->count > 1 ? named_control(o, all->items[0]->s) : NULL;
    if (!named || !o->live)
        return -1;
    return cli_usage_error(COMMAND,
                           "the gateway at %s has one topology, and the tests are about %zu: name "
                           "the files of one",
                           named, all->count);
}

static bool run_live(const test_options *o, suite *s, error *e)
{
    auto_free char *named = named_control(o, s->s);
    if (named)
        return test_live(s, named, o->keys, e);
    test_up up = {.pid = 0};
    if (!test_up_start(s->s, o->keys, &up, e))
        return false;
    const bool good = test_live(s, up.control, o->keys, e);
    test_up_stop(&up);
    return good;
}

static bool run_suite(const test_options *o, suite *s, int64_t now_us, error *e)
{
    if (o->live)
        return run_live(o, s, e);
    suite_run(s, now_us);
    return true;
}

/* ---- results ---- */

/* Is there any other than that of the tests? */
static bool has_traffic(const test_options *o)
{
    return o->recording || o->control;
}

/* Before the tests make some of their own. */
static bool read_traffic(const test_options *o, test_traffic *t, error *e)
{
    test_traffic_open(t);
    return (!o->recording || test_traffic_read_recording(t, o->recording, e)) &&
           (!o->control || !o->coverage || test_traffic_read_gateway(t, o->control, e));
}

static bool measure(const test_options *o, test_traffic *t, int64_t now_us, suite_report *of,
                    error *e)
{
    if (!o->coverage)
        return true;
    const usage traffic =
        has_traffic(o) ? test_traffic_needs(t, of->s->s, now_us) : (usage){NULL, NULL};
    of->has_coverage = coverage_of(of->s, now_us, &of->coverage, e);
    if (of->has_coverage)
        of->unused = unused_bindings(of->s, &traffic, &of->unused_count);
    return of->has_coverage;
}

static bool write_junit(const char *path, const report *r, error *e)
{
    auto_buf buf b = buf_make(REPORT_BYTES_MAX);
    report_junit(&b, r);
    if (!buf_ok(&b))
        return error_set(e, ERR_LIMIT, "the report is too long for %s", path);
    return file_replace_lazily(path, b.p, b.n, JUNIT_MODE, e);
}

static int print(const test_options *o, const report *r)
{
    error e = {0};
    auto_buf buf b = buf_make(REPORT_BYTES_MAX);
    if (o->junit && !write_junit(o->junit, r, &e))
        return cli_failed(COMMAND, &e);
    o->print(&b, r);
    if (buf_ok(&b))
        return cli_print(&b, report_is_good(r) ? CLI_OK : CLI_FAILED);
    error_set(&e, ERR_LIMIT, "the report is too long");
    return cli_failed(COMMAND, &e);
}

static void parts_free(suite_report *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].has_coverage)
            coverage_free(&parts[i].coverage);
        free(parts[i].unused);
    }
    free(parts);
}

static int run(const test_options *o, test_suites *all)
{
    error e = {0};
    test_traffic traffic;
    bool good = read_traffic(o, &traffic, &e);
    const int64_t from_us = clock_mono_us();
    suite_report *parts = calloc(all->count + 1, sizeof *parts);
    if (!parts)
        abort();
    report r = {.suites = parts,
                .count = all->count,
                .fail_under = o->percent,
                .started_us = clock_wall_us(),
                .live = o->live,
                .traffic = has_traffic(o),
                .colour = cli_colour(stdout)};
    for (size_t i = 0; good && i < all->count; i++) {
        parts[i].s = all->items[i];
        good = run_suite(o, all->items[i], r.started_us, &e) &&
               measure(o, &traffic, r.started_us, &parts[i], &e);
    }
    r.took_us = clock_mono_us() - from_us;
    const int status = good ? print(o, &r) : cli_failed(COMMAND, &e);
    parts_free(parts, all->count);
    test_traffic_close(&traffic);
    return status;
}

int cmd_test(int argc, char **argv)
{
    test_options o = {.config = NULL};
    int status = parse(argc, argv, &o);
    if (status >= 0)
        return status;
    test_suites all;
    status = test_suites_load(&(test_files_options){.files = o.files, .config = o.config}, &all);
    if (status < 0)
        status = check_control(&o, &all);
    if (status < 0)
        status = run(&o, &all);
    test_suites_free(&all);
    return status;
}
