/* What a credential plugin printed. */
#include <stdlib.h>

#include "internal.h"
#include "waymark/time.h"

static void wipe(char *p)
{
    if (p)
        explicit_bzero(p, strlen(p));
    free(p);
}

void wm_exec_result_done(struct wm_exec_result *r)
{
    wipe(r->token);
    wipe((char *)(uintptr_t)r->cert.p);
    wipe((char *)(uintptr_t)r->key.p);
    *r = (struct wm_exec_result){0};
}

static struct wm_str dup_pem(const char *z)
{
    char *p = z ? wm_xstrdup(z) : NULL;

    return (struct wm_str){p, p ? strlen(p) : 0};
}

int wm_exec_result_parse(struct wm_str text, const char *api_version, struct wm_exec_result *ret,
                         struct wm_error *err)
{
    static const char who[] = "credential plugin";
    wm_auto_json cJSON *doc = NULL;
    int64_t expires_s = 0;

    if (wm_json_parse(text, &doc, NULL) < 0)
        return wm_fail(err, WM_E_AUTH, who, "what the credential plugin printed is not JSON");
    const char *kind = wm_json_str(doc, "/kind"), *version = wm_json_str(doc, "/apiVersion");
    const char *token = wm_json_str(doc, "/status/token"), *until;
    const char *cert = wm_json_str(doc, "/status/clientCertificateData");
    const char *key = wm_json_str(doc, "/status/clientKeyData");

    if (!kind || strcmp(kind, "ExecCredential") != 0)
        return wm_fail(err, WM_E_AUTH, who, "the credential plugin did not print an ExecCredential");
    if (!version || strcmp(version, api_version) != 0)
        return wm_fail(err, WM_E_AUTH, who, "the credential plugin answered in another version than %s",
                       api_version);
    if (!(token && *token) && !(cert && key))
        return wm_fail(err, WM_E_AUTH, who, "the credential plugin gave neither token nor certificate");
    if (!cert != !key)
        return wm_fail(err, WM_E_AUTH, who, "the credential plugin gave certificate or key alone");
    until = wm_json_str(doc, "/status/expirationTimestamp");
    if (until && !wm_time_parse(wm_str_of(until), &expires_s))
        return wm_fail(err, WM_E_AUTH, who, "the credential plugin gave no RFC 3339 expirationTimestamp");
    *ret = (struct wm_exec_result){token && *token ? wm_xstrdup(token) : NULL, dup_pem(cert), dup_pem(key),
                                   expires_s};
    return WM_OK;
}
