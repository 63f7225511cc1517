/* MigCluster (mig-controller pkg/controller/migcluster/validation.go).  The host cluster needs no address and
 * no token. */
#include "check.h"
#include "formats.h"

enum { URL, SECRET_REF_UNSET, SECRET_MISSING, TOKEN_MISSING, N_RULES };

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
static const struct wm_rule rules[N_RULES] = {
    [URL] = {"cluster/url", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "url,isHostCluster",
             "InvalidURL", "The address of a remote cluster's API server is missing or is no URL.",
             "set spec.url to the API server's address, e.g. https://api.example.com:6443"},
    [SECRET_REF_UNSET] =
        {"cluster/secret-ref-unset", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
         "serviceAccountSecretRef,isHostCluster", "InvalidSaSecretRef",
         "A remote cluster without a token's Secret cannot be reached.",
         "set name and namespace of spec.serviceAccountSecretRef to the Secret with saToken"},
    [SECRET_MISSING] =
        {"cluster/secret-missing", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_NOT_FOUND,
         "serviceAccountSecretRef,isHostCluster", "InvalidSaSecretRef",
         "The Secret with the remote cluster's token does not exist.",
         "create the Secret first: kubectl create secret generic NAME --from-literal=saToken=TOKEN"},
    [TOKEN_MISSING] = {"cluster/token-missing", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                       "serviceAccountSecretRef,isHostCluster", "InvalidSaToken",
                       "The Secret for the remote cluster has no token under the key saToken.",
                       "put a token of a service account of the remote cluster under the key saToken"},
};

static void check_url(struct wm_check *c)
{
    struct wm_json_span url = wm_get_span(c->s->spec, "url");

    if (!wm_is_set(c->s->spec, "url")) {
        wm_report(c, &rules[URL], "spec.url", url,
                  "spec.isHostCluster is not true, so the cluster's address is needed");
        return;
    }
    const char *fault = wm_url_fault(url);

    if (fault)
        wm_report(c, &rules[URL], "spec.url", url, "%s", fault);
}

/* Nothing of a Secret's data may ever be told: only whether there is something. */
static void check_token(struct wm_check *c, const struct wm_target *at)
{
    struct wm_json_value secret;
    struct wm_json_span nothing = {0};

    if (!wm_wants(c, &rules[TOKEN_MISSING]) ||
        wm_ask(c, &rules[TOKEN_MISSING], WM_SECRETS, at->namespace_, at->name, &secret) != WM_FACT_FOUND)
        return;
    if (!wm_is_set(wm_json_get(secret, "data"), "saToken") &&
        !wm_is_set(wm_json_get(secret, "stringData"), "saToken"))
        wm_report(c, &rules[TOKEN_MISSING], "spec.serviceAccountSecretRef", nothing,
                  "Secret %s in namespace %s has nothing under the key saToken", at->name, at->namespace_);
}

static void check_secret(struct wm_check *c)
{
    struct wm_target at;
    struct wm_json_value secret;
    struct wm_json_span nothing = {0};

    if (!wm_target_of(wm_spec(c, "serviceAccountSecretRef"), &at)) {
        wm_report(
            c, &rules[SECRET_REF_UNSET], "spec.serviceAccountSecretRef", nothing,
            "spec.isHostCluster is not true, so name and namespace of a Secret with a token are needed");
        return;
    }
    if (wm_wants(c, &rules[SECRET_MISSING]) &&
        wm_ask(c, &rules[SECRET_MISSING], WM_SECRETS, at.namespace_, at.name, &secret) == WM_FACT_ABSENT)
        wm_report(c, &rules[SECRET_MISSING], "spec.serviceAccountSecretRef", nothing,
                  "there is no Secret %s in namespace %s", at.name, at.namespace_);
    check_token(c, &at);
}

static void check_remote(struct wm_check *c)
{
    if (wm_is_true(c->s->spec, "isHostCluster"))
        return;
    check_url(c);
    check_secret(c);
}

static void (*const checks[])(struct wm_check *) = {check_remote, NULL};

const struct wm_rule_set wm_cluster_rules = {rules, N_RULES, checks};
