/* Compiler attributes and the few macros that every room uses. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>
#include <stdlib.h>

/* Runs fn(&variable) when the variable leaves its scope. */
#define AUTO(fn) __attribute__((cleanup(fn)))

/* A malloc'ed pointer that is freed at the end of its scope unless TAKEn. */
static inline void attr_free_ptr(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}
#define auto_free AUTO(attr_free_ptr)

/* Hands a scope-released pointer over to the caller: yields it and leaves NULL behind. */
#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) take_tmp_ = (p);                                                             \
        (p) = NULL;                                                                                \
        take_tmp_;                                                                                 \
    })

#define PRINTF_LIKE(fmt, args)          __attribute__((format(printf, fmt, args)))
#define UNUSED                          __attribute__((unused))
#define NODISCARD                       __attribute__((warn_unused_result))
#define countof(array)                  (sizeof(array) / sizeof((array)[0]))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
