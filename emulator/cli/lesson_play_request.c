/* Making a step's request, or waiting until the reader has made it. */
#include <string.h>

#include "base/clock.h"
#include "cli/lesson_play_impl.h"

enum {
    SPREAD_US = 8 * 1000 * 1000,      /* until a saved topology counts everywhere */
    EVENTUALLY_US = 20 * 1000 * 1000, /* until it has propagated as well */
    READER_US = 1000 * 1000,          /* a reader can ask again */
    AGAIN_US = 20 * 1000,
    LOOK_US = 100 * 1000,
    LINE_BYTES_MAX = 4096
};

static bool send_once(play *p, const lesson_step *step, outcome_mark *mark, came *out, error *e)
{
    came_free(out);
    if (!lesson_send(p->scene, &step->request, &out->answer, e))
        return false;
    out->answered = true;
    out->decision = outcome_of_answer(p->scene, step->request.to, mark, &out->answer, e);
    if (!out->decision)
        return false;
    out->passed = outcome_grade(out->decision, &out->answer, step, out->why_not);
    return true;
}

static bool too_late(const lesson_step *step, came *c)
{
    c->too_late = step->too_late && json_is_true(json_object_get(c->decision, "allowed"));
    return c->too_late;
}

/* While a change spreads, not even the token may be had yet. */
static bool send_until(play *p, const lesson_step *step, outcome_mark *mark, came *out, error *e)
{
    const int64_t patience = !p->o->automatic   ? READER_US
                             : step->eventually ? EVENTUALLY_US
                             : step->edit.from  ? SPREAD_US
                                                : 0;
    const int64_t end = clock_mono_us() + patience;
    for (;;) {
        const bool sent = send_once(p, step, mark, out, e);
        if (sent && !p->o->automatic && too_late(step, out))
            out->passed = true;
        if ((sent && out->passed) || clock_mono_us() >= end)
            return sent;
        *e = (error){0};
        if (!scene_wait(p->scene, AGAIN_US))
            return error_set(e, ERR_UNAVAILABLE, "the scene has ended");
    }
}

/* ---- the reader's own ---- */

/* Another request, or one that is not as it was asked for. */
static void tell_other(const play *p, const lesson_step *step, const came *c)
{
    const json_t *d = c->decision;
    const bool spreads = step->eventually || step->edit.from; /* a saved file takes a moment */
    if (!outcome_is_about(d, &step->request)) {
        tell_line(p->tell, TELL_DIM, "(Seen: %s %s. Another one is asked for.)",
                  json_string_value(json_object_get(d, "method")),
                  json_string_value(json_object_get(d, "path")));
        return;
    }
    tell_line(p->tell, TELL_BAD, "That came out as %s.%s", c->why_not,
              spreads ? " Again, in a moment?" : " Send it as it stands above.");
    tell_text(p->tell, 2, json_string_value(json_object_get(d, "explanation")));
}

/* Takes in what has been decided since; true: there was something. */
static bool look(play *p, const lesson_step *step, outcome_mark *mark, came *out, error *e)
{
    came_free(out);
    out->decision = outcome_next(p->scene, step->request.to, mark, e);
    if (!out->decision)
        return false;
    out->passed = outcome_is_about(out->decision, &step->request) &&
                  (outcome_grade(out->decision, NULL, step, out->why_not) || too_late(step, out));
    if (!out->passed)
        tell_other(p, step, out);
    return true;
}

static bool wait_for_reader(play *p, const lesson_step *step, outcome_mark *mark, came *out,
                            error *e)
{
    tell_line(p->tell, TELL_DIM, "Waiting for it%s …",
              p->reader ? " (Enter: it is sent for you)" : "");
    do {
        auto_buf buf line = buf_make(LINE_BYTES_MAX);
        if (p->reader && reader_line(p->reader, &line)) {
            if (!send_until(p, step, mark, out, e))
                return false;
            if (out->passed)
                return true;
            tell_other(p, step, out);
        }
        while (look(p, step, mark, out, e))
            if (out->passed)
                return true;
        if (p->reader && reader_ended(p->reader)) {
            p->left = true;
            return false;
        }
        if (e->kind != ERR_NONE)
            return false;
    } while (scene_wait(p->scene, LOOK_US));
    return error_set(e, ERR_UNAVAILABLE, "the scene has ended");
}

bool play_request(play *p, const lesson_step *step, outcome_mark *mark, came *out, error *e)
{
    return p->o->automatic ? send_until(p, step, mark, out, e)
                           : wait_for_reader(p, step, mark, out, e);
}
