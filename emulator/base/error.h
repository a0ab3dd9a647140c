/* The one way to say what went wrong: a kind for programs and a sentence for people. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#include "base/attr.h"

typedef enum error_kind {
    ERR_NONE = 0,
    ERR_INVALID,     /* input that does not follow its format or its rules */
    ERR_NOT_FOUND,   /* a named thing is not there */
    ERR_EXISTS,      /* it is there already, or the address is in use */
    ERR_PERMISSION,  /* the system refused */
    ERR_LIMIT,       /* larger or more than a named ceiling */
    ERR_IO,          /* a system call failed for another reason */
    ERR_UNAVAILABLE, /* a peer does not answer */
    ERR_MEMORY
} error_kind;

enum { ERROR_TEXT_MAX = 1024 };

/* Owned by whoever declares it; plain data, may be copied. Zero-initialise: `error e = {0};` */
typedef struct error {
    error_kind kind;
    char text[ERROR_TEXT_MAX];
} error;

/* error_set(e, kind, fmt, ...) fills *e (e may be NULL) and is false, so that
 * `return error_set(...)` reads well; macros, so that compilers and analysers see the false. */
#define error_set(...)                                                                             \
    __extension__({                                                                                \
        error_set_text(__VA_ARGS__);                                                               \
        false;                                                                                     \
    })

/* error_errno(e, fmt, ...): with ": " and strerror(errno) behind it; the kind follows errno. */
#define error_errno(...)                                                                           \
    __extension__({                                                                                \
        error_errno_text(__VA_ARGS__);                                                             \
        false;                                                                                     \
    })

/* error_wrap(e, fmt, ...) puts "context: " in front of the text that is already there. */
#define error_wrap(...)                                                                            \
    __extension__({                                                                                \
        error_wrap_text(__VA_ARGS__);                                                              \
        false;                                                                                     \
    })

void error_set_text(error *e, error_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
void error_errno_text(error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void error_wrap_text(error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
