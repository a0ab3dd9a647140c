/* What the parts of reading one test file share. Private to expect/. */
#ifndef EXPECT_READING_H
#define EXPECT_READING_H

#include "config/load.h"
#include "expect/suite.h"

typedef struct reading {
    loader l; /* of its parts only: mem, diags, budget; each diagnostic goes there */
    suite *s;
    const char *file;
} reading;

static inline reading *reading_of(loader *l)
{
    return container_of(l, reading, l);
}

/* One thing that a test may say, of which it may say several (a list). */
typedef struct value {
    const char *text; /* of a caller NULL: anonymous */
    int64_t number;
    bool relative;
    const char *shown; /* in a case's name; NULL: not */
} value;

/* load_values.c. Each reads one scalar; false: reported. key: for messages. */
typedef bool value_reader(reading *r, const char *key, const node *n, value *out);
value_reader read_caller_value, read_service_value, read_host_value, read_text_value,
    read_path_value, read_header_value, read_token_value, read_internal_value, read_time_value;

/* load_expect.c: false: reported. */
bool read_expectation(reading *r, const node *n, expectation *out);

/* load.c: the case joins the suite; false: reported (there are too many). */
bool add_case(reading *r, const test_case *c);

/* load_matrix.c: the shorthand. */
void read_expected_matrix(loader *l, const node_pair *entry, void *into);

#endif
