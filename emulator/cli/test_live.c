/* A suite's cases as real requests, some at a time. */
#include "cli/test_live.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "cli/cli_keys.h"
#include "cli/control_client.h"
#include "cli/test_live_impl.h"

enum { BATCH = 64 };

static bool run_batch(live_run *l, size_t from, size_t n, error *e)
{
    shot *shots = calloc(n, sizeof *shots);
    http_call *calls = calloc(n, sizeof *calls);
    size_t *whose = calloc(n, sizeof *whose);
    size_t sent = 0;
    if (!shots || !calls || !whose)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (!shot_prepare(l, &l->s->cases[from + i], &l->s->outcomes[from + i], from + i + 1,
                          &shots[i]))
            continue;
        whose[sent] = i;
        calls[sent++] = shots[i].call;
    }
    http_calls_run(calls, sent);
    for (size_t i = 0; i < sent; i++)
        shots[whose[i]].call = calls[i];
    const bool good = shots_find_decisions(l, shots, n, e);
    for (size_t i = 0; i < n; i++) {
        if (good && shots[i].sent)
            shot_settle(l, &shots[i]);
        shot_free(&shots[i]);
    }
    free(whose);
    free(calls);
    free(shots);
    return good;
}

static bool run_all(live_run *l, error *e)
{
    suite *s = l->s;
    suite_begin(s);
    for (size_t from = 0; from < s->count; from += BATCH) {
        const size_t n = s->count - from < BATCH ? s->count - from : BATCH;
        l->now_us = clock_wall_us();
        if (!run_batch(l, from, n, e))
            return false;
    }
    return true;
}

bool test_live(suite *s, const char *control, const char *keys, error *e)
{
    snapshot *running = control_load(control, s->topology, e);
    if (!running)
        return false;
    live_run l = {.s = s, .file = snapshot_ref(s->s), .control = control};
    suite_judge_by(s, running);
    random_bytes(&l.nonce, sizeof l.nonce);
    auto_free char *dir = cli_keys_dir(keys, running);
    live_tokens_open(&l.tokens, running, dir);
    const bool good = run_all(&l, e);
    live_tokens_close(&l.tokens);
    snapshot_unref(l.file);
    return good;
}
