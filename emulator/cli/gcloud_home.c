/* The files of the folder that are not gcloud's own doing: its properties ("gcloud topic
 * configurations"), and notes of what was written and who is logged in, by which a later call sees
 * whether that still holds. */
#include "cli/gcloud_home.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

#define CONFIGURATION "emulator"
#define PROPERTIES    "configurations/config_" CONFIGURATION
#define NOTE          ".invoker"
#define LOGIN_NOTE    ".invoker-login"

enum { PROPERTIES_MAX = 16 * 1024, FILE_MAX = 64 * 1024, NAME_MAX_ = 256 };

static void add_file_name(buf *path, const char *text)
{
    for (; *text; text++) {
        if (*text == ':' || *text == '/')
            buf_char(path, '-');
        else
            buf_char(path, *text);
    }
}

char *gcloud_home_default(const char *control, const char *account)
{
    auto_buf buf name = buf_make(2 * (size_t)NAME_MAX_);
    buf_str(&name, "gcloud/");
    add_file_name(&name, control);
    buf_char(&name, '/');
    add_file_name(&name, account);
    return buf_ok(&name) ? file_state_path(name.p) : NULL;
}

/* ---- what the files contain ---- */

/* "run" is reached by the proxy only, whatever name it gets; the others go straight. Those behind
 * the line are not emulated, and the emulator can say so better than its proxy can. */
static void add_endpoints(buf *b, span host, span port)
{
    static const struct {
        const char *api, *path;
    } apis[] = {
        {"iam", ""},
        {"iamcredentials", ""},
        {"cloudresourcemanager", ""},
        {"serviceusage", ""},
        {"logging", ""},
        /* ---- */
        {"artifactregistry", ""},
        {"cloudbuild", ""},
        {"secretmanager", ""},
        {"storage", "storage/v1/"},
    };
    buf_fmt(b, "[api_endpoint_overrides]\nrun = http://run.localhost:%.*s/\n", SPAN_ARG(port));
    for (size_t i = 0; i < countof(apis); i++)
        buf_fmt(b, "%s = http://%.*s:%.*s/%s\n", apis[i].api, SPAN_ARG(host), SPAN_ARG(port),
                apis[i].path);
}

static void properties(const gcloud_home *h, buf *b)
{
    const char *colon = strrchr(h->control, ':');
    const span host = {h->control, colon ? (size_t)(colon - h->control) : strlen(h->control)};
    const span port = span_of(colon ? colon + 1 : "80");
    buf_fmt(b,
            "[core]\nproject = %s\naccount = %s\ncheck_gce_metadata = false\n"
            "disable_usage_reporting = true\nuniverse_domain = googleapis.com\n",
            h->project, h->account);
    buf_fmt(b, "[auth]\ntoken_host = http://%.*s:%.*s/token\n", SPAN_ARG(host), SPAN_ARG(port));
    buf_fmt(b, "[proxy]\ntype = http\naddress = %.*s\nport = %.*s\n", SPAN_ARG(host),
            SPAN_ARG(port));
    buf_fmt(b, "[run]\nregion = %s\nplatform = managed\n", h->region);
    buf_str(b, "[component_manager]\ndisable_update_check = true\n"
               "[survey]\ndisable_prompts = true\n");
    add_endpoints(b, host, port);
}

/* ---- the folder ---- */

static bool is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    size_t count = 0;
    while (d && count < 3 && readdir(d))
        count++;
    if (d)
        (void)closedir(d);
    return count < 3; /* "." and ".." */
}

static bool put(const char *dir, const char *name, span content, error *e)
{
    auto_free char *path = file_join(dir, name);
    return file_replace(path, content.p, content.n, 0600, e);
}

static bool claim(const char *dir, error *e)
{
    auto_free char *note = file_join(dir, NOTE);
    const bool ours = access(note, F_OK) == 0;
    if (!ours && !is_empty(dir))
        return error_set(e, ERR_EXISTS,
                         "%s holds files that are not this program's; name another folder with "
                         "--dir",
                         dir);
    if (chmod(dir, 0700) != 0)
        return error_errno(e, "%s", dir);
    return ours || put(dir, NOTE, SPAN_LIT("\n"), e);
}

int gcloud_home_claim(const char *dir, error *e)
{
    const int lock = file_mkdirs(dir, 0700, e) ? file_lock_folder(dir, e) : -1;
    if (lock < 0 || claim(dir, e))
        return lock;
    (void)close(lock);
    return -1;
}

/* Whether the file is exactly this text. */
static bool holds(const char *dir, const char *name, span text)
{
    size_t n;
    auto_free char *path = file_join(dir, name);
    auto_free char *content = file_read(path, FILE_MAX, &n, NULL);
    return content && span_eq(text, (span){content, n});
}

/* gcloud itself may have switched to another account, or dropped this one. */
static bool still_acts_as(const gcloud_home *h)
{
    size_t n;
    auto_free char *path = file_join(h->dir, PROPERTIES);
    auto_free char *content = file_read(path, FILE_MAX, &n, NULL);
    auto_buf buf line = buf_make(2 * (size_t)NAME_MAX_);
    buf_fmt(&line, "\naccount = %s\n", h->account);
    return content && buf_ok(&line) && strstr(content, line.p);
}

static bool write_properties(const gcloud_home *h, span text, error *e)
{
    auto_free char *folder = file_join(h->dir, "configurations");
    return file_mkdirs(folder, 0700, e) && put(h->dir, PROPERTIES, text, e) &&
           put(h->dir, NOTE, text, e);
}

bool gcloud_home_write(const gcloud_home *h, error *e)
{
    auto_buf buf text = buf_make(PROPERTIES_MAX);
    properties(h, &text);
    if (!buf_ok(&text))
        return error_set(e, ERR_LIMIT, "gcloud's configuration becomes too long");
    const bool current = holds(h->dir, NOTE, buf_view(&text)) && still_acts_as(h);
    /* Without the name of the active configuration gcloud starts with an empty one. */
    return (current || write_properties(h, buf_view(&text), e)) &&
           put(h->dir, "active_config", SPAN_LIT(CONFIGURATION), e);
}

/* ---- who is logged in ---- */

/* What `gcloud auth revoke` removes. */
static bool has_credential(const char *dir, const char *account)
{
    auto_buf buf name = buf_make(2 * (size_t)NAME_MAX_);
    buf_fmt(&name, "legacy_credentials/%s", account);
    auto_free char *path = file_join(dir, name.p);
    return access(path, F_OK) == 0;
}

bool gcloud_home_is_logged_in(const gcloud_home *h, const char *login)
{
    return holds(h->dir, LOGIN_NOTE, span_of(login)) && has_credential(h->dir, h->account);
}

/* Tokens of a former credential would only be refused. */
static bool forget_tokens(const char *dir, error *e)
{
    auto_free char *path = file_join(dir, "access_tokens.db");
    return unlink(path) == 0 || errno == ENOENT || error_errno(e, "%s", path);
}

bool gcloud_home_forget_login(const gcloud_home *h, error *e)
{
    auto_free char *note = file_join(h->dir, LOGIN_NOTE);
    if (unlink(note) != 0 && errno != ENOENT)
        return error_errno(e, "%s", note);
    return forget_tokens(h->dir, e);
}

bool gcloud_home_note_login(const gcloud_home *h, const char *login, error *e)
{
    return put(h->dir, LOGIN_NOTE, span_of(login), e);
}
