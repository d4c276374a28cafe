#pragma once

#include <stdio.h>
#include <stdlib.h>

/// Prints the condition when it does not hold; no expected output has such a line.
#define CHECK(...)                                                                     \
    ((__VA_ARGS__) ? (void)0                                                           \
                   : (void)(printf("line %d: %s\n", __LINE__, #__VA_ARGS__), fflush(stdout)))

/// Keeps the call a call: also at -O2 the function is first called with these arguments.
#define NOINLINE __attribute__((noinline))
