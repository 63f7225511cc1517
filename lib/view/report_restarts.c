#include "waymark/restarts.h"
void wm_report_put_restarts(const struct wm_world *w, const struct wm_situation *s, struct wm_buf *out)
{
    (void)w, (void)s, (void)out;
}
