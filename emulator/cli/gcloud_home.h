/* A configuration folder (CLOUDSDK_CONFIG) of gcloud's in which everything that gcloud talks to is
 * the emulator: its APIs, its token endpoint and, because `gcloud run` puts the region in front of
 * the host's name, its HTTP proxy. The user's own configuration is neither read nor written. */
#ifndef CLI_GCLOUD_HOME_H
#define CLI_GCLOUD_HOME_H

#include "base/error.h"
#include "base/span.h"

typedef struct gcloud_home {
    const char *dir;
    const char *control; /* "HOST:PORT" of the gateway's control listener */
    const char *project, *region;
    const char *account; /* the e-mail that gcloud acts as */
} gcloud_home;

/* $XDG_STATE_HOME/invoker/gcloud/HOST-PORT/ACCOUNT; caller frees. NULL: there is no home folder. */
char *gcloud_home_default(const char *control, const char *account);

/* Makes the folder (0700), and keeps other processes waiting that want it, too, until the caller
 * closes the descriptor that it returns. -1 and *e; refuses one that somebody else has filled. */
int gcloud_home_claim(const char *dir, error *e);

/* Fills the folder, which was claimed, or brings it up to date: what gcloud itself changed
 * in it stays, unless something here differs from what was written last, or gcloud no longer acts
 * as the account. */
bool gcloud_home_write(const gcloud_home *h, error *e);

/* Whether gcloud has the account's credential. login: tells one credential from another, such as by
 * a key's id; as it was told to gcloud_home_note_login. */
bool gcloud_home_is_logged_in(const gcloud_home *h, const char *login);

/* Before, and after, another login: one that breaks off is none. */
bool gcloud_home_forget_login(const gcloud_home *h, error *e);
bool gcloud_home_note_login(const gcloud_home *h, const char *login, error *e);

#endif
