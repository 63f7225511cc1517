#include "policy_source.h"

int wm_policy_load(const char *path, struct wm_policy *ret, struct wm_error *err)
{
    (void)path;
    (void)err;
    wm_policy_init(ret);
    return WM_OK;
}
