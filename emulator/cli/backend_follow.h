/* Decisions as they are made, from the gateway's process to the control listener. */
#ifndef CLI_BACKEND_FOLLOW_H
#define CLI_BACKEND_FOLLOW_H

#include "control/control.h"
#include "gateway/recent.h"

/* What the listener asks for, in the ring's terms. */
recent_query backend_decisions_query(const control_decisions_query *q);

/* control_backend.follow and .unfollow; ctx is a gateway_backend. */
void *backend_follow(void *ctx, const control_decisions_query *q, span after,
                     const control_follower *f);
void backend_unfollow(void *ctx, void *following);

#endif
