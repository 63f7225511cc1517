/* The exec section of a kubeconfig user. */
#include "access.h"

/* A list of strings with room for `extra` in front, NULL-terminated. */
static char **list_new(size_t n)
{
    return wm_xcalloc(n + 1, sizeof(char *));
}

static const char *need_string(const struct wm_yaml *y, const cJSON *object, const char *key,
                               struct wm_error *err)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, key);

    if (cJSON_IsString(node) && *node->valuestring)
        return node->valuestring;
    wm_yaml_fail(y, node ? node : object, err, "exec: %s must be a string that is not empty", key);
    return NULL;
}

/* NULL or a list; anything else is an error. */
static int list_of(const struct wm_yaml *y, const cJSON *exec, const char *key, const cJSON **ret,
                   struct wm_error *err)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(exec, key);

    if (node && !cJSON_IsArray(node) && !cJSON_IsNull(node))
        return wm_yaml_fail(y, node, err, "exec: %s must be a list", key);
    *ret = node;
    return WM_OK;
}

static int read_args(const struct wm_yaml *y, const cJSON *exec, const char *dir, struct wm_kube_access *a,
                     struct wm_error *err)
{
    const char *command = need_string(y, exec, "command", err);
    const cJSON *args, *arg;
    size_t n = 0;

    if (!command || list_of(y, exec, "args", &args, err) < 0)
        return err ? err->code : WM_E_INVALID;
    a->exec_argv = list_new((size_t)cJSON_GetArraySize(args) + 1);
    /* as client-go: a name is looked up in PATH, a relative path lies beside the kubeconfig */
    if (command[0] != '/' && strchr(command, '/')) {
        wm_auto_buf struct wm_buf path = WM_BUF_MAX(8192);

        wm_buf_printf(&path, "%s/%s", dir, command);
        a->exec_argv[n++] = wm_buf_take(&path);
    } else {
        a->exec_argv[n++] = wm_xstrdup(command);
    }
    cJSON_ArrayForEach(arg, args)
    {
        if (!cJSON_IsString(arg))
            return wm_yaml_fail(y, arg, err, "exec: args must be strings");
        a->exec_argv[n++] = wm_xstrdup(arg->valuestring);
    }
    return WM_OK;
}

static int read_env(const struct wm_yaml *y, const cJSON *exec, struct wm_kube_access *a,
                    struct wm_error *err)
{
    const cJSON *env, *entry;
    size_t n = 0;

    if (list_of(y, exec, "env", &env, err) < 0)
        return err ? err->code : WM_E_INVALID;
    if (!env)
        return WM_OK;
    a->exec_env = list_new((size_t)cJSON_GetArraySize(env));
    cJSON_ArrayForEach(entry, env)
    {
        const char *name = wm_json_str(entry, "/name"), *value = wm_json_str(entry, "/value");
        wm_auto_buf struct wm_buf pair = WM_BUF_MAX(128 << 10);

        if (!name || !*name || strchr(name, '=') || !value)
            return wm_yaml_fail(y, entry, err, "exec: env entries need name and value as strings");
        wm_buf_printf(&pair, "%s=%s", name, value);
        a->exec_env[n++] = wm_buf_take(&pair);
    }
    return WM_OK;
}

int wm_kubeconfig_exec(const struct wm_yaml *y, const cJSON *exec, const char *dir, struct wm_kube_access *a,
                       struct wm_error *err)
{
    static const char prefix[] = "client.authentication.k8s.io/";
    const char *version = need_string(y, exec, "apiVersion", err), *mode;
    int rc;

    if (!version)
        return WM_E_INVALID;
    if (strncmp(version, prefix, sizeof prefix - 1) != 0 ||
        (strcmp(version + sizeof prefix - 1, "v1") != 0 &&
         strcmp(version + sizeof prefix - 1, "v1beta1") != 0))
        return wm_yaml_fail(y, exec, err, "exec: apiVersion '%.60s' is not supported (v1, v1beta1)", version);
    mode = wm_json_str(exec, "/interactiveMode");
    if (mode && strcmp(mode, "Always") == 0)
        return wm_yaml_fail(y, exec, err, "exec: interactiveMode Always: there is nobody to ask");
    a->exec_api_version = wm_xstrdup(version);
    a->exec_cluster_info = wm_json_bool(exec, "/provideClusterInfo");
    if ((rc = read_args(y, exec, dir, a, err)) < 0)
        return rc;
    return read_env(y, exec, a, err);
}
