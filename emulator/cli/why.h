/* The parts of `invoker why`: a made-up or given request, its decision, the report. */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include <jansson.h>

#include "base/buf.h"
#include "decision/decide.h"
#include "jose/keystore.h"

/* Ways in which the made-up token may be wrong: as in `invoker token`; and the one fault that lies
 * in how a token is sent. */
#define WHY_WAYS(X)                                                                                \
    X(WAY_EXPIRED, "expired", "ended an hour ago")                                                 \
    X(WAY_EARLY, "not-yet-valid", "issued an hour from now")                                       \
    X(WAY_WRONG_ISSUER, "wrong-issuer", "issued by somebody else than Google")                     \
    X(WAY_NO_EMAIL, "no-email", "without e-mail claims")                                           \
    X(WAY_FOREIGN_KEY, "foreign-key", "signed by a key that is not published")                     \
    X(WAY_TAMPERED, "tampered", "changed after signing")                                           \
    X(WAY_UNSIGNED, "unsigned", "alg none, no signature")                                          \
    X(WAY_ACCESS_TOKEN, "access-token", "an OAuth access token instead")                           \
    X(WAY_REPEATED, "repeated-header", "in a header that came twice")

typedef enum why_way {
#define X(id, name, help) id,
    WHY_WAYS(X)
#undef X
        WAY_COUNT
} why_way;

typedef struct why_options {
    const char *as, *to, *host, *audience, *path, *header, *token;
    const char *config, *keys, *control, *output;
    bool anonymous, internal, just_granted, reasons, last;
    bool way[WAY_COUNT];
} why_options;

/* The request in question. Zero-initialise; release with why_case_free. */
typedef struct why_case {
    const char *path;
    request_facts facts;
    claims made_up;
    const char *aud[1];
    claims *parsed; /* of a given token; owned */
    char *text;     /* of a given token; owned */
    char id[22];
} why_case;

/* Sets up *out from the options. -1 to go on, else the exit status after a printed message. */
int why_case_make(const why_options *o, const snapshot *s, int64_t now_us, why_case *out);
void why_case_free(why_case *c);

/* Prints the verdict; returns the exit status. */
int why_report(const why_case *c, const snapshot *s, int64_t now_us, bool json);

/* `why --reasons`: the table of outcomes. */
int why_reasons(const char *output);

/* `why --last`: the running gateway's latest refusal. */
int why_last(const char *control, bool json);

/* A decision as the gateway lists it, in lines for people. */
void why_put_decision(buf *b, const json_t *entry);

/* "403 Forbidden"; a request that passes has the service's own status. */
unsigned why_status(reason r);
const char *why_status_text(reason r);

#endif
