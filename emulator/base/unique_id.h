/* The numeric id of an account: what a token's `sub` says and what `deleted:…?uid=` would name. */
#ifndef BASE_UNIQUE_ID_H
#define BASE_UNIQUE_ID_H

#include "base/span.h"

enum { UNIQUE_ID_TEXT = 22 };

/* 21 decimal digits starting with 1, derived from the e-mail alone: the same on every machine and
 * in both processes, so that no state has to be shared. ASCII case does not matter. */
void account_unique_id(span email, char out[UNIQUE_ID_TEXT]);

#endif
