/* libmicrohttpd behind the table of routes. Handlers may wait for other services, so each
 * connection has its own thread. */
#ifndef COMMON_SERVER_H
#define COMMON_SERVER_H

#include "problem.h"
#include "service.h"

typedef struct server server;

/* Takes over the listening socket, also when it fails. The service outlives the server. */
server *server_start(const service *s, int listening, problem *p);

/* Accepts nothing more and lets running requests end within grace_ms. False when some are still
 * running: the process may then only exit. Else everything is freed. */
bool server_stop(server *sv, long grace_ms);

#endif
