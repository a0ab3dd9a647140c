/* Why something failed, in words for the log and for the caller's 502. */
#ifndef COMMON_PROBLEM_H
#define COMMON_PROBLEM_H

#include <stdbool.h>

typedef struct problem {
    char text[512];
} problem;

/* Fills p and returns false, so that a failing function can end in one line. */
bool problem_set(problem *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
