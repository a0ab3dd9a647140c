/* gcloud logging itself in: into its own configuration folder, by its own commands. */
#ifndef CLI_GCLOUD_LOGIN_H
#define CLI_GCLOUD_LOGIN_H

#include "base/error.h"

#define GCLOUD_MISSING                                                                             \
    "gcloud is not on the PATH; it is part of the Google Cloud CLI: "                              \
    "https://cloud.google.com/sdk/docs/install"

/* Runs gcloud once with this folder as CLOUDSDK_CONFIG: for a user with the e-mail as refresh token
 * (key_file NULL), for a service account with its key. What gcloud prints is part of *e when it
 * fails. *out_missing: it is not installed. Bounded in time. */
bool gcloud_log_in(const char *dir, const char *email, const char *key_file, bool *out_missing,
                   error *e);

#endif
