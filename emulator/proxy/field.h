/* One header or trailer field, as views. */
#ifndef PROXY_FIELD_H
#define PROXY_FIELD_H

#include "base/span.h"

typedef struct field {
    span name, value;
} field;

#endif
