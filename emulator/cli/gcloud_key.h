/* What a login as a service account takes: a key of it, made by the IAM API in a user's name. */
#ifndef CLI_GCLOUD_KEY_H
#define CLI_GCLOUD_KEY_H

#include "base/error.h"

/* An access token of the user's, got as gcloud gets one; caller frees. NULL and *e: nobody answers
 * at the control listener, or the user is refused. */
char *gcloud_user_token(const char *control, const char *user, error *e);

typedef struct gcloud_key {
    const char *control;    /* "HOST:PORT" of the gateway's control listener */
    const char *user_token; /* of who has the key made */
    const char *email;      /* the service account */
    const char *file;       /* where it is kept, 0600; its folder is there */
} gcloud_key;

/* Sees to it that the file holds a key that the running gateway knows: the one that is there, else
 * a new one. Its id; caller frees. NULL and *e. */
char *gcloud_key_provide(const gcloud_key *k, error *e);

#endif
