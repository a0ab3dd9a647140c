/* The course of a lesson, step by step. */
#include "cli/lesson_play.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/lesson_play_impl.h"
#include "cli/why.h"

enum { SIGNALLED = 128, SHELL_MAX = 64 * 1024, TEXT_MAX = 1024 };

void came_free(came *c)
{
    json_decref(c->decision);
    if (c->answered)
        http_call_free(&c->answer);
    *c = (came){0};
}

/* ---- the result, for programs ---- */

static json_t *pair_of(unsigned status, const char *cause)
{
    return json_pack("{s:i,s:s}", "status", (int)status, "reason", cause);
}

static void note(play *p, const lesson_step *step, const came *c)
{
    auto_buf buf text = buf_make(TEXT_MAX);
    lesson_request_text(&text, &step->request);
    json_t *row = json_pack(
        "{s:s,s:o,s:o,s:b}", "request", text.p, "expected",
        pair_of(why_status(step->expected), reason_info(step->expected)->name), "got",
        pair_of(outcome_status(c->decision), outcome_reason(c->decision)), "passed", c->passed);
    const lesson_choice *right = lesson_right_choice(step);
    if (right)
        json_object_set_new(row, "answer", json_integer(right - step->choices + 1));
    if (!c->passed)
        json_object_set_new(row, "mismatch", json_string(c->why_not));
    json_array_append_new(p->steps, row);
}

static json_t *result_of(const play *p, bool passed, const error *e)
{
    json_t *r = json_pack("{s:i,s:s,s:s,s:b,s:O}", "lesson", (int)p->o->index + 1, "name",
                          p->o->lesson->name, "title", p->o->lesson->title, "passed", passed,
                          "steps", p->steps);
    if (e->kind != ERR_NONE)
        json_object_set_new(r, "error", json_string(e->text));
    return r;
}

/* ---- a step ---- */

static void tell_request(const play *p, const lesson_step *step)
{
    auto_buf buf lines = buf_make(SHELL_MAX);
    lesson_shell(&lines, &step->request);
    tell_line(p->tell, TELL_BOLD, p->o->automatic ? "The request" : "Your request");
    tell_raw(p->tell, "\n");
    tell_raw(p->tell, lines.p);
    tell_raw(p->tell, "\n");
}

static bool play_step(play *p, const lesson_step *step, error *e)
{
    outcome_mark mark;
    came c = {0};
    if (!outcome_mark_now(p->scene, step->request.to, &mark, e))
        return false;
    tell_text(p->tell, 0, step->story);
    tell_raw(p->tell, "\n");
    play_question(p, step);
    play_cure(p, step);
    if (p->left || (step->edit.from && !play_edit(p, step, e)))
        return false;
    tell_request(p, step);
    const bool came_back = play_request(p, step, &mark, &c, e);
    if (came_back) {
        note(p, step, &c);
        play_explain(p, step, &c);
    }
    const bool passed = came_back && c.passed;
    came_free(&c);
    return passed;
}

/* ---- beginning and end ---- */

static void tell_beginning(const play *p)
{
    const lesson *l = p->o->lesson;
    tell_line(p->tell, TELL_BOLD, "Lesson %zu of %zu: %s", p->o->index + 1, lesson_count(),
              l->title);
    tell_raw(p->tell, "\n");
    tell_text(p->tell, 0, l->story);
    if (p->o->automatic)
        tell_raw(p->tell, "\n");
    else
        tell_line(p->tell, TELL_PLAIN,
                  "\nIn a second terminal (bash, zsh, any POSIX shell):\n\n  . %s\n\n"
                  "Wherever a request is asked for, Enter here sends it for you.\n",
                  scene_env_file(p->scene));
}

static void tell_end(const play *p, bool through)
{
    if (!through)
        return;
    tell_line(p->tell, TELL_PLAIN, "Read on: %s", p->o->lesson->doc);
    if (p->right == p->asked)
        tell_line(p->tell, TELL_GOOD, "Lesson %zu is done.", p->o->index + 1);
    else
        tell_line(p->tell, TELL_BAD,
                  "Lesson %zu is done; %zu of %zu answers were right. Play it again?",
                  p->o->index + 1, p->right, p->asked);
}

static bool play_steps(play *p, error *e)
{
    const lesson_edit *unhurried = &p->o->lesson->unhurried;
    if (!p->o->automatic && unhurried->from && !scene_edit(p->scene, unhurried, e))
        return false;
    if (!scene_start(p->scene, e))
        return false;
    if (!p->o->automatic)
        p->reader = reader_open(scene_loop(p->scene));
    tell_beginning(p);
    bool through = true;
    for (size_t i = 0; through && i < p->o->lesson->count; i++)
        through = play_step(p, &p->o->lesson->steps[i], e);
    reader_close(p->reader);
    tell_end(p, through);
    return through;
}

int lesson_play(const play_options *o, json_t **out_result)
{
    error e = {0};
    play p = {.o = o, .tell = o->tell, .steps = json_array()};
    const embedded *topology = lesson_topology(o->index);
    if (topology)
        p.scene = scene_open(topology, &e);
    else
        error_set(&e, ERR_NOT_FOUND, "lesson %zu has no topology", o->index + 1);
    const bool through = p.scene && play_steps(&p, &e);
    const int signo = p.scene ? scene_signal(p.scene) : 0;
    scene_close(p.scene);
    if (signo)
        e = (error){0};
    if (e.kind != ERR_NONE)
        (void)cli_failed("lesson", &e);
    const bool passed = through && p.right == p.asked;
    if (out_result)
        *out_result = result_of(&p, passed, &e);
    json_decref(p.steps);
    return signo ? SIGNALLED + signo : passed ? CLI_OK : CLI_FAILED;
}
