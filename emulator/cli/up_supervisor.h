/* All processes of one `invoker up`: started together, kept alive, changed with the topology,
 * stopped together. */
#ifndef CLI_UP_SUPERVISOR_H
#define CLI_UP_SUPERVISOR_H

#include "base/loop.h"
#include "cli/record_options.h"
#include "cli/up_env.h"
#include "cli/up_guard.h"
#include "cli/up_topology.h"

typedef struct supervisor supervisor;

typedef struct supervisor_options {
    const char *config_path;
    const char *keys_dir;     /* NULL: the topology's */
    const char *state_dir;    /* of what APIs change */
    const char *ca_dir;       /* of the certificate authority */
    const trust_files *trust; /* NULL: there is none */
    const char *log_format;   /* "text" or "json", for the daemons */
    const char *log_file;     /* NULL: standard error */
    bool decision_header;
    const char *request_log, *workers; /* of the gateway; NULL: its defaults */
    record_settings record;            /* of the gateway, too */
    const char *const *command;        /* CMD; NULL: none */
    bool state_is_temporary;           /* it need not survive */
    bool ephemeral;                    /* services that an API makes get any free port */
    bool no_services;                  /* the daemons alone */
    int64_t ready_timeout_s;
    /* Everything answers for the first time; CMD has not been started yet. */
    void (*on_ready)(void *ctx);
    void *ctx;
} supervisor_options;

/* All pointers must outlive it. */
supervisor *supervisor_new(loop *l, guard *g, up_topology *t, const supervisor_options *o);
void supervisor_free(supervisor *s); /* after supervisor_run; NULL is fine */

/* Brings the processes in line with the topology as it is now: the first call starts all. daemons:
 * they are to read the file again (they see by themselves what an API has changed). */
void supervisor_apply(supervisor *s, bool daemons);

/* Runs the loop until everything has stopped; the exit status of `up`. */
int supervisor_run(supervisor *s);

/* A signal for us: SIGCHLD, SIGTERM, SIGINT, SIGQUIT. */
void supervisor_signal(supervisor *s, int signo);

#endif
