/* `invoker inspect TOKEN|-`: what a token says, and what would become of it here. */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "jose/keystore.h"

#define COMMAND "inspect"

enum { INPUT_MAX = 64 * 1024, REPORT_MAX = 1024 * 1024 };

static void read_input(buf *b)
{
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        buf_add(b, chunk, n);
}

static int show(const inspection *i, bool json)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    if (json)
        inspect_show_json(i, &b);
    else
        inspect_show_text(i, &b);
    return cli_print(&b, i->valid ? CLI_OK : CLI_FAILED);
}

/* Without a folder, or with none that can be read, the signature stays unchecked; why is said. */
static jwks *read_keys(const char *dir)
{
    error e = {0};
    jwks *keys = NULL;
    keystore *store = keystore_open(dir, false, clock_system(), &e);
    if (store)
        keys = jwks_parse(keystore_jwks(store), &e);
    if (!keys && e.kind != ERR_NOT_FOUND)
        fprintf(stderr, "invoker %s: %s\n", COMMAND, e.text);
    keystore_close(store);
    return keys;
}

static int inspect(snapshot *s, const char *keys_option, span token, bool json)
{
    auto_free char *dir = cli_keys_dir(keys_option, s);
    jwks *keys = read_keys(dir);
    inspection i;
    inspect_token(&i, s, dir, keys, token, clock_wall_us());
    const int status = show(&i, json);
    inspection_clear(&i);
    jwks_unref(keys);
    return status;
}

static int run(const char *operand, const char *config, const char *keys, bool json)
{
    snapshot *s = NULL;
    const int status = cli_load_optional(config, &s);
    if (status >= 0)
        return status;
    auto_buf buf text = buf_make(INPUT_MAX);
    if (!operand || strcmp(operand, "-") == 0)
        read_input(&text);
    else
        buf_str(&text, operand);
    const span token = inspect_bare(buf_view(&text));
    int result;
    if (!buf_ok(&text))
        result = cli_usage_error(COMMAND, "more than %d bytes: that is no token", INPUT_MAX);
    else if (token.n == 0)
        result = cli_usage_error(COMMAND, "no token: the input is empty");
    else
        result = inspect(s, keys, token, json);
    snapshot_unref(s);
    return result;
}

int cmd_inspect(int argc, char **argv)
{
    const char *config = NULL;
    const char *keys = NULL;
    const char *output = NULL;
    bool json = false;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys", &keys},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &output},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status < 0)
        status = cli_output_json(COMMAND, output, &json);
    if (status >= 0)
        return status;
    if (operands[0] && operands[1])
        return cli_usage_error(COMMAND, "expected one token, or - to read standard input");
    if (!operands[0] && isatty(STDIN_FILENO))
        return cli_usage_error(COMMAND, "which token? TOKEN, or - to read standard input");
    return run(operands[0], config, keys, json);
}
