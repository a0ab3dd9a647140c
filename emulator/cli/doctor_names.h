/* Host names looked up all at once, each by a thread of its own, so that one that hangs holds up
 * nobody. */
#ifndef CLI_DOCTOR_NAMES_H
#define CLI_DOCTOR_NAMES_H

#include "base/net.h"

typedef struct doctor_names doctor_names;

typedef enum name_state { NAME_UNKNOWN, NAME_HANGS, NAME_FOUND } name_state;

doctor_names *doctor_names_new(void);
void doctor_names_free(doctor_names *n); /* NULL is fine */

/* Puts a name on the list, once. Numeric addresses need no look-up and are passed over. */
void doctor_names_want(doctor_names *n, span host);

/* Looks all of them up; what is not there at until_us (clock_mono_us) is left as NAME_HANGS. */
void doctor_names_look_up(doctor_names *n, int64_t until_us);

/* What was found for it, port 0; NULL out_address is fine. IPv4 before IPv6. A numeric host is
 * itself, "localhost" 127.0.0.1. n may be NULL: then only those. */
name_state doctor_names_find(const doctor_names *n, span host, net_addr *out_address);

/* "HOST:PORT" or "HOST" (then `port`) to an address. */
name_state doctor_names_address(const doctor_names *n, span text, uint16_t port,
                                net_addr *out_address);

#endif
