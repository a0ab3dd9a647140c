/* auth-service: logs end users in and checks their sessions. Which *service* may call is IAM's
 * business (its token arrives in X-Serverless-Authorization); which *user* stands behind the call
 * is this program's (the session arrives in Authorization, untouched). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/jwt.h"
#include "../common/logline.h"
#include "../common/service.h"
#include "session.h"
#include "users.h"

static reply how_to_log_in(const request *r, void *context)
{
    (void)r;
    (void)context;
    return reply_json(200, json_pack("{s:s, s:{s:s, s:s, s:[s, s]}}", "service", "auth-service",
                                     "login", "method", "POST", "path", "/login", "fields",
                                     "username", "password"));
}

static reply issue(const session_key *key, const char *user)
{
    problem p;
    char *token = NULL;
    if (!session_issue(key, user, time(NULL), &token, &p)) {
        logline(SEVERITY_ERROR, "%s", p.text);
        return reply_error(500, "%s", p.text);
    }
    json_t *body = json_pack("{s:s, s:s, s:s, s:i}", "user", user, "token", token, "token_type",
                             "Bearer", "expires_in", (int)SESSION_LIFETIME_S);
    free(token);
    return reply_json(200, body);
}

static reply login(const request *r, void *context)
{
    reply refusal = {0};
    json_t *body = request_json(r, &refusal);
    if (!body) {
        return refusal;
    }
    const char *user = json_string_value(json_object_get(body, "username"));
    const char *password = json_string_value(json_object_get(body, "password"));
    reply answer;
    if (!user || !password || strlen(user) >= SESSION_USER_MAX) {
        answer = reply_error(400, "\"username\" and \"password\" have to be strings");
    } else if (!users_check(user, password)) {
        logline(SEVERITY_WARNING, "a login was refused");
        answer = reply_error(401, "wrong user name or password");
    } else {
        logline(SEVERITY_INFO, "user %s has logged in through %s", user, r->caller);
        answer = issue(context, user);
    }
    json_decref(body);
    return answer;
}

static reply verify(const request *r, void *context)
{
    const char *token = bearer_token(r->authorization);
    if (!token) {
        return reply_error(401, "the user's session is missing: Authorization: Bearer SESSION");
    }
    problem p;
    session s;
    if (!session_check(context, token, time(NULL), &s, &p)) {
        return reply_error(401, "%s", p.text);
    }
    return reply_json(200, json_pack("{s:s, s:I, s:s}", "user", s.user, "expires",
                                     (json_int_t)s.expires, "asked_by", r->caller));
}

static const route ROUTES[] = {
    {"GET", "/", how_to_log_in},
    {"GET", "/login", how_to_log_in},
    {"POST", "/login", login},
    {"GET", "/verify", verify},
    {0},
};

int main(void)
{
    service_start("auth-service");
    session_key key;
    bool random = false;
    problem p;
    if (!session_key_load(&key, &random, &p)) {
        logline(SEVERITY_ERROR, "%s", p.text);
        return 1;
    }
    if (random) {
        logline(SEVERITY_INFO, "SESSION_KEY is not set: sessions end with this process");
    }
    return service_run(&(service){.name = "auth-service", .routes = ROUTES, .context = &key});
}
