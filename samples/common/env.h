/* Settings come from the environment, as on Cloud Run. */
#ifndef COMMON_ENV_H
#define COMMON_ENV_H

#include <stdint.h>

#include "problem.h"

/* $HOST, or loopback: a service is reachable from outside only where somebody asked for it. */
const char *env_host(void);

/* $PORT, or 8080. */
bool env_port(uint16_t *out_port, problem *p);

/* The base URL of another service without its trailing slashes. An absent or empty variable gives
 * NULL; true in both cases. The caller frees. */
bool env_service_url(const char *variable, char **out_url, problem *p);

#endif
