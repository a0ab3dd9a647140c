/* The parts of `invoker why`: a made-up or given request, its decision, the report. */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "base/buf.h"
#include "decision/hypothesis.h"
#include "jose/jwks.h"

typedef struct why_options {
    const char *as, *to, *host, *audience, *path, *header, *token;
    const char *config, *keys, *control, *output;
    const char *id; /* the operand */
    bool anonymous, internal, just_granted, reasons, last;
    bool way[WAY_COUNT]; /* of WAY_NONE: unused */
} why_options;

/* The request in question. Zero-initialise; release with why_case_free. */
typedef struct why_case {
    hypothesis h;
    claims *parsed; /* of a given token; owned */
    char *text;     /* of a given token; owned */
} why_case;

/* Sets up *out from the options. -1 to go on, else the exit status after a printed message. */
int why_case_make(const why_options *o, const snapshot *s, int64_t now_us, why_case *out);
/* Takes c->text for the token that is sent (or for the header's whole value). keys (nullable)
 * verify it. */
void why_case_token(why_case *c, bool serverless, const jwks *keys);
void why_case_free(why_case *c);

/* Appends the verdict as a JSON object. */
void why_json(buf *b, const why_case *c, const snapshot *s, int64_t now_us);
/* Prints the verdict; returns the exit status. */
int why_report(const why_case *c, const snapshot *s, int64_t now_us, bool json);

/* `why --reasons`: the table of outcomes. */
int why_reasons(const char *output);

/* `why ID`: a decision that the running gateway remembers; id NULL, `why --last`: its latest
 * refusal. */
int why_recorded(const char *control, const char *id, bool json);

/* "403 Forbidden"; a request that passes has the service's own status. */
unsigned why_status(reason r);
const char *why_status_text(reason r);

#endif
