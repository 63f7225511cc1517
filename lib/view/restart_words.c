#include "waymark/restarts.h"
void wm_restart_say(const struct wm_restart *r, int64_t now_s, const struct wm_gap_marks *marks, char *out,
                    size_t size)
{
    (void)r, (void)now_s, (void)marks;
    wm_line_copy(out, size, wm_str_of(""));
}
void wm_restarts_say(const struct wm_world *w, const struct wm_situation *s, struct wm_said *out)
{
    (void)w, (void)s;
    *out = (struct wm_said){.type = "ProviderRestarts"};
}
