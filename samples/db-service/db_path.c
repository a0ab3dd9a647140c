#include "db_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/text.h"

enum { PATH_SIZE_MAX = 1024 };

static const char *setting(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

/* Makes every folder that is missing on the way to the last slash. */
static bool make_folders(char *path, problem *p)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        const bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        const int why = errno;
        if (!made) {
            problem_set(p, "cannot make the folder %.300s: %s; set DB_PATH", path, strerror(why));
        }
        *slash = '/';
        if (!made) {
            return false;
        }
    }
    return true;
}

/* False when neither variable gives an absolute folder. */
static bool state_folder(text *path)
{
    const char *state = setting("XDG_STATE_HOME");
    if (state && state[0] == '/') {
        return text_str(path, state);
    }
    const char *home = setting("HOME");
    return home && home[0] == '/' && text_str(path, home) && text_str(path, "/.local/state");
}

bool db_path(char **out_path, problem *p)
{
    const char *given = setting("DB_PATH");
    if (given) {
        *out_path = strdup(given);
        return *out_path != NULL || problem_set(p, "out of memory");
    }
    const char *name = setting("K_SERVICE");
    AUTO_TEXT path = text_make(PATH_SIZE_MAX);
    if (!state_folder(&path)) {
        return problem_set(p, "no place for the database: set DB_PATH to a file");
    }
    text_str(&path, "/");
    text_str(&path, name && name[0] != '.' && !strchr(name, '/') ? name : "db-service");
    text_str(&path, "/items.db");
    char *made = text_take(&path);
    if (!made) {
        return problem_set(p, "the path of the database is too long: set DB_PATH");
    }
    if (!make_folders(made, p)) {
        free(made);
        return false;
    }
    *out_path = made;
    return true;
}
