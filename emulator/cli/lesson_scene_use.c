/* What one does in a scene that runs: look up addresses, change the topology, run commands. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/lesson_scene_impl.h"
#include "cli/up_spawn.h"

enum { TOPOLOGY_MAX = 1024 * 1024, CHUNK = 4096, DAY_S = 86400 };

#define TOMORROW "{tomorrow}"

/* ---- addresses ---- */

const char *scene_config(const scene *s)
{
    return s->config;
}

const char *scene_env_file(const scene *s)
{
    return s->env_file;
}

static const char *info_text(const scene *s, const char *key)
{
    return json_string_value(json_object_get(s->info, key));
}

static const char *service_text(const scene *s, const char *name, const char *key)
{
    const json_t *all = json_object_get(s->info, "services");
    return json_string_value(json_object_get(json_object_get(all, name), key));
}

const char *scene_control(const scene *s)
{
    return info_text(s, "control");
}

const char *scene_ingress(const scene *s)
{
    return info_text(s, "ingress");
}

const char *scene_url(const scene *s, const char *name)
{
    return service_text(s, name, "url");
}

const char *scene_metadata(const scene *s, const char *name)
{
    return service_text(s, name, "metadata");
}

/* ---- the second terminal ---- */

static void put_service(buf *out, const scene *s, const char *name)
{
    buf_str(out, "export ");
    env_variable(out, name, "URL");
    buf_fmt(out, "='%s'\nexport ", scene_url(s, name));
    env_variable(out, name, "METADATA");
    buf_fmt(out, "='http://%s" LESSON_METADATA_PATH "'\n", scene_metadata(s, name));
}

bool scene_write_env(scene *s, error *e)
{
    auto_buf buf b = buf_make(TOPOLOGY_MAX);
    buf_fmt(&b, "export PATH='%s/bin':\"$PATH\"\nexport INVOKER_CONFIG='%s'\n", s->dir, s->config);
    buf_fmt(&b, "export INVOKER_CONTROL='%s'\nexport INVOKER_INGRESS='%s'\n", scene_control(s),
            scene_ingress(s));
    const char *name = NULL;
    json_t *svc = NULL;
    json_object_foreach (json_object_get(s->info, "services"), name, svc)
        put_service(&b, s, name);
    return file_replace_lazily(s->env_file, b.p, b.n, 0600, e);
}

/* ---- the topology ---- */

char *lesson_replacement(const lesson_edit *edit, int64_t now_us)
{
    const char *at = strstr(edit->to, TOMORROW);
    if (!at)
        return span_dup(span_of(edit->to));
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(now_us + (int64_t)DAY_S * 1000000, 0, time);
    auto_buf buf b = buf_make(TOPOLOGY_MAX);
    buf_span(&b, (span){edit->to, (size_t)(at - edit->to)});
    buf_fmt(&b, "%s%s", time, at + strlen(TOMORROW));
    return buf_take(&b);
}

char *lesson_edited(span text, const lesson_edit *edit, int64_t now_us, error *e)
{
    const size_t n = strlen(edit->from);
    const char *at = text.n ? memmem(text.p, text.n, edit->from, n) : NULL;
    const size_t before = at ? (size_t)(at - text.p) : 0;
    const span rest = at ? span_from(text, before + n) : (span){0};
    if (!at || (rest.n && memmem(rest.p, rest.n, edit->from, n))) {
        error_set(e, ERR_NOT_FOUND, "the topology does not have this once: %s", edit->from);
        return NULL;
    }
    auto_buf buf b = buf_make(TOPOLOGY_MAX);
    buf_span(&b, (span){text.p, before});
    auto_free char *to = lesson_replacement(edit, now_us);
    buf_str(&b, to);
    buf_span(&b, rest);
    return buf_take(&b);
}

bool scene_edit(scene *s, const lesson_edit *edit, error *e)
{
    size_t n = 0;
    auto_free char *text = file_read(s->config, TOPOLOGY_MAX, &n, e);
    auto_free char *changed =
        text ? lesson_edited((span){text, n}, edit, clock_wall_us(), e) : NULL;
    return changed && file_replace_lazily(s->config, changed, strlen(changed), 0600, e);
}

/* ---- commands ---- */

static bool read_all(int fd, buf *out, error *e)
{
    char chunk[CHUNK];
    ssize_t got = 0;
    do {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            buf_add(out, chunk, (size_t)got);
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got < 0)
        return error_errno(e, "cannot read what a command prints");
    while (out->n && out->p[out->n - 1] == '\n')
        out->p[--out->n] = '\0';
    return buf_ok(out) || error_set(e, ERR_LIMIT, "a command prints too much");
}

bool scene_run(const scene *s, const char *const *words, buf *out, error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(e, "cannot make a pipe");
    char **argv = spawn_words(words);
    const spawn_spec spec = {.file = s->program,
                             .argv = argv,
                             .envp = s->env.items,
                             .null_stdin = true,
                             .output_fd = ends[1],
                             .error_fd = -1,
                             .keep_fd = -1};
    const pid_t pid = spawn_process(&spec, e);
    spawn_words_free(argv);
    (void)close(ends[1]);
    const bool got = pid > 0 && read_all(ends[0], out, e);
    (void)close(ends[0]);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !got)
        return false;
    char text[SPAWN_STATUS_TEXT_MAX];
    return status == 0 ||
           error_set(e, ERR_INVALID, "invoker %s %s", words[1], spawn_status_text(status, text));
}
