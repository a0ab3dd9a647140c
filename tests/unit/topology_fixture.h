/* Topologies from text: a private folder as working directory, files in it, problems as text. */
#ifndef TOPOLOGY_FIXTURE_H
#define TOPOLOGY_FIXTURE_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "check_main.h"
#include "config/topology.h"

enum { PROBLEMS_MAX = 65536 };

/* Line 1 of most texts, so that a test's own begin at line 2. */
#define PROJECT "project: { id: my-project, number: 123456789012 }\n"

static char fixture_folder[64];

static inline void fixture_open(void)
{
    (void)snprintf(fixture_folder, sizeof fixture_folder, "/tmp/topology-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture_folder));
    ck_assert_int_eq(chdir(fixture_folder), 0);
}

static inline void remove_tree(const char *folder)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

static inline void fixture_close(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    remove_tree(fixture_folder);
}

static inline void put_file(const char *name, const char *text)
{
    error e = {0};
    ck_assert_msg(file_replace(name, text, strlen(text), 0600, &e), "%s", e.text);
}

/* The snapshot, with *out_problems "" or one line each (the caller frees). */
static inline snapshot *load_with(const char *text, const addresses *over, char **out_problems)
{
    diagnostics d = {0};
    put_file("t.yaml", text);
    snapshot *s = topology_load("t.yaml", over, &d);
    buf b = buf_make(PROBLEMS_MAX);
    diagnostics_print(&d, &b);
    ck_assert_int_eq(s == NULL, d.count > 0);
    *out_problems = b.n ? buf_take(&b) : span_dup((span){0});
    diagnostics_free(&d);
    return s;
}

/* A topology that has to be good; the caller unrefs. */
static inline snapshot *load_good(const char *text)
{
    auto_free char *problems = NULL;
    snapshot *s = load_with(text, NULL, &problems);
    ck_assert_msg(s != NULL, "refused:\n%.2000s\n%.3000s", text, problems);
    return s;
}

typedef struct problem_row {
    const char *text;
    const char *problems; /* all of them, exactly */
} problem_row;

static inline void check_problems(const problem_row *row)
{
    auto_free char *problems = NULL;
    snapshot *s = load_with(row->text, NULL, &problems);
    ck_assert_msg(strcmp(problems, row->problems) == 0, "for:\n%s\nexpected:\n%s\ngot:\n%s",
                  row->text, row->problems, problems);
    snapshot_unref(s);
}

static inline void check_good(const char *text)
{
    snapshot_unref(load_good(text));
}

#endif
