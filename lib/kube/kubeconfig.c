/* kubeconfig files: clusters, users and contexts by name, into one struct wm_kube_access. */
#include <stdlib.h>

#include "access.h"
#include "waymark/base64.h"

enum { MAX_DECODED = 1 << 20 };

void wm_kubeconfig_done(struct wm_kubeconfig *c)
{
    wm_yaml_free(c->yaml);
    free(c->dir);
    *c = (struct wm_kubeconfig){0};
}

int wm_kubeconfig_init(struct wm_kubeconfig *c, struct wm_str text, const char *name, const char *dir,
                       struct wm_error *err)
{
    struct wm_yaml *y = NULL;
    int rc = wm_yaml_parse(text, name, WM_KUBECONFIG_MAX_BYTES, &y, err);

    if (rc < 0)
        return rc;
    const cJSON *root = wm_yaml_root(y);

    if (!cJSON_IsObject(root) && !cJSON_IsNull(root)) {
        rc = wm_yaml_fail(y, root, err, "not a kubeconfig: the document is no mapping");
        wm_yaml_free(y);
        return rc;
    }
    *c = (struct wm_kubeconfig){y, wm_xstrdup(dir && *dir ? dir : ".")};
    return WM_OK;
}

/* --- fields --- */

enum field_kind { TEXT, BASE64_PEM, FILE_NAME, FLAG };

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset; /* in struct wm_kube_access */
};

#define AT(member) offsetof(struct wm_kube_access, member)

static const struct field cluster_fields[] = {
    {"server", TEXT, AT(server)},
    {"certificate-authority", FILE_NAME, AT(ca_file)},
    {"certificate-authority-data", BASE64_PEM, AT(ca_pem)},
    {"tls-server-name", TEXT, AT(tls_server_name)},
    {"proxy-url", TEXT, AT(proxy_url)},
    {"insecure-skip-tls-verify", FLAG, AT(insecure)},
    {NULL, TEXT, 0},
};

static const struct field user_fields[] = {
    {"client-certificate", FILE_NAME, AT(cert_file)},
    {"client-certificate-data", BASE64_PEM, AT(cert_pem)},
    {"client-key", FILE_NAME, AT(key_file)},
    {"client-key-data", BASE64_PEM, AT(key_pem)},
    {"token", TEXT, AT(token)},
    {"tokenFile", FILE_NAME, AT(token_file)},
    {"username", TEXT, AT(username)},
    {"password", TEXT, AT(password)},
    {NULL, TEXT, 0},
};

static char *join(const char *dir, const char *name)
{
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(8192);

    if (name[0] == '/')
        return wm_xstrdup(name);
    wm_buf_printf(&path, "%s/%s", dir, name);
    return wm_buf_take(&path);
}

static int decode_pem(const struct wm_yaml *y, const cJSON *node, const char *key, struct wm_str *ret,
                      struct wm_error *err)
{
    wm_auto_buf struct wm_buf pem = WM_BUF_MAX(MAX_DECODED);
    struct wm_error why;

    if (wm_base64_decode(wm_str_of(node->valuestring), &pem, &why) < 0)
        return wm_yaml_fail(y, node, err, "%s: %s", key, why.msg);
    if (!pem.p || !strstr(pem.p, "-----BEGIN"))
        return wm_yaml_fail(y, node, err, "%s does not hold PEM", key);
    size_t n = pem.n;

    *ret = (struct wm_str){wm_buf_take(&pem), n};
    return WM_OK;
}

/* Values are never shown: most of them are secret. */
static int read_field(const struct wm_kubeconfig *c, const struct field *f, const cJSON *node,
                      struct wm_kube_access *a, struct wm_error *err)
{
    void *to = (char *)a + f->offset;

    if (cJSON_IsNull(node))
        return WM_OK;
    if (f->kind == FLAG) {
        if (!cJSON_IsBool(node))
            return wm_yaml_fail(c->yaml, node, err, "%s must be true or false", f->key);
        *(bool *)to = cJSON_IsTrue(node);
        return WM_OK;
    }
    if (!cJSON_IsString(node))
        return wm_yaml_fail(c->yaml, node, err, "%s must be a string (quote it)", f->key);
    if (!*node->valuestring)
        return WM_OK;
    if (f->kind == BASE64_PEM)
        return decode_pem(c->yaml, node, f->key, to, err);
    *(char **)to = f->kind == FILE_NAME ? join(c->dir, node->valuestring) : wm_xstrdup(node->valuestring);
    return WM_OK;
}

static int read_fields(const struct wm_kubeconfig *c, const struct field *fields, const cJSON *object,
                       struct wm_kube_access *a, struct wm_error *err)
{
    for (const struct field *f = fields; f->key; f++) {
        const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, f->key);
        int rc = node ? read_field(c, f, node, a, err) : WM_OK;

        if (rc < 0)
            return rc;
    }
    return WM_OK;
}

/* --- names --- */

struct named {
    const struct wm_kubeconfig *file;
    const cJSON *object; /* the mapping under "cluster", "user" or "context" */
};

/* The entry `name` of the list `list` in one file; ->object stays NULL when there is none. */
static int find_in(const struct wm_kubeconfig *c, const char *list, const char *what, const char *name,
                   struct named *ret, struct wm_error *err)
{
    const cJSON *entries = cJSON_GetObjectItemCaseSensitive(wm_yaml_root(c->yaml), list), *entry;

    if (entries && !cJSON_IsArray(entries) && !cJSON_IsNull(entries))
        return wm_yaml_fail(c->yaml, entries, err, "%s must be a list", list);
    cJSON_ArrayForEach(entry, entries)
    {
        const char *its_name = wm_json_str(entry, "/name");
        const cJSON *object = cJSON_GetObjectItemCaseSensitive(entry, what);

        if (!its_name)
            return wm_yaml_fail(c->yaml, entry, err, "an entry of %s needs a name, as a string", list);
        if (strcmp(its_name, name) != 0)
            continue;
        if (!cJSON_IsObject(object))
            return wm_yaml_fail(c->yaml, entry, err, "entry '%s' of %s has no %s", name, list, what);
        *ret = (struct named){c, object};
        return WM_OK;
    }
    return WM_OK;
}

static int find(const struct wm_kubeconfig files[], size_t n, const char *list, const char *what,
                const char *name, struct named *ret, struct wm_error *err)
{
    struct named found = {0};

    for (size_t i = 0; i < n && !found.object; i++) {
        int rc = find_in(&files[i], list, what, name, &found, err);

        if (rc < 0)
            return rc;
    }
    if (!found.object)
        return wm_fail(err, WM_E_NOT_FOUND, NULL, "kubeconfig has no %s '%s'", what, name);
    *ret = found;
    return WM_OK;
}

static const char *current_context(const struct wm_kubeconfig files[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = wm_json_str(wm_yaml_root(files[i].yaml), "/current-context");

        if (name && *name)
            return name;
    }
    return NULL;
}

/* --- sections --- */

static void drop(char **z)
{
    free(*z);
    *z = NULL;
}

static int read_cluster(const struct named *c, struct wm_kube_access *a, struct wm_error *err)
{
    const struct wm_yaml *y = c->file->yaml;
    char *server = NULL;
    struct wm_error why;
    int rc = read_fields(c->file, cluster_fields, c->object, a, err);

    if (rc < 0)
        return rc;
    if (!a->server)
        return wm_yaml_fail(y, c->object, err, "the cluster has no server");
    if (wm_kube_server_parse(a->server, &server, &why) < 0)
        return wm_yaml_fail(y, cJSON_GetObjectItemCaseSensitive(c->object, "server"), err, "%s", why.msg);
    free(a->server);
    a->server = server;
    if (a->ca_pem.p)
        drop(&a->ca_file);
    /* kubectl refuses the pair too: one of the two is a mistake, and guessing which is not safe */
    if (a->insecure && (a->ca_pem.p || a->ca_file))
        return wm_yaml_fail(y, c->object, err,
                            "certificate-authority together with insecure-skip-tls-verify");
    return WM_OK;
}

static int read_user(const struct named *u, struct wm_kube_access *a, struct wm_error *err)
{
    static const char *const unsupported[] = {"auth-provider", "as", "as-uid", "as-groups", "as-user-extra"};
    const struct wm_yaml *y = u->file->yaml;
    const cJSON *exec = cJSON_GetObjectItemCaseSensitive(u->object, "exec");
    int rc;

    /* to skip them silently would make us somebody else */
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        const cJSON *node = cJSON_GetObjectItemCaseSensitive(u->object, unsupported[i]);

        if (node && !cJSON_IsNull(node))
            return wm_yaml_fail(y, node, err, "%s is not supported", unsupported[i]);
    }
    if ((rc = read_fields(u->file, user_fields, u->object, a, err)) < 0)
        return rc;
    if (a->cert_pem.p)
        drop(&a->cert_file);
    if (a->key_pem.p)
        drop(&a->key_file);
    if ((a->cert_pem.p || a->cert_file) != (a->key_pem.p || a->key_file))
        return wm_yaml_fail(y, u->object, err, "client certificate and key must be given together");
    if (!exec || cJSON_IsNull(exec))
        return WM_OK;
    return wm_kubeconfig_exec(y, exec, u->file->dir, a, err);
}

static int pick(const struct wm_kubeconfig files[], size_t n, const char *context, struct wm_kube_access *a,
                struct wm_error *err)
{
    const char *name = context ? context : current_context(files, n), *cluster, *user, *namespace_;
    struct named c, u, at;
    int rc;

    if (!name)
        return wm_fail(err, WM_E_NOT_FOUND, NULL, "kubeconfig has no current-context and none was asked for");
    if ((rc = find(files, n, "contexts", "context", name, &at, err)) < 0)
        return rc;
    a->name = wm_xstrdup(name);
    cluster = wm_json_str(at.object, "/cluster");
    user = wm_json_str(at.object, "/user");
    namespace_ = wm_json_str(at.object, "/namespace");
    if (!cluster || !*cluster)
        return wm_yaml_fail(at.file->yaml, at.object, err, "context '%s' names no cluster", name);
    a->namespace_ = namespace_ && *namespace_ ? wm_xstrdup(namespace_) : NULL;
    if ((rc = find(files, n, "clusters", "cluster", cluster, &c, err)) < 0 ||
        (rc = read_cluster(&c, a, err)) < 0)
        return rc;
    if (!user || !*user)
        return WM_OK;
    if ((rc = find(files, n, "users", "user", user, &u, err)) < 0)
        return rc;
    return read_user(&u, a, err);
}

int wm_kubeconfig_pick(const struct wm_kubeconfig files[], size_t n, const char *context,
                       struct wm_kube_access *ret, struct wm_error *err)
{
    struct wm_kube_access a = {0};
    int rc = pick(files, n, context, &a, err);

    if (rc < 0)
        wm_kube_access_done(&a);
    else
        *ret = a;
    return rc;
}

int wm_kubeconfig_parse(struct wm_str text, const char *dir, const char *context, struct wm_kube_access *ret,
                        struct wm_error *err)
{
    struct wm_kubeconfig c;
    int rc = wm_kubeconfig_init(&c, text, NULL, dir, err);

    if (rc < 0)
        return rc;
    rc = wm_kubeconfig_pick(&c, 1, context, ret, err);
    wm_kubeconfig_done(&c);
    return rc;
}
