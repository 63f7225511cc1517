/* The defaults, whatever the file says. */
#include "policy_source.h"

#include <stdlib.h>

#include "waymark/clock.h"

struct wm_policy_source {
    struct wm_policy policy;
    int64_t loaded_s;
};

int wm_policy_load(const char *path, struct wm_policy *ret, struct wm_error *err)
{
    (void)path;
    (void)err;
    wm_policy_init(ret);
    return WM_OK;
}

int wm_policy_source_new(const char *path, struct wm_policy_source **ret, struct wm_error *err)
{
    struct wm_policy_source *s = wm_xcalloc(1, sizeof *s);

    *ret = s;
    s->loaded_s = wm_wall_s();
    return wm_policy_load(path, &s->policy, err);
}

struct wm_policy_source *wm_policy_source_free(struct wm_policy_source *s)
{
    if (s)
        wm_policy_done(&s->policy);
    free(s);
    return NULL;
}

const struct wm_policy *wm_policy_acquire(struct wm_policy_source *s)
{
    return &s->policy;
}

void wm_policy_release(struct wm_policy_source *s, const struct wm_policy *p)
{
    (void)s;
    (void)p;
}

void wm_policy_source_poll(struct wm_policy_source *s)
{
    (void)s;
}

void wm_policy_source_stats(struct wm_policy_source *s, struct wm_policy_source_stats *ret)
{
    *ret = (struct wm_policy_source_stats){.loads = 1, .loaded_s = s->loaded_s};
}
