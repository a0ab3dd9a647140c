/* A scene from inside. Private to lesson_scene*.c. */
#ifndef CLI_LESSON_SCENE_IMPL_H
#define CLI_LESSON_SCENE_IMPL_H

#include <sys/types.h>

#include "base/signals.h"
#include "cli/lesson_scene.h"
#include "cli/up_env.h"
#include "cli/up_guard.h"

struct scene {
    char *program, *dir, *config, *env_file;
    guard *guard;
    loop *loop;
    signals *signals;
    envlist env; /* of what runs in the scene */
    pid_t up;    /* 0: it has ended */
    int wait_status, signo;
    loop_watch output;
    buf line;     /* what up printed */
    json_t *info; /* the same, parsed */
};

/* Writes the file for the second terminal. */
bool scene_write_env(scene *s, error *e);

#endif
