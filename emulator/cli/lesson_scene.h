/* The scene of a lesson: its own folder with topology and keys, and its own `invoker up` on free
 * ports. Nothing of it is left when it is closed, nor when this process is killed. */
#ifndef CLI_LESSON_SCENE_H
#define CLI_LESSON_SCENE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/loop.h"
#include "cli/lesson.h"

typedef struct scene scene;

/* Blocks SIGINT, SIGTERM, SIGHUP and SIGQUIT for the process from then on: scene_wait tells. */
scene *scene_open(const embedded *topology, error *e);
void scene_close(scene *s); /* NULL is fine */

/* Starts everything and waits until it answers. */
bool scene_start(scene *s, error *e);

/* Lets what happens happen for at most max_us. false: no more of it, for a signal came (then
 * scene_signal tells which) or the emulator has ended. */
bool scene_wait(scene *s, int64_t max_us);
int scene_signal(const scene *s); /* 0: none */
loop *scene_loop(const scene *s);

/* Where things are; views. NULL: there is no such service. */
const char *scene_config(const scene *s);
const char *scene_control(const scene *s);
const char *scene_ingress(const scene *s);
const char *scene_url(const scene *s, const char *name);
const char *scene_metadata(const scene *s, const char *name);

/* Behind a metadata server's address: where its default account is. */
#define LESSON_METADATA_PATH "/computeMetadata/v1/instance/service-accounts/default"

/* What a second terminal reads to be in the scene; a view. */
const char *scene_env_file(const scene *s);

/* Changes the topology's file. */
bool scene_edit(scene *s, const lesson_edit *edit, error *e);

/* What stands in the edit's place afterwards; caller frees. */
char *lesson_replacement(const lesson_edit *edit, int64_t now_us);

/* The text with the edit made; NULL and *e when `from` is not there exactly once. Caller frees. */
char *lesson_edited(span text, const lesson_edit *edit, int64_t now_us, error *e);

/* Runs this program with these words (NULL-terminated, its name first) in the scene; its standard
 * output, without the last line break, is appended. */
bool scene_run(const scene *s, const char *const *words, buf *out, error *e);

#endif
