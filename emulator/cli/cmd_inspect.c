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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What people paste: with blanks around it, in quotes, or a whole header line. */
static span bare_token(span text)
{
    static const char *const prefixes[] = {
        "Authorization:", "X-Serverless-Authorization:", "Bearer "};
    for (size_t i = 0; i <= countof(prefixes); i++) {
        while (text.n && (is_blank(*text.p) || *text.p == '"'))
            text = span_from(text, 1);
        while (text.n && (is_blank(text.p[text.n - 1]) || text.p[text.n - 1] == '"'))
            text.n--;
        if (i == countof(prefixes))
            break;
        const size_t n = strlen(prefixes[i]);
        if (text.n > n && span_ieq_str((span){text.p, n}, prefixes[i]))
            text = span_from(text, n);
    }
    return text;
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
static int inspect(snapshot *s, const char *keys_option, span token, bool json)
{
    error e = {0};
    auto_free char *dir = cli_keys_dir(keys_option, s);
    keystore *keys = keystore_open(dir, false, clock_system(), &e);
    if (!keys && e.kind != ERR_NOT_FOUND)
        fprintf(stderr, "invoker %s: %s\n", COMMAND, e.text);
    inspection i;
    inspect_token(&i, s, dir, keys ? keystore_jwks(keys) : (span){0}, token, clock_wall_us());
    const int status = show(&i, json);
    inspection_clear(&i);
    keystore_close(keys);
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
    const span token = bare_token(buf_view(&text));
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
