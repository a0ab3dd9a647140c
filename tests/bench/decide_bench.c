/* What one decision costs at 10, 1,000 and 100,000 bindings over 1,000 services, and how long the
 * snapshot takes to build. Prints medians; exits 1 when they miss the figures to reach. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "decision/decide.h"

enum { SERVICES = 1000, ROUNDS = 41, CALLS = 5000, MEDIAN_MAX_NS = 1000, BUILD_MAX_MS = 1000 };

#define NOW_S INT64_C(1800000000)

static const int sizes[] = {10, 1000, 100000};

static void add_services(snapshot_builder *b)
{
    static const char *const none[] = {NULL};
    for (int i = 0; i < SERVICES; i++) {
        char name[32], listen[32];
        snprintf(name, sizeof name, "service-%d", i);
        snprintf(listen, sizeof listen, "127.0.0.1:%d", 20000 + i);
        const service v = {.name = name,
                           .listen = listen,
                           .iam_check = true,
                           .custom_audiences = none,
                           .hosts = none,
                           .addresses = none};
        snapshot_builder_service(b, &v, NULL);
    }
}

/* Binding i: caller i / SERVICES on service i % SERVICES, so that each pair is there once. */
static void caller_email(int i, char out[96])
{
    snprintf(out, 96, "caller-%d@my-project.iam.gserviceaccount.com", i / SERVICES);
}

static snapshot *build(int bindings)
{
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "my-project",
                                           .number = "123456789012",
                                           .region = "us-central1",
                                           .ingress_listen = "127.0.0.1:8080"});
    add_services(b);
    for (int i = 0; i < bindings; i++) {
        char on[32], email[96], who[128];
        snprintf(on, sizeof on, "service-%d", i % SERVICES);
        caller_email(i, email);
        snprintf(who, sizeof who, "serviceAccount:%s", email);
        snapshot_builder_grant(
            b, &(grant_spec){.service = on, .role = "roles/run.invoker", .member = who});
    }
    snapshot_builder_group(b, "team@example.com", "user:alice@example.com");
    snapshot_builder_grant(b, &(grant_spec){.service = "service-0",
                                            .role = "roles/run.invoker",
                                            .member = "group:team@example.com"});
    return snapshot_build(b, NULL, 0);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A different service and caller in each call, as many as there are bindings. */
static double round_ns(const snapshot *s, int bindings, int seed)
{
    char emails[128][96];
    const int callers = (bindings + SERVICES - 1) / SERVICES;
    for (int i = 0; i < callers; i++)
        caller_email(i * SERVICES, emails[i]);
    const char *aud[1];
    claims c = {.iss = "https://accounts.google.com",
                .aud = aud,
                .aud_count = 1,
                .has_exp = true,
                .has_iat = true,
                .exp_s = NOW_S + 60,
                .iat_s = NOW_S};
    request_facts f = {.header = HEADER_AUTHORIZATION, .token = TOKEN_VERIFIED, .claims = &c};
    int allowed = 0;
    const int64_t start = clock_mono_us();
    for (int i = 0; i < CALLS; i++) {
        const int which = (int)(((long)i * 7919 + seed) % bindings);
        f.service = snapshot_service(s, (size_t)(which % SERVICES));
        aud[0] = f.service->url;
        c.email = emails[which / SERVICES];
        allowed += decide(s, &f, NOW_S * 1000000).reason == REASON_GRANTED;
    }
    const int64_t took = clock_mono_us() - start;
    if (allowed != CALLS) {
        fprintf(stderr, "decide_bench: %d of %d calls allowed\n", allowed, CALLS);
        exit(1);
    }
    return (double)took * 1000 / CALLS;
}

int main(void)
{
    bool good = true;
    printf("%10s %14s %10s\n", "bindings", "decide median", "build");
    for (size_t i = 0; i < countof(sizes); i++) {
        const int64_t start = clock_mono_us();
        snapshot *s = build(sizes[i]);
        const double build_ms = (double)(clock_mono_us() - start) / 1000;
        double rounds[ROUNDS];
        for (int r = 0; r < ROUNDS; r++)
            rounds[r] = round_ns(s, sizes[i], r);
        qsort(rounds, ROUNDS, sizeof rounds[0], compare);
        const double median = rounds[ROUNDS / 2];
        printf("%10d %11.0f ns %7.1f ms\n", sizes[i], median, build_ms);
        good &= median <= MEDIAN_MAX_NS && build_ms <= BUILD_MAX_MS;
        snapshot_unref(s);
    }
    return good ? 0 : 1;
}
