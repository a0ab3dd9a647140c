/* The environment in which gcloud has one configuration folder and nothing outdoes it. */
#ifndef CLI_GCLOUD_VARS_H
#define CLI_GCLOUD_VARS_H

#include "base/arena.h"
#include "cli/up_env.h"

/* CLOUDSDK_CONFIG, and what must not be set because it would send gcloud elsewhere or as somebody
 * else: of such variables those that this process has. names: where their names then live. The
 * caller frees with service_vars_free. */
service_vars gcloud_vars(const char *dir, arena *names);

/* This process' environment with them. The caller frees with envlist_free. */
envlist gcloud_environment(const char *dir);

#endif
