/* frontend: the tutorial's public service. It calls the private ones with its own ID token, and
 * shows what happens when it calls one that it has no grant for. */
#include <stdlib.h>

#include "../common/env.h"
#include "../common/logline.h"
#include "../common/relay.h"
#include "../common/service.h"
#include "page.h"

typedef struct frontend {
    char *backend_url;
    char *auth_url;
    char *db_url;
} frontend;

static reply show_page(const request *r, void *context)
{
    (void)r;
    (void)context;
    return page_reply();
}

/* The backend's items, combined with who asked for them. */
static reply get_data(const request *r, void *context)
{
    const frontend *f = context;
    const service_call call = {.url = f->backend_url, .path = "/api/items", .trace = r->trace};
    AUTO_ANSWER a = {0};
    reply refusal = {0};
    if (!relay_call("backend-api", &call, r, &a, &refusal)) {
        return refusal;
    }
    json_t *data = json_loadb(text_cstr(&a.body), a.body.size, JSON_REJECT_DUPLICATES, NULL);
    if (a.status != 200 || !data) {
        json_decref(data);
        return reply_error(502, "backend-api answered %ld without data", a.status);
    }
    return reply_json(200, json_pack("{s:s, s:o}", "source", "frontend", "backend_data", data));
}

static reply ask_auth(const frontend *f, const request *r, const service_call *what)
{
    service_call call = *what;
    call.url = f->auth_url;
    call.trace = r->trace;
    AUTO_ANSWER a = {0};
    reply refusal = {0};
    return relay_call("auth-service", &call, r, &a, &refusal) ? relay_reply(&a) : refusal;
}

static reply how_to_log_in(const request *r, void *context)
{
    return ask_auth(context, r, &(service_call){.path = "/login"});
}

static reply login(const request *r, void *context)
{
    return ask_auth(
        context, r,
        &(service_call){
            .path = "/login", .method = "POST", .body = r->body, .body_size = r->body_size});
}

/* Two headers: the user's session stays in Authorization, our own token goes beside it. */
static reply show_session(const request *r, void *context)
{
    if (!r->authorization) {
        return reply_error(401, "log in first, then send Authorization: Bearer SESSION");
    }
    return ask_auth(context, r,
                    &(service_call){.path = "/verify", .user_authorization = r->authorization});
}

/* Whatever db-service answers is the result; its data is not shown even if it let us in. */
static reply steal(const request *r, void *context)
{
    const frontend *f = context;
    if (!f->db_url) {
        return reply_error(503, "DB_URL is not set: there is nothing to steal from");
    }
    problem p;
    AUTO_ANSWER a = {0};
    const service_call call = {.url = f->db_url, .path = "/items", .trace = r->trace};
    if (!call_service(&call, &a, &p)) {
        logline(SEVERITY_ERROR, "%s", p.text);
        return reply_error(502, "db-service could not be called: %s", p.text);
    }
    const bool refused = a.status < 200 || a.status > 299;
    char reason[512] = "db-service let the frontend in: somebody has granted it roles/run.invoker";
    if (refused) {
        relay_reason(&a, reason, sizeof reason);
    }
    logline(refused ? SEVERITY_WARNING : SEVERITY_ERROR, "direct call to db-service: %ld",
            a.status);
    return reply_json(200,
                      json_pack("{s:s, s:s, s:s, s:I, s:b, s:s}", "source", "frontend", "tried",
                                "GET /items", "service", "db-service", "status",
                                (json_int_t)a.status, "refused", (int)refused, "reason", reason));
}

static const route ROUTES[] = {
    {"GET", "/", show_page},
    {"GET", "/api/data", get_data},
    {"GET", "/api/login", how_to_log_in},
    {"POST", "/api/login", login},
    {"GET", "/api/session", show_session},
    {"GET", "/api/steal", steal},
    {0},
};

static bool settings_load(frontend *f, problem *p)
{
    if (!env_service_url("BACKEND_URL", &f->backend_url, p) ||
        !env_service_url("AUTH_URL", &f->auth_url, p) ||
        !env_service_url("DB_URL", &f->db_url, p)) {
        return false;
    }
    return f->backend_url != NULL || problem_set(p, "BACKEND_URL environment variable is required");
}

int main(void)
{
    service_start("frontend");
    frontend f = {0};
    problem p;
    int status = 1;
    if (settings_load(&f, &p)) {
        status = service_run(
            &(service){.name = "frontend", .routes = ROUTES, .context = &f, .is_public = true});
    } else {
        logline(SEVERITY_ERROR, "%s", p.text);
    }
    free(f.backend_url);
    free(f.auth_url);
    free(f.db_url);
    return status;
}
