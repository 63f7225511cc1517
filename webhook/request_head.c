#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "webhook/server_impl.h"

/* One unit of a Go duration in nanoseconds, and how long its name is; 0 = not a unit. */
static double unit_ns(const char *z, size_t *ret_n)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},   {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
                 {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},        {"h", 3600e9}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t n = strlen(units[i].name);

        if (strncmp(z, units[i].name, n) == 0) {
            *ret_n = n;
            return units[i].ns;
        }
    }
    return 0;
}

static int duration_ms(const char *z)
{
    double ns = 0;

    while (*z) {
        double value = 0, scale = 1, unit;
        size_t n = 0;
        const char *from = z;

        for (; isdigit((unsigned char)*z); z++)
            value = value * 10 + (*z - '0');
        if (*z == '.')
            for (z++; isdigit((unsigned char)*z); z++)
                value += (*z - '0') * (scale /= 10);
        unit = z == from ? 0 : unit_ns(z, &n);
        if (unit == 0)
            return 0;
        z += n;
        ns += value * unit;
    }
    /* A day is more than anybody waits; less than a millisecond is still a timeout. */
    return ns <= 0 ? 0 : ns >= 86400e9 ? 86400000 : ns < 1e6 ? 1 : (int)(ns / 1e6);
}

static bool is(const char *key, size_t n, const char *name, size_t name_n)
{
    return n == name_n && strncasecmp(key, name, n) == 0;
}
#define IS(name) is(key, key_n, name, sizeof(name) - 1)

static enum MHD_Result look_at(void *to, enum MHD_ValueKind kind, const char *key, size_t key_n,
                               const char *value, size_t value_n)
{
    struct wm_request_head *h = to;

    if (kind == MHD_GET_ARGUMENT_KIND) {
        if (key_n == 7 && memcmp(key, "timeout", 7) == 0)
            h->timeout_ms = duration_ms(value);
    } else if (IS("Content-Type")) {
        h->content_type = (struct wm_str){value, value_n};
    } else if (IS("Content-Length")) {
        h->length = strtoull(value, NULL, 10); /* MHD has refused what is not a number */
        h->n_lengths++;
    } else if (IS("Transfer-Encoding")) {
        h->chunked = value_n == 7 && strncasecmp(value, "chunked", 7) == 0;
        h->n_encodings++;
    } else if (IS("Expect")) {
        h->expects = true;
    }
    return MHD_YES;
}

void wm_request_head_read(struct MHD_Connection *m, struct wm_request_head *ret)
{
    *ret = (struct wm_request_head){0};
    MHD_get_connection_values_n(m, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, look_at, ret);
}

/* Two readings of where a request ends are how requests are smuggled: such ones are refused. */
bool wm_request_head_well_framed(const struct wm_request_head *h)
{
    return h->n_lengths + h->n_encodings <= 1 && (h->n_encodings == 0 || h->chunked);
}
