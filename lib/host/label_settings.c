#include "waymark/label_settings.h"

#include <string.h>

int wm_label_settings_conf(const struct wm_label_settings *s, struct wm_label_conf *ret, struct wm_error *err)
{
    struct wm_label_conf conf = wm_label_conf_default;

    conf.plan = s->plan ? s->plan : "";
    conf.migration = s->migration ? s->migration : "";
    conf.uid = s->uid ? s->uid : "";
    conf.source_provider = s->source_provider ? s->source_provider : "";
    conf.target_provider = s->target_provider ? s->target_provider : "";
    memset(conf.plan_aliases, 0, sizeof conf.plan_aliases);
    if (s->plan_aliases.n > WM_LABEL_ALIASES_MAX)
        return wm_fail(err, WM_E_TOO_BIG, "label-plan-aliases", "%zu aliases of the plan's label; at most %d",
                       s->plan_aliases.n, WM_LABEL_ALIASES_MAX);
    for (size_t i = 0; i < s->plan_aliases.n; i++)
        conf.plan_aliases[i] = s->plan_aliases.items[i];
    int rc = wm_label_conf_check(&conf, err);

    if (rc == WM_OK)
        *ret = conf;
    return rc;
}
