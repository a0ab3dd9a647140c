/* The metadata server: one process, one thread, one loop. */
#ifndef METADATA_PROCESS_H
#define METADATA_PROCESS_H

#include "base/clock.h"
#include "base/loop.h"
#include "base/net.h"

typedef struct metadata_options {
    const char *config_path;
    const char *addresses_path; /* NULL: none. Given by `up`, which keeps the ports reserved, so the
                                   listeners share them */
    const char *state_dir;      /* NULL: none. Where the gateway keeps what the APIs changed */
    const char *as_service;     /* NULL: callers are told apart */
    const char *listen;         /* NULL: as the topology says; else the one and only listener */
    const char *keys_dir;       /* NULL: as the topology says */
    const char *hosts;          /* NULL, or more names that requests may call this server by */
    bool watch;                 /* reload when files change */
    int ready_fd;               /* "ready\n" goes there; negative: nowhere */
} metadata_options;

typedef struct metadata metadata;

/* Listens and answers as soon as l turns. Strings of o must outlive it. NULL and *e; problems of
 * the topology are printed to stderr and *e says so. */
metadata *metadata_open(loop *l, const metadata_options *o, clock_source clock, error *e);

/* Who waits is answered 503. */
void metadata_close(metadata *m);

/* Reads the topology again; false when it is refused. */
bool metadata_reload(metadata *m);

/* The whole process: until SIGTERM or SIGINT; SIGHUP reloads. Returns the exit status. */
int metadata_run(const metadata_options *o);

#endif
