/* `invoker lesson --auto all`: every lesson by itself, some at a time. */
#ifndef CLI_LESSON_ALL_H
#define CLI_LESSON_ALL_H

#include <stdbool.h>

/* The exit status: CLI_OK when all passed; 128 + the signal that ended it. */
int lesson_all(bool json);

#endif
