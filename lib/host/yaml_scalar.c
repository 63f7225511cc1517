/* YAML 1.2.2 section 10.3.2, the core schema. */
#include "yaml_scalar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

char *wm_yaml_dup(struct wm_str text)
{
    char *p = cJSON_malloc(text.n + 1);

    if (p) {
        memcpy(p, text.p, text.n);
        p[text.n] = '\0';
    }
    return p;
}

static bool is_one_of(struct wm_str s, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (wm_str_is(s, words[i]))
            return true;
    return false;
}
#define IS_ONE_OF(s, ...)                                                                                    \
    is_one_of((s), (const char *const[]){__VA_ARGS__},                                                       \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

/* 0 = no number, 1 = integer, 2 = float.  `p` is terminated. */
static int decimal_kind(const char *p)
{
    const char *from, *whole, *after;
    int kind = 1;

    p += *p == '+' || *p == '-';
    whole = p;
    after = p = skip_digits(p);
    if (*p == '.') {
        kind = 2;
        after = skip_digits(++p);
        if (after == p && whole == p - 1)
            return 0;
        p = after;
    } else if (p == whole) {
        return 0;
    }
    if (*p == 'e' || *p == 'E') {
        kind = 2;
        p++;
        p += *p == '+' || *p == '-';
        from = p;
        p = skip_digits(p);
        if (p == from)
            return 0;
    }
    return *p ? 0 : kind;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* 0o17 and 0x1f: no sign, at least one digit. */
static bool radix_number(const char *p, double *ret)
{
    int base = p[0] != '0' ? 0 : p[1] == 'o' ? 8 : p[1] == 'x' ? 16 : 0;
    double value = 0;

    if (!base || !p[2])
        return false;
    for (p += 2; *p; p++) {
        if (digit_value(*p) >= base)
            return false;
        value = value * base + digit_value(*p);
    }
    *ret = value;
    return true;
}

/* The text of an integer beyond 2^53 as JSON writes it; of 0x and 0o what the double holds. */
static char *exact_text(const char *z, double value)
{
    char digits[400]; /* the largest double has 309 */
    bool minus = *z == '-';

    z += *z == '-' || *z == '+';
    z += strspn(z, "0");
    if (*skip_digits(z)) {
        snprintf(digits, sizeof digits, "%.0f", value);
        return wm_yaml_dup(wm_str_of(digits));
    }
    snprintf(digits, sizeof digits, "%s%s", minus ? "-" : "", z);
    return wm_yaml_dup(wm_str_of(digits));
}

static cJSON *number(const char *z, const char **ret_wrong)
{
    double value;
    int kind = 1;

    if (!radix_number(z, &value)) {
        kind = decimal_kind(z);
        if (kind == 0)
            return NULL;
        value = strtod(z, NULL);
    }
    if (!isfinite(value)) {
        *ret_wrong = "number out of range";
        return NULL;
    }
    cJSON *node = cJSON_CreateNumber(value);

    /* cJSON's numbers are doubles; who needs the exact integer finds its text here */
    if (node && kind == 1 && fabs(value) >= 9007199254740992.0)
        node->valuestring = exact_text(z, value);
    return node;
}

static cJSON *plain_node(struct wm_str text, const char *z, const char **ret_wrong)
{
    if (text.n == 0 || IS_ONE_OF(text, "~", "null", "Null", "NULL"))
        return cJSON_CreateNull();
    if (IS_ONE_OF(text, "true", "True", "TRUE"))
        return cJSON_CreateTrue();
    if (IS_ONE_OF(text, "false", "False", "FALSE"))
        return cJSON_CreateFalse();
    const char *unsigned_part = z + (*z == '+' || *z == '-');

    if (IS_ONE_OF(wm_str_of(unsigned_part), ".inf", ".Inf", ".INF") ||
        IS_ONE_OF(text, ".nan", ".NaN", ".NAN")) {
        *ret_wrong = "infinity and NaN are not supported";
        return NULL;
    }
    cJSON *node = number(z, ret_wrong);

    return node || *ret_wrong ? node : cJSON_CreateString(z);
}

cJSON *wm_yaml_scalar(struct wm_str text, bool plain, const char **ret_wrong)
{
    if (text.n && memchr(text.p, '\0', text.n)) {
        *ret_wrong = "NUL character in a string";
        return NULL;
    }
    /* libyaml terminates its scalars */
    return plain ? plain_node(text, text.p, ret_wrong) : cJSON_CreateString(text.p);
}
