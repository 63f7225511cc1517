/* A fuzz target's entry, and how it says that something does not hold. */
#ifndef WAYMARK_TESTS_FUZZ_H
#define WAYMARK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition, what)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "does not hold: %s\n", (what));                                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
