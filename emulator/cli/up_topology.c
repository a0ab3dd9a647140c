/* File → reservations → overlay → the snapshot with the addresses in force. */
#include "cli/up_topology.h"

#include <stdlib.h>

#include "base/file.h"
#include "config/topology.h"

enum { OVERLAY_MAX = 1024 * 1024, OVERLAY_MODE = 0600 };

struct up_topology {
    char *path, *overlay_path;
    bool ephemeral;
    port_plan *ports;
    snapshot *in_force;
};

up_topology *up_topology_new(const char *path, bool ephemeral, const char *dir)
{
    up_topology *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    *t = (up_topology){.path = span_dup(span_of(path)),
                       .overlay_path = file_join(dir, "addresses"),
                       .ephemeral = ephemeral};
    return t;
}

void up_topology_free(up_topology *t)
{
    if (!t)
        return;
    port_plan_free(t->ports);
    snapshot_unref(t->in_force);
    free(t->overlay_path);
    free(t->path);
    free(t);
}

static snapshot *load_with_overlay(const up_topology *t, buf *problems)
{
    error e = {0};
    addresses *over = addresses_read(t->overlay_path, &e);
    if (!over) {
        buf_fmt(problems, "%s\n", e.text);
        return NULL;
    }
    diagnostics found = {0};
    snapshot *s = topology_load(t->path, over, &found);
    if (!s)
        diagnostics_print(&found, problems);
    diagnostics_free(&found);
    addresses_free(over);
    return s;
}

static bool write_overlay(const up_topology *t, const port_plan *p, buf *problems)
{
    auto_buf buf text = buf_make(OVERLAY_MAX);
    if (p)
        port_plan_overlay(p, &text);
    error e = {0};
    if (!buf_ok(&text))
        error_set(&e, ERR_LIMIT, "too many addresses for the overlay file");
    else if (file_replace(t->overlay_path, text.p ? text.p : "", text.n, OVERLAY_MODE, &e))
        return true;
    buf_fmt(problems, "%s\n", e.text);
    return false;
}

bool up_topology_take(up_topology *t, snapshot *file, buf *problems)
{
    port_plan *plan = port_plan_make(file, t->ephemeral, t->ports, problems);
    if (!plan)
        return false;
    snapshot *now = NULL;
    if (write_overlay(t, plan, problems))
        now = load_with_overlay(t, problems);
    if (!now) {
        (void)write_overlay(t, t->ports, problems);
        port_plan_free(plan);
        return false;
    }
    port_plan_free(t->ports);
    snapshot_unref(t->in_force);
    t->ports = plan;
    t->in_force = now;
    return true;
}

const snapshot *up_topology_snapshot(const up_topology *t)
{
    return t->in_force;
}

const char *up_topology_overlay_path(const up_topology *t)
{
    return t->overlay_path;
}

port_plan *up_topology_ports(const up_topology *t)
{
    return t->ports;
}
