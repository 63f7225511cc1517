/* What every unit test needs: cmocka with its headers, and table rows as tests. */
#ifndef WAYMARK_TESTS_UNIT_H
#define WAYMARK_TESTS_UNIT_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>

/* Runs `check(&row)` once a row of `table`, whose first member is `const char *name`, each as a test of its
 * own that bears the row's name; returns the number of failures. */
#define RUN_TABLE(group, table, check)                                                                       \
    run_rows((group), (table), sizeof(table) / sizeof((table)[0]), sizeof((table)[0]), (check))

static inline int run_rows(const char *group, const void *rows, size_t n, size_t size,
                           CMUnitTestFunction check)
{
    struct CMUnitTest *tests = calloc(n, sizeof *tests);
    int failed;

    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)rows + i * size;

        tests[i].name = *(const char *const *)(const void *)row;
        tests[i].test_func = check;
        tests[i].initial_state = (void *)(uintptr_t)row;
    }
    failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
    free(tests);
    return failed;
}

#endif
