/* A request that is allowed, for tests to spoil in one place. */
#ifndef DECISION_FIXTURE_H
#define DECISION_FIXTURE_H

#include "decision/decide.h"
#include "policy_fixture.h"

typedef struct scene {
    snapshot *s;
    const char *aud[4];
    claims claims;
    request_facts facts;
} scene;

/* frontend-sa calls backend-api with a good token; policy is the tutorial's unless given. */
static inline void scene_open(scene *x, snapshot *policy)
{
    *x = (scene){.s = policy ? policy : fixture_tutorial(), .aud = {DET_URL}};
    x->claims = (claims){.iss = "https://accounts.google.com",
                         .sub = "1",
                         .email = FRONTEND,
                         .email_verified = true,
                         .aud = x->aud,
                         .aud_count = 1,
                         .has_exp = true,
                         .has_iat = true,
                         .exp_s = NOW_S + 1800,
                         .iat_s = NOW_S - 1800};
    x->facts = (request_facts){.service = fixture_find(x->s, "backend-api"),
                               .header = HEADER_AUTHORIZATION,
                               .token = TOKEN_VERIFIED,
                               .claims = &x->claims};
}

static inline reason scene_reason(const scene *x)
{
    return decide(x->s, &x->facts, NOW_US).reason;
}

#endif
