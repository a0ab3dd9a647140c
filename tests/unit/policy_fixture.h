/* The tutorial's accounts and services as a builder, for tests of policy and decision. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "base/attr.h"

#include "policy/snapshot.h"

#define SECOND    INT64_C(1000000)
#define NOW_S     INT64_C(1800000000)
#define NOW_US    (NOW_S * SECOND)
#define FRONTEND  "frontend-sa@my-project.iam.gserviceaccount.com"
#define BACKEND   "backend-sa@my-project.iam.gserviceaccount.com"
#define DB        "db-sa@my-project.iam.gserviceaccount.com"
#define RETIRED   "retired-sa@my-project.iam.gserviceaccount.com"
#define COMPUTE   "123456789012-compute@developer.gserviceaccount.com"
#define INVOKER   "roles/run.invoker"
#define CLIENT_ID "32555940559.apps.googleusercontent.com"
#define DET_URL   "https://backend-api-123456789012.us-central1.run.app"

static inline void fixture_service(snapshot_builder *b, service v, const char *email)
{
    static const char *const none[] = {NULL};
    v.iam_check = true;
    v.custom_audiences = v.custom_audiences ? v.custom_audiences : none;
    v.hosts = v.hosts ? v.hosts : none;
    v.addresses = none;
    v.timeout_us = v.timeout_us ? v.timeout_us : 300 * SECOND;
    v.concurrency = v.concurrency ? v.concurrency : 80;
    v.place.file = "t.yaml";
    snapshot_builder_service(b, &v, email);
}

static inline snapshot_builder *fixture_builder(void)
{
    static const char *const custom[] = {"backend-api.internal", "https://api.example.net", NULL};
    static const char *const hosts[] = {"api.example.test", NULL};
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "my-project",
                                           .number = "123456789012",
                                           .region = "us-central1",
                                           .ingress_listen = "127.0.0.1:8080",
                                           .file = "t.yaml"});
    static const char *const emails[] = {FRONTEND, BACKEND, DB};
    for (size_t i = 0; i < 3; i++)
        snapshot_builder_account(b, &(account){.email = emails[i]});
    snapshot_builder_account(b, &(account){.email = RETIRED, .disabled = true});
    fixture_service(b, (service){.name = "frontend", .listen = "127.0.0.1:8081"}, FRONTEND);
    fixture_service(b,
                    (service){.name = "backend-api",
                              .listen = "127.0.0.1:8082",
                              .custom_audiences = custom,
                              .hosts = hosts},
                    BACKEND);
    fixture_service(b, (service){.name = "db-service", .listen = "127.0.0.1:8083"}, DB);
    fixture_service(b, (service){.name = "worker", .url = "http://worker:8080"}, NULL);
    return b;
}

static inline void fixture_bind(snapshot_builder *b, const char *on, const char *role,
                                const char *who)
{
    snapshot_builder_grant(
        b, &(grant_spec){.service = on, .role = role, .member = who, .place = {"t.yaml", 7, 3}});
}

static inline snapshot *fixture_build(snapshot_builder *b)
{
    return snapshot_build(b, NULL, NOW_US);
}

/* The tutorial's matrix. */
static inline snapshot *fixture_tutorial(void)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "frontend", INVOKER, "allUsers");
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    fixture_bind(b, "db-service", INVOKER, "serviceAccount:" BACKEND);
    return fixture_build(b);
}

static inline const service *fixture_find(const snapshot *s, const char *name)
{
    return snapshot_find_service(s, span_of(name));
}

static inline const binding *fixture_grant(const snapshot *s, const char *on, const char *email,
                                           int64_t now_us)
{
    principal p;
    if (!snapshot_principal(s, email, NULL, &p))
        return NULL;
    return snapshot_grant(s, fixture_find(s, on), &p, now_us);
}

#endif
