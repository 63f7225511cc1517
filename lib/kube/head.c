#include "head.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "waymark/clock.h"
#include "waymark/log.h"

void wm_head_init(struct wm_head *h, struct wm_kube *k)
{
    *h = (struct wm_head){.k = k};
}

void wm_head_done(struct wm_head *h)
{
    *h = (struct wm_head){0};
}

static void keep(char *out, size_t size, struct wm_str value)
{
    snprintf(out, size, "%.*s", (int)(value.n < size ? value.n : size), value.p);
}

static void on_content_type(struct wm_head *h, struct wm_str value)
{
    keep(h->content_type, sizeof h->content_type, value);
}

static void on_retry_after(struct wm_head *h, struct wm_str value)
{
    keep(h->retry_after, sizeof h->retry_after, value);
}

static void on_flow_schema(struct wm_head *h, struct wm_str value)
{
    keep(h->flow_schema, sizeof h->flow_schema, value);
}

/* How far the server's clock is from ours, for the age of timestamps that its cluster wrote. */
static void on_date(struct wm_head *h, struct wm_str value)
{
    char text[64];
    struct wm_kube *k = h->k;
    enum { N = sizeof k->clock_samples_ms / sizeof k->clock_samples_ms[0] };

    keep(text, sizeof text, value);
    h->date_s = (int64_t)curl_getdate(text, NULL);
    if (h->date_s < 0) {
        h->date_s = 0;
        return;
    }
    /* both are cut to the second, and the answer was on the way: within a second */
    int64_t offset_ms = (h->date_s - wm_wall_s()) * 1000;

    pthread_mutex_lock(&k->lock);
    k->clock_samples_ms[k->n_clock_samples++ % N] = offset_ms;
    pthread_mutex_unlock(&k->lock);
}

/* Deprecations and the like, once a text: every list would repeat them. */
static void on_warning(struct wm_head *h, struct wm_str value)
{
    struct wm_kube *k = h->k;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    enum { N = sizeof k->warned / sizeof k->warned[0] };

    for (size_t i = 0; i < value.n; i++)
        hash = (hash ^ (unsigned char)value.p[i]) * 1099511628211u;
    for (size_t i = 0; i < N; i++)
        if (k->warned[i] == hash)
            return;
    k->warned[k->n_warned++ % N] = hash;
    wm_log(WM_LOG_WARN, "server_warning", WM_F("server", k->access.server), WM_FS("text", value));
}

static const struct {
    const char *name;
    void (*take)(struct wm_head *h, struct wm_str value);
} takers[] = {
    {"Content-Type", on_content_type},
    {"Retry-After", on_retry_after},
    {"Date", on_date},
    {"Warning", on_warning},
    {"X-Kubernetes-PF-FlowSchema-UID", on_flow_schema},
};

static int status_of(struct wm_str line)
{
    const char *space = memchr(line.p, ' ', line.n);

    return space && line.n - (size_t)(space - line.p) > 3 ? wm_str_digits((struct wm_str){space + 1, 3}, 0)
                                                          : 0;
}

void wm_head_line(struct wm_head *h, struct wm_str line)
{
    const char *colon;
    struct wm_str value;

    while (line.n > 0 && strchr("\r\n \t", line.p[line.n - 1]))
        line.n--;
    if (line.n > 5 && memcmp(line.p, "HTTP/", 5) == 0) {
        struct wm_kube *k = h->k;

        wm_head_init(h, k);
        h->status = status_of(line);
        return;
    }
    colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon)
        return;
    value = (struct wm_str){colon + 1, line.n - (size_t)(colon + 1 - line.p)};
    while (value.n > 0 && (*value.p == ' ' || *value.p == '\t'))
        value.p++, value.n--;
    for (size_t i = 0; i < sizeof takers / sizeof takers[0]; i++)
        if (strlen(takers[i].name) == (size_t)(colon - line.p) &&
            strncasecmp(takers[i].name, line.p, (size_t)(colon - line.p)) == 0)
            takers[i].take(h, value);
}

int wm_head_retry_after(const struct wm_head *h)
{
    return wm_retry_after(wm_str_of(h->retry_after), h->date_s, wm_wall_s());
}
