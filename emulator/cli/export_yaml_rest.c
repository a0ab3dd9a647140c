/* Custom roles, deny rules and images. */
#include "cli/export.h"
#include "cli/yaml_out.h"
#include "state/state.h"

static void put_role(const export_job *j, const custom_role *r)
{
    if (state_entry_in(j->from->document, "roles", r->name))
        yaml_put_comment(j->out, 1, "set by API");
    if (r->permissions[0]) {
        yaml_put_flow(j->out, 1, r->name, r->permissions);
        return;
    }
    yaml_put_key(j->out, 1, r->name);
    j->out->n--;
    buf_str(j->out, " []\n");
}

/* Of a name that is there twice the first counts. */
static void put_roles(const export_job *j)
{
    const size_t count = snapshot_role_count(j->s);
    if (count)
        yaml_put_key(j->out, 0, "roles");
    for (size_t i = 0; i < count; i++) {
        const custom_role *r = snapshot_role(j->s, i);
        if (snapshot_find_role(j->s, span_of(r->name)) == r)
            put_role(j, r);
    }
}

static void put_denies(const export_job *j)
{
    const size_t count = snapshot_deny_count(j->s);
    if (count)
        yaml_put_key(j->out, 0, "deny");
    for (size_t i = 0; i < count; i++) {
        const deny_rule *r = snapshot_deny(j->s, i);
        if (r->place.file && r->place.line == 0)
            yaml_put_comment(j->out, 1, r->place.file);
        buf_str(j->out, "  -\n");
        yaml_put_flow(j->out, 2, "deniedPrincipals", r->principals);
        yaml_put_flow(j->out, 2, "exceptionPrincipals", r->exception_principals);
        yaml_put_flow(j->out, 2, "deniedPermissions", r->permissions);
        yaml_put_flow(j->out, 2, "exceptionPermissions", r->exception_permissions);
    }
}

static void put_images(const export_job *j)
{
    const size_t count = snapshot_image_count(j->s);
    if (count)
        yaml_put_key(j->out, 0, "images");
    for (size_t i = 0; i < count; i++) {
        const char *const *command;
        const char *image = snapshot_image_at(j->s, i, &command);
        yaml_put_flow(j->out, 1, image, command);
    }
}

void export_yaml_rest(const export_job *j)
{
    put_roles(j);
    put_denies(j);
    put_images(j);
}
