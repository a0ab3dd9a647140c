/* `invoker keys init|list|rotate`: the folder of signing keys. */
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "jose/keystore.h"

#define COMMAND "keys"

/* An identity token lives for an hour; twice that leaves room for late clocks and caches. */
enum { OVERLAP_DEFAULT_S = 7200, REPORT_MAX = 64 * 1024 };

typedef struct keys_options {
    const char *dir; /* the folder, settled */
    int64_t overlap_s;
    bool json;
} keys_options;

static void store_auto(keystore **p)
{
    keystore_close(*p);
}

static void add_text(buf *b, const keystore *k)
{
    buf_str(b, "KID                                       CREATED               STATE\n");
    for (size_t i = 0; i < keystore_count(k); i++) {
        const key_info info = keystore_info(k, i);
        buf_fmt(b, "%s  ", info.kid);
        cli_add_time(b, info.created_s);
        buf_str(b, info.signing ? "  signs" : "  published");
        if (info.published_until_s) {
            buf_str(b, " until ");
            cli_add_time(b, info.published_until_s);
        }
        buf_char(b, '\n');
    }
}

static void add_json(buf *b, const keystore *k, const char *dir)
{
    buf_str(b, "{\"folder\":");
    buf_json(b, span_of(dir));
    buf_str(b, ",\"keys\":[");
    for (size_t i = 0; i < keystore_count(k); i++) {
        const key_info info = keystore_info(k, i);
        buf_fmt(b, "%s{\"kid\":\"%s\",\"created\":\"", i ? "," : "", info.kid);
        cli_add_time(b, info.created_s);
        buf_fmt(b, "\",\"signing\":%s,\"published_until\":", info.signing ? "true" : "false");
        if (info.published_until_s) {
            buf_char(b, '"');
            cli_add_time(b, info.published_until_s);
            buf_str(b, "\"}");
        } else {
            buf_str(b, "null}");
        }
    }
    buf_str(b, "]}\n");
}

static int report(const keystore *k, const keys_options *o, const char *event)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    if (o->json) {
        add_json(&b, k, o->dir);
    } else {
        if (event)
            buf_fmt(&b, "%s: %s %s\n", o->dir, event, keystore_info(k, 0).kid);
        else
            add_text(&b, k);
    }
    return cli_print(&b, CLI_OK);
}

static int run_init(const keys_options *o)
{
    AUTO(store_auto) keystore *k = keystore_open(o->dir, false, clock_system(), NULL);
    if (k)
        return report(k, o, "there already: signing key");
    error e = {0};
    k = keystore_open(o->dir, true, clock_system(), &e);
    return k ? report(k, o, "made signing key") : cli_failed(COMMAND, &e);
}

static int run_list(const keys_options *o)
{
    error e = {0};
    AUTO(store_auto) keystore *k = keystore_open(o->dir, false, clock_system(), &e);
    return k ? report(k, o, NULL) : cli_failed(COMMAND, &e);
}

static int run_rotate(const keys_options *o)
{
    error e = {0};
    AUTO(store_auto) keystore *k = keystore_open(o->dir, false, clock_system(), &e);
    if (!k && e.kind == ERR_NOT_FOUND)
        return run_init(o); /* there is nothing to take over from */
    if (!k || !keystore_rotate(k, o->overlap_s, &e))
        return cli_failed(COMMAND, &e);
    return report(k, o, "made signing key");
}

static const struct {
    const char *name;
    int (*run)(const keys_options *o);
} actions[] = {{"init", run_init}, {"list", run_list}, {"rotate", run_rotate}};

static int run_action(const char *name, const keys_options *o)
{
    for (size_t i = 0; i < countof(actions); i++)
        if (strcmp(name, actions[i].name) == 0)
            return actions[i].run(o);
    return cli_usage_error(COMMAND, "unknown action '%s': expected init, list or rotate", name);
}

/* With --keys alone no topology is looked at. */
static int settle_dir(const char *keys, const char *config, char **out_dir)
{
    snapshot *s = NULL;
    if (!keys || config) {
        const int status = cli_load_optional(config, &s);
        if (status >= 0)
            return status;
    }
    *out_dir = cli_keys_dir(keys, s);
    snapshot_unref(s);
    return -1;
}

int cmd_keys(int argc, char **argv)
{
    keys_options o = {.overlap_s = OVERLAP_DEFAULT_S};
    const char *config = NULL;
    const char *keys = NULL;
    const char *output = NULL;
    const cli_option options[] = {
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys", &keys},
        {"config", 'c', CLI_STRING, "FILE", "the topology, which may name the folder", &config},
        {"overlap", 0, CLI_INT, "SECONDS",
         "rotate: how long the former key stays published (default 7200)", &o.overlap_s},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &output},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status < 0)
        status = cli_output_json(COMMAND, output, &o.json);
    if (status >= 0)
        return status;
    if (!operands[0] || operands[1])
        return cli_usage_error(COMMAND, "expected one action: init, list or rotate");
    if (o.overlap_s < 0)
        return cli_usage_error(COMMAND, "--overlap wants 0 or more seconds");
    auto_free char *dir = NULL;
    status = settle_dir(keys, config, &dir);
    if (status >= 0)
        return status;
    o.dir = dir;
    return run_action(operands[0], &o);
}
