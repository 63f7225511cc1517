#include "lease_store.h"

#include <stdio.h>
#include <string.h>

#include "waymark/json.h"

void lease_store_init(struct lease_store *s)
{
    *s = (struct lease_store){.version = 100, .now = WM_BUF_MAX(1 << 20)};
    pthread_mutex_init(&s->lock, NULL);
}

void lease_store_done(struct lease_store *s)
{
    wm_buf_done(&s->now);
    pthread_mutex_destroy(&s->lock);
}

void lease_store_set(struct lease_store *s, const char *object)
{
    pthread_mutex_lock(&s->lock);
    wm_buf_clear(&s->now);
    if (object)
        wm_buf_puts(&s->now, object);
    s->version++;
    pthread_mutex_unlock(&s->lock);
}

static int refuse(struct wm_buf *out, int status)
{
    wm_buf_printf(out, "{\"kind\":\"Status\",\"code\":%d}", status);
    return status;
}

static int write_to(struct lease_store *s, bool is_new, struct wm_str body, struct wm_buf *out)
{
    static const char *const wanted[] = {"/metadata/resourceVersion", "/metadata/labels", "/spec"};
    struct wm_json_span at[3];
    char version[16];

    snprintf(version, sizeof version, "%d", s->version);
    if (wm_json_locate(body, 3, wanted, at, NULL) < 0 || at[2].kind != WM_JSON_OBJECT)
        return refuse(out, 400);
    if (is_new ? s->now.n > 0 : s->now.n == 0 || !wm_json_span_is(at[0], version))
        return refuse(out, 409);
    wm_buf_clear(&s->now);
    wm_buf_printf(&s->now, "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"l\",\"resourceVersion\":\"%d\"",
                  ++s->version);
    if (at[1].kind == WM_JSON_OBJECT)
        wm_buf_printf(&s->now, ",\"labels\":" WM_STR_FMT, WM_STR_ARG(at[1].text));
    wm_buf_printf(&s->now, "},\"spec\":" WM_STR_FMT "}", WM_STR_ARG(at[2].text));
    s->n_writes++;
    wm_buf_str(out, wm_buf_text(&s->now));
    return is_new ? 201 : 200;
}

int lease_store_call(struct lease_store *s, const char *method, struct wm_str body, struct wm_buf *out)
{
    int status = 200;

    pthread_mutex_lock(&s->lock);
    if (strcmp(method, "GET") != 0) {
        status = write_to(s, strcmp(method, "POST") == 0, body, out);
    } else {
        s->n_reads++;
        if (s->now.n > 0)
            wm_buf_str(out, wm_buf_text(&s->now));
        else
            status = refuse(out, 404);
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

const char *lease_store_spec(struct lease_store *s, const char *pointer)
{
    static _Thread_local char text[256];
    struct wm_json_span at = {0};

    pthread_mutex_lock(&s->lock);
    wm_json_locate(wm_buf_text(&s->now), 1, &pointer, &at, NULL);
    snprintf(text, sizeof text, WM_STR_FMT, WM_STR_ARG(at.text));
    pthread_mutex_unlock(&s->lock);
    return text;
}
