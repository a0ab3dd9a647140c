/* `invoker lesson`: the course on what Cloud Run refuses, and why. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/lesson_all.h"
#include "cli/lesson_play.h"

#define COMMAND "lesson"

enum { LESSONS_MAX = 100, LIST_MAX = 64 * 1024 };

static int list(bool json)
{
    auto_buf buf b = buf_make(LIST_MAX);
    buf_str(&b, json ? "[" : "");
    for (size_t i = 0; i < lesson_count(); i++) {
        const lesson *l = lesson_get(i);
        if (!json) {
            buf_fmt(&b, "%3zu  %-18s %s\n", i + 1, l->name, l->title);
            continue;
        }
        buf_fmt(&b, "%s{\"lesson\":%zu,\"name\":\"%s\",\"title\":", i ? "," : "", i + 1, l->name);
        buf_json(&b, span_of(l->title));
        buf_char(&b, '}');
    }
    buf_str(&b, json
                    ? "]\n"
                    : "\nPlay one with 'invoker lesson 1'; --auto plays it by itself, 'all' all of "
                      "them.\n");
    return cli_print(&b, CLI_OK);
}

static int unknown(const char *word)
{
    const char *names[LESSONS_MAX + 1] = {NULL};
    for (size_t i = 0; i < lesson_count() && i < LESSONS_MAX; i++)
        names[i] = lesson_get(i)->name;
    const char *near = did_you_mean(span_of(word), names);
    if (near)
        return cli_usage_error(COMMAND, "no lesson '%s'; did you mean '%s'?", word, near);
    return cli_usage_error(COMMAND, "no lesson '%s'; there are 1 to %zu", word, lesson_count());
}

static int play(const char *word, bool automatic, bool json)
{
    const teller tell = {json ? NULL : stdout, cli_colour(stdout)};
    play_options o = {.automatic = automatic, .tell = &tell};
    if (!(o.lesson = lesson_find(word, &o.index)))
        return unknown(word);
    json_t *result = NULL;
    const int status = lesson_play(&o, &result);
    char *text = json ? json_dumps(result, JSON_COMPACT) : NULL;
    if (text)
        puts(text);
    free(text);
    json_decref(result);
    return status;
}

int cmd_lesson(int argc, char **argv)
{
    bool automatic = false, json = false;
    const char *output = NULL;
    const cli_option options[] = {
        {"auto", 0, CLI_FLAG, NULL, "answer, edit and request by itself; LESSON may be 'all'",
         &automatic},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json, with --auto or the list",
         &output},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status < 0)
        status = cli_output_json(COMMAND, output, &json);
    if (status >= 0)
        return status;
    if (operands[0] && operands[1])
        return cli_usage_error(COMMAND, "one lesson at a time, or --auto all");
    const bool all = operands[0] && strcmp(operands[0], "all") == 0;
    if (operands[0] && json && !automatic)
        return cli_usage_error(COMMAND, "--output json goes with --auto: a story is for people");
    if ((all && !automatic) || (automatic && !operands[0]))
        return cli_usage_error(COMMAND, "'all' and --auto go together; or name a lesson");
    if (!operands[0])
        return list(json);
    return all ? lesson_all(json) : play(operands[0], automatic, json);
}
