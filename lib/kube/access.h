/* Inside of kube: reading who and where. */
#ifndef WAYMARK_KUBE_ACCESS_H
#define WAYMARK_KUBE_ACCESS_H

#include "waymark/kube.h"
#include "waymark/yaml.h"

#define WM_KUBECONFIG_MAX_BYTES (4u << 20)
#define WM_KUBE_MAX_FILE_BYTES (1u << 20) /* tokens, certificates, keys */

/* One kubeconfig file that was read. */
struct wm_kubeconfig {
    struct wm_yaml *yaml;
    char *dir; /* what its relative names are relative to */
};
void wm_kubeconfig_done(struct wm_kubeconfig *c);

/* Reads a text; the caller ends it with wm_kubeconfig_done. */
int wm_kubeconfig_init(struct wm_kubeconfig *c, struct wm_str text, const char *name, const char *dir,
                       struct wm_error *err);

/* Picks `context` out of one or several files as kubectl merges them: the first that defines a name wins. */
int wm_kubeconfig_pick(const struct wm_kubeconfig files[], size_t n, const char *context,
                       struct wm_kube_access *ret, struct wm_error *err);

/* The exec section of a user; `dir` for commands with a relative path. */
int wm_kubeconfig_exec(const struct wm_yaml *y, const cJSON *exec, const char *dir, struct wm_kube_access *a,
                       struct wm_error *err);

/* A pod's own identity.  `dir` holds token, ca.crt and namespace. */
int wm_kube_access_in_cluster(const char *dir, const char *host, const char *port, struct wm_kube_access *ret,
                              struct wm_error *err);

/* "https://host:port[/prefix]": scheme known, no user, query or fragment; trailing slashes dropped from what
 * *ret owns. */
int wm_kube_server_parse(const char *url, char **ret, struct wm_error *err);

#endif
