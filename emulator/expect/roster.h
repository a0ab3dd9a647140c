/* Who may call in a topology: the rows of its matrix. */
#ifndef EXPECT_ROSTER_H
#define EXPECT_ROSTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "policy/snapshot.h"

typedef struct roster {
    const char **emails; /* views of the snapshot, or what roster_add was given; NULL: anonymous */
    size_t count, cap;
    arena *mem;
    strmap *places; /* e-mail → size_t *, its place in the list */
} roster;

/* Every account that a service runs as, every account and person that a binding or a group names,
 * every person of users:, and last anonymous. */
roster roster_of(const snapshot *s);
void roster_free(roster *c);

/* The place in the list of an e-mail (NULL: anonymous); count: none. */
size_t roster_find(const roster *c, const char *email);
/* The same; one that is not there is appended. email must live as long as c. */
size_t roster_add(roster *c, const char *email);

/* As people call them: "frontend-sa", "alice@example.com", "anonymous". Appends. */
void caller_put(buf *b, const snapshot *s, const char *email);

#endif
