/* A temporary keys folder and a clock of one's own, for the tests of the keystore. */
#ifndef KEYSTORE_FIXTURE_H
#define KEYSTORE_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/file.h"
#include "check_main.h"
#include "jose/keystore.h"

static char fixture_root[64];
static char fixture_dir[80]; /* root/keys, not there yet */
static int64_t fixture_now_s;

static inline int64_t fixture_wall(void *ctx)
{
    (void)ctx;
    return fixture_now_s * 1000000;
}

static inline clock_source fixture_clock(void)
{
    return (clock_source){fixture_wall, NULL};
}

static inline void fixture_setup(void)
{
    snprintf(fixture_root, sizeof fixture_root, "/tmp/invoker-keys-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture_root));
    snprintf(fixture_dir, sizeof fixture_dir, "%s/keys", fixture_root);
    fixture_now_s = 1790000000;
}

static inline void fixture_remove_files(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    while (d && (entry = readdir(d)) != NULL) {
        auto_free char *path = file_join(dir, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlink(path);
    }
    if (d)
        (void)closedir(d);
    (void)rmdir(dir);
}

static inline void fixture_teardown(void)
{
    fixture_remove_files(fixture_dir);
    fixture_remove_files(fixture_root);
}

static inline keystore *fixture_open(void)
{
    error e = {0};
    keystore *k = keystore_open(fixture_dir, true, fixture_clock(), &e);
    ck_assert_msg(k != NULL, "%s", e.text);
    return k;
}

/* Opening fails and the message contains each of the two texts. */
static inline void fixture_refused(bool create, const char *says, const char *mend)
{
    error e = {0};
    keystore *k = keystore_open(fixture_dir, create, fixture_clock(), &e);
    ck_assert_ptr_null(k);
    ck_assert_msg(strstr(e.text, says) != NULL, "expected \"%s\" in: %s", says, e.text);
    ck_assert_msg(strstr(e.text, mend) != NULL, "expected \"%s\" in: %s", mend, e.text);
}

static inline char *fixture_path(const char *kid, const char *suffix)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s", kid, suffix);
    return file_join(fixture_dir, name);
}

static inline unsigned fixture_mode(const char *path)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static inline size_t fixture_files(const char *suffix)
{
    size_t count = 0;
    DIR *d = opendir(fixture_dir);
    const struct dirent *entry;
    while (d && (entry = readdir(d)) != NULL)
        count += span_ends(span_of(entry->d_name), span_of(suffix));
    if (d)
        (void)closedir(d);
    return count;
}

static inline void fixture_write(const char *path, const char *text, mode_t mode)
{
    error e = {0};
    ck_assert_msg(file_replace(path, text, strlen(text), mode, &e), "%s", e.text);
}

#endif
