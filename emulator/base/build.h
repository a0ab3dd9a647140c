/* Which build this is. */
#ifndef BASE_BUILD_H
#define BASE_BUILD_H

#define BUILD_VERSION "0.1.0"

#ifdef __clang__
#define BUILD_COMPILER "clang " __clang_version__
#else
#define BUILD_COMPILER "gcc " __VERSION__
#endif

#endif
