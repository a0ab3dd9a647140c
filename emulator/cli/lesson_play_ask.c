/* What the reader is asked, and what they do. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/lesson_play_impl.h"
#include "cli/why.h"

enum { ANSWER_MAX = 4096, TURN_US = 60 * 1000 * 1000 };

/* One line of the reader; false: they have left. */
static bool ask(play *p, buf *out)
{
    while (!reader_line(p->reader, out)) {
        if (reader_ended(p->reader) || !scene_wait(p->scene, TURN_US)) {
            p->left = true;
            return false;
        }
    }
    return true;
}

/* ---- the question ---- */

static size_t choice_count(const lesson_step *step)
{
    size_t n = 0;
    while (n < LESSON_CHOICES_MAX && step->choices[n].text)
        n++;
    return n;
}

/* The status is half of it. */
static void judge(play *p, const lesson_choice *given, const lesson_choice *right)
{
    if (given == right) {
        p->right++;
        tell_line(p->tell, TELL_GOOD, "Let us see.");
        tell_raw(p->tell, "\n");
        return;
    }
    tell_line(p->tell, TELL_BAD, "%s",
              given->status == right->status ? "The status is right, the cause is another one."
              : given->cause == right->cause ? "The cause is right, the status is another one."
                                             : "No: both the status and the cause are others.");
    tell_raw(p->tell, "\n");
}

static void tell_choices(const play *p, const lesson_step *step)
{
    tell_line(p->tell, TELL_BOLD, "Which status will it be, and why?");
    for (size_t i = 0; i < choice_count(step); i++)
        tell_line(p->tell, TELL_PLAIN, "  %zu) %u: %s", i + 1, step->choices[i].status,
                  step->choices[i].text);
}

void play_question(play *p, const lesson_step *step)
{
    const lesson_choice *right = lesson_right_choice(step);
    const size_t count = choice_count(step);
    if (!right || (!p->reader && !p->o->automatic))
        return;
    tell_choices(p, step);
    if (p->o->automatic) {
        tell_line(p->tell, TELL_DIM, "Answer: %d", (int)(right - step->choices) + 1);
        tell_raw(p->tell, "\n");
        return;
    }
    p->asked++;
    uint64_t number = 0;
    while (number == 0) {
        auto_buf buf line = buf_make(ANSWER_MAX);
        char prompt[32];
        snprintf(prompt, sizeof prompt, "Your answer (1 to %zu): ", count);
        tell_raw(p->tell, prompt);
        if (!ask(p, &line))
            return;
        if (!span_u64(buf_view(&line), count, &number))
            number = 0;
    }
    judge(p, &step->choices[number - 1], right);
}

/* ---- the change ---- */

static void tell_lines(const play *p, tell_style style, char sign, const char *text)
{
    span rest = span_of(text), line;
    while (rest.n) {
        (void)span_cut(&rest, '\n', &line);
        tell_line(p->tell, style, "  %c %.*s", sign, SPAN_ARG(line));
    }
}

bool play_edit(play *p, const lesson_step *step, error *e)
{
    tell_line(p->tell, TELL_PLAIN,
              "Here, in %s:", p->o->automatic ? "the topology" : scene_config(p->scene));
    tell_raw(p->tell, "\n");
    tell_lines(p, TELL_BAD, '-', step->edit.from);
    auto_free char *to = lesson_replacement(&step->edit, clock_wall_us());
    tell_lines(p, TELL_GOOD, '+', to);
    tell_raw(p->tell, "\n");
    if (p->o->automatic || !p->reader)
        return !p->o->automatic || scene_edit(p->scene, &step->edit, e);
    auto_buf buf line = buf_make(ANSWER_MAX);
    tell_raw(p->tell, "Edit and save it, then Enter; or type 'apply' to have that done: ");
    if (!ask(p, &line))
        return false;
    tell_raw(p->tell, "\n");
    return !span_eq_str(buf_view(&line), "apply") || scene_edit(p->scene, &step->edit, e);
}
