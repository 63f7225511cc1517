/* kubeconfig text: an access with a server, or an error that says where. */
#include "fuzz.h"

#include "waymark/kube.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wm_kube_access a = {0};
    struct wm_error err = {0};

    if (wm_kubeconfig_parse((struct wm_str){(const char *)data, size}, "/nowhere", NULL, &a, &err) < 0)
        MUST(err.msg[0], "an error has a message");
    else
        MUST(a.server && a.server[0], "an access has a server");
    wm_kube_access_done(&a);
    return 0;
}
