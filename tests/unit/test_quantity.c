#include "unit.h"
#include "waymark/quantity.h"

static const struct row {
    const char *name, *text;
    enum wm_quantity want;
} rows[] = {
    {"a number", "50", WM_QUANTITY_POSITIVE},
    {"binary suffixes: Ki", "1Ki", WM_QUANTITY_POSITIVE},
    {"binary suffixes: Mi", "1Mi", WM_QUANTITY_POSITIVE},
    {"binary suffixes: Gi", "50Gi", WM_QUANTITY_POSITIVE},
    {"binary suffixes: Ti", "1Ti", WM_QUANTITY_POSITIVE},
    {"binary suffixes: Pi", "1Pi", WM_QUANTITY_POSITIVE},
    {"binary suffixes: Ei", "1Ei", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: n", "1n", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: u", "1u", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: m", "500m", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: k", "1k", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: M", "1M", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: G", "1G", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: T", "1T", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: P", "1P", WM_QUANTITY_POSITIVE},
    {"decimal suffixes: E is exa", "1E", WM_QUANTITY_POSITIVE},
    {"a fraction", "1.5Gi", WM_QUANTITY_POSITIVE},
    {"a fraction without digits", "1.Gi", WM_QUANTITY_POSITIVE},
    {"only a fraction", ".5Gi", WM_QUANTITY_POSITIVE},
    {"a plus", "+5Gi", WM_QUANTITY_POSITIVE},
    {"an exponent", "1e3", WM_QUANTITY_POSITIVE},
    {"an exponent in capitals", "1E3", WM_QUANTITY_POSITIVE},
    {"an exponent with a sign", "12.5e-3", WM_QUANTITY_POSITIVE},
    {"leading zeros", "00050Gi", WM_QUANTITY_POSITIVE},
    {"more digits than any integer", "99999999999999999999999999", WM_QUANTITY_POSITIVE},
    {"zero", "0", WM_QUANTITY_ZERO},
    {"zero with a suffix", "0Gi", WM_QUANTITY_ZERO},
    {"zero with a fraction", "0.000Gi", WM_QUANTITY_ZERO},
    {"minus zero", "-0", WM_QUANTITY_ZERO},
    {"zero times a lot", "0e9", WM_QUANTITY_ZERO},
    {"negative", "-1Gi", WM_QUANTITY_NEGATIVE},
    {"a small negative", "-0.001", WM_QUANTITY_NEGATIVE},
    {"nothing", "", WM_QUANTITY_NONE},
    {"only a sign", "+", WM_QUANTITY_NONE},
    {"only a dot", ".", WM_QUANTITY_NONE},
    {"only a suffix", "Gi", WM_QUANTITY_NONE},
    {"two signs", "--1", WM_QUANTITY_NONE},
    {"K is no suffix", "50K", WM_QUANTITY_NONE},
    {"ki is no suffix", "50ki", WM_QUANTITY_NONE},
    {"mi is no suffix", "50mi", WM_QUANTITY_NONE},
    {"bytes", "50GB", WM_QUANTITY_NONE},
    {"binary bytes", "50GiB", WM_QUANTITY_NONE},
    {"half a suffix", "50i", WM_QUANTITY_NONE},
    {"two suffixes", "50GiGi", WM_QUANTITY_NONE},
    {"a space", "50 Gi", WM_QUANTITY_NONE},
    {"a trailing space", "50Gi ", WM_QUANTITY_NONE},
    {"two dots", "1.5.2", WM_QUANTITY_NONE},
    {"a comma", "1,5Gi", WM_QUANTITY_NONE},
    {"e without digits", "1e", WM_QUANTITY_NONE},
    {"an exponent of a sign", "1e+", WM_QUANTITY_NONE},
    {"an exponent with a fraction", "1e1.5", WM_QUANTITY_NONE},
    {"an exponent beyond an int64", "1e9999999999999999999", WM_QUANTITY_NONE},
    {"an exponent and a suffix", "1e3Gi", WM_QUANTITY_NONE},
    {"hexadecimal", "0x10", WM_QUANTITY_NONE},
    {"a word", "big", WM_QUANTITY_NONE},
};

static void check(void **state)
{
    const struct row *r = *state;

    assert_int_equal(wm_quantity_of(wm_str_of(r->text)), r->want);
}

static void absent_text_is_no_quantity(void **state)
{
    (void)state;
    assert_int_equal(wm_quantity_of((struct wm_str){0}), WM_QUANTITY_NONE);
}

static const struct amount {
    const char *name, *text;
    int64_t want;
} amounts[] = {
    {"bytes of a plain number", "1048576", 1 << 20},
    {"bytes of zero", "0", 0},
    {"bytes of a binary suffix", "10Gi", INT64_C(10) << 30},
    {"bytes of a decimal suffix", "5G", INT64_C(5000000000)},
    {"bytes of a fraction", "1.5Gi", INT64_C(3) << 29},
    {"bytes of a plus", "+2Ki", 2048},
    {"bytes of thousandths, cut off", "1500m", 1},
    {"bytes of a part of one", "100m", 0},
    {"bytes beyond what there is", "8Ei", -1},
    {"bytes of more digits than any integer", "99999999999999999999999999", -1},
    {"bytes of a negative", "-1Gi", -1},
    {"bytes of an exponent", "1e3", -1},
    {"bytes of nothing", "", -1},
    {"bytes of a word", "big", -1},
};

static void check_amount(void **state)
{
    const struct amount *a = *state;

    assert_int_equal(wm_quantity_bytes(wm_str_of(a->text)), a->want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(absent_text_is_no_quantity)};
    int failed = RUN_TABLE("quantity", rows, check) + RUN_TABLE("bytes", amounts, check_amount);

    return failed + cmocka_run_group_tests_name("absent", tests, NULL, NULL);
}
