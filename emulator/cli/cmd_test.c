/* `invoker test FILE…`: are the calls of these files let in and refused as they expect? */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/test_files.h"
#include "expect/report.h"

#define COMMAND "test"

enum { JUNIT_MODE = 0644 };

typedef struct test_options {
    const char *config, *output, *junit, *fail_under;
    bool coverage;
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
    o->coverage |= o->fail_under != NULL;
    return choose_output(o);
}

static int parse(int argc, char **argv, test_options *o)
{
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology, whatever the files say", &o->config},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default), tap, junit or json", &o->output},
        {"junit", 0, CLI_STRING, "FILE", "write JUnit XML there as well", &o->junit},
        {"coverage", 0, CLI_FLAG, NULL,
         "which cells of the matrix are asserted, and which grants nobody needs", &o->coverage},
        {"fail-under", 0, CLI_STRING, "PERCENT", "fail when less is covered (never rounded up)",
         &o->fail_under},
        {0},
    };
    const int status = cli_parse(COMMAND, argc, argv, options, &o->files, NULL);
    return status < 0 ? settle(o) : status;
}

/* ---- results ---- */

static bool measure(const test_options *o, int64_t now_us, suite_report *of, error *e)
{
    const usage traffic = {NULL, NULL};
    if (!o->coverage)
        return true;
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

static int run(const test_options *o, test_suites *all)
{
    error e = {0};
    bool good = true;
    const int64_t from_us = clock_mono_us();
    report r = {.count = all->count,
                .fail_under = o->percent,
                .started_us = clock_wall_us(),
                .colour = cli_colour(stdout)};
    suite_report *parts = calloc(all->count + 1, sizeof *parts);
    if (!parts)
        abort();
    r.suites = parts;
    for (size_t i = 0; good && i < all->count; i++) {
        suite_run(all->items[i], r.started_us);
        parts[i].s = all->items[i];
        good = measure(o, r.started_us, &parts[i], &e);
    }
    r.took_us = clock_mono_us() - from_us;
    const int status = good ? print(o, &r) : cli_failed(COMMAND, &e);
    for (size_t i = 0; i < all->count; i++) {
        if (parts[i].has_coverage)
            coverage_free(&parts[i].coverage);
        free(parts[i].unused);
    }
    free(parts);
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
        status = run(&o, &all);
    test_suites_free(&all);
    return status;
}
