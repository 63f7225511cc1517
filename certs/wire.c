#include "wire.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* The keys of the Secret.  The active pair stands where every other program looks for one. */
static const char KEY_CERT[] = "tls.crt", KEY_KEY[] = "tls.key", KEY_CA[] = "ca.crt";
static const char KEY_NEXT_CERT[] = "next.crt", KEY_NEXT_KEY[] = "next.key", KEY_NEXT_CA[] = "next-ca.crt";
static const char KEY_PREVIOUS_CA[] = "previous-ca.crt", KEY_PREVIOUS_SINCE[] = "previous-since";

/* --- base64 --- */

/* Decoded and terminated, or NULL when it is not base64 or holds a NUL. */
static char *decode(const char *text, size_t n)
{
    if (n % 4 != 0 || n > WM_CERTS_MAX_SECRET)
        return NULL;
    unsigned char *out = wm_xcalloc(n / 4 * 3 + 1, 1);
    int len = n ? EVP_DecodeBlock(out, (const unsigned char *)text, (int)n) : 0;

    for (size_t i = n; len > 0 && i > 0 && i + 2 > n && text[i - 1] == '='; i--)
        len--; /* EVP_DecodeBlock counts the padding */
    if (len < 0 || memchr(out, '\0', (size_t)len)) {
        OPENSSL_cleanse(out, n / 4 * 3);
        free(out);
        return NULL;
    }
    out[len] = '\0';
    return (char *)out;
}

static char *encode(struct wm_str s)
{
    unsigned char *out = wm_xcalloc((s.n + 2) / 3 * 4 + 1, 1);

    if (s.n)
        EVP_EncodeBlock(out, (const unsigned char *)s.p, (int)s.n);
    return (char *)out;
}

static void wipe_freep(char **p)
{
    if (*p)
        OPENSSL_cleanse(*p, strlen(*p));
    free(*p);
    *p = NULL;
}

/* --- the Secret --- */

/* Keys lie in the tree as base64 text. */
static void wipe_tree(cJSON *doc)
{
    cJSON *item = NULL, *data = cJSON_GetObjectItemCaseSensitive(doc, "data");

    cJSON_ArrayForEach(item, data) if (cJSON_IsString(item))
        OPENSSL_cleanse(item->valuestring, strlen(item->valuestring));
}

void wm_certs_secret_done(struct wm_certs_secret *s)
{
    wm_cert_pems_done(&s->active);
    wm_cert_pems_done(&s->next);
    free(s->previous_ca);
    wipe_tree(s->doc);
    cJSON_Delete(s->doc);
    *s = (struct wm_certs_secret){0};
}

static char *data_of(const cJSON *doc, const char *key)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(doc, "data");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, key));

    return text ? decode(text, strlen(text)) : NULL;
}

static int64_t seconds_in(const char *text)
{
    int64_t n = 0;

    for (; text && *text >= '0' && *text <= '9' && n < INT64_MAX / 100; text++)
        n = n * 10 + (*text - '0');
    return text && !*text ? n : 0;
}

int wm_certs_secret_parse(struct wm_str json, struct wm_certs_secret *ret, struct wm_error *err)
{
    struct wm_certs_secret s = {0};
    int rc = wm_json_parse(json, &s.doc, err);

    if (rc < 0)
        return wm_fail_in(err, "Secret");
    if (!wm_json_str(s.doc, "/metadata/resourceVersion")) {
        wm_certs_secret_done(&s);
        return wm_fail(err, WM_E_INVALID, "/metadata/resourceVersion", "Secret without a resourceVersion");
    }
    s.active =
        (struct wm_cert_pems){data_of(s.doc, KEY_CA), data_of(s.doc, KEY_CERT), data_of(s.doc, KEY_KEY)};
    s.next = (struct wm_cert_pems){data_of(s.doc, KEY_NEXT_CA), data_of(s.doc, KEY_NEXT_CERT),
                                   data_of(s.doc, KEY_NEXT_KEY)};
    s.previous_ca = data_of(s.doc, KEY_PREVIOUS_CA);
    wm_auto_free char *since = data_of(s.doc, KEY_PREVIOUS_SINCE);

    s.previous_since_s = seconds_in(since);
    *ret = s;
    return WM_OK;
}

static bool put_data(cJSON *data, const char *key, struct wm_str value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(data, key);
    if (!value.n)
        return true;
    WM_AUTO(wipe_freep) char *text = encode(value);

    return cJSON_AddStringToObject(data, key, text) != NULL;
}

static bool put_content(cJSON *data, const struct wm_certs_content *c)
{
    static const struct wm_cert_pems none;
    const struct wm_cert_pems *next = c->next ? c->next : &none;
    char since[32];

    snprintf(since, sizeof since, "%lld", (long long)c->previous_since_s);
    return put_data(data, KEY_CERT, wm_str_of(c->active->cert)) &&
           put_data(data, KEY_KEY, wm_str_of(c->active->key)) &&
           put_data(data, KEY_CA, wm_str_of(c->active->ca)) &&
           put_data(data, KEY_NEXT_CERT, wm_str_of(next->cert)) &&
           put_data(data, KEY_NEXT_KEY, wm_str_of(next->key)) &&
           put_data(data, KEY_NEXT_CA, wm_str_of(next->ca)) &&
           put_data(data, KEY_PREVIOUS_CA, c->previous_ca) &&
           put_data(data, KEY_PREVIOUS_SINCE, c->previous_ca.n ? wm_str_of(since) : (struct wm_str){0});
}

static cJSON *new_secret(const char *ns, const char *name)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON *meta = cJSON_AddObjectToObject(doc, "metadata");
    cJSON *labels = cJSON_AddObjectToObject(meta, "labels");

    cJSON_AddStringToObject(doc, "apiVersion", "v1");
    cJSON_AddStringToObject(doc, "kind", "Secret");
    cJSON_AddStringToObject(meta, "name", name);
    cJSON_AddStringToObject(meta, "namespace", ns);
    cJSON_AddStringToObject(labels, "app.kubernetes.io/name", "waymark-webhook");
    cJSON_AddStringToObject(labels, "app.kubernetes.io/managed-by", "waymark-webhook");
    cJSON_AddStringToObject(doc, "type", "kubernetes.io/tls");
    return doc;
}

int wm_certs_secret_print(const cJSON *doc, const char *ns, const char *name,
                          const struct wm_certs_content *c, struct wm_buf *out, struct wm_error *err)
{
    wm_auto_json cJSON *copy = doc ? cJSON_Duplicate(doc, true) : new_secret(ns, name);
    cJSON *data = cJSON_GetObjectItemCaseSensitive(copy, "data");

    /* Absent managedFields stay as they are in the server, and ours could only be stale. */
    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(copy, "metadata"),
                                            "managedFields");
    if (!cJSON_IsObject(data)) {
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "data");
        data = cJSON_AddObjectToObject(copy, "data");
    }
    int rc = data && put_content(data, c) ? wm_json_print(copy, out, err)
                                          : wm_fail(err, WM_E_NOMEM, NULL, "out of memory for the Secret");

    wipe_tree(copy);
    return rc;
}

/* --- webhook configurations --- */

void wm_certs_hooks_done(struct wm_certs_hooks *h)
{
    for (size_t i = 0; i < h->n; i++) {
        free(h->of[i].name);
        free(h->of[i].bundle);
    }
    free(h->of);
    free(h->resource_version);
    *h = (struct wm_certs_hooks){0};
}

/* The host of "https://host:port/path", of IPv6 without brackets. */
static struct wm_str url_host(const char *url)
{
    static const char scheme[] = "https://";

    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return (struct wm_str){0};
    const char *p = url + sizeof scheme - 1;

    return *p == '[' ? (struct wm_str){p + 1, strcspn(p + 1, "]")} : (struct wm_str){p, strcspn(p, ":/")};
}

static bool calls_us(const cJSON *hook, const struct wm_certs_self *self)
{
    const char *service = wm_json_str(hook, "/clientConfig/service/name");
    const char *ns = wm_json_str(hook, "/clientConfig/service/namespace");
    const char *url = wm_json_str(hook, "/clientConfig/url");

    if (service && ns)
        return strcmp(service, self->service) == 0 && strcmp(ns, self->ns) == 0;
    for (const char *const *n = self->names; url && *n; n++)
        if (wm_str_is(url_host(url), *n))
            return true;
    return false;
}

int wm_certs_hooks_parse(struct wm_str json, const struct wm_certs_self *self, struct wm_certs_hooks *ret,
                         struct wm_error *err)
{
    wm_auto_json cJSON *doc = NULL;
    int rc = wm_json_parse(json, &doc, err), index = 0;

    if (rc < 0)
        return wm_fail_in(err, "webhook configuration");
    const char *version = wm_json_str(doc, "/metadata/resourceVersion");

    if (!version)
        return wm_fail(err, WM_E_INVALID, "/metadata/resourceVersion",
                       "webhook configuration without a resourceVersion");
    const cJSON *hook, *hooks = cJSON_GetObjectItemCaseSensitive(doc, "webhooks");
    struct wm_certs_hooks h = {wm_xstrdup(version), 0,
                               wm_xcalloc((size_t)cJSON_GetArraySize(hooks) + 1, sizeof *h.of)};

    cJSON_ArrayForEach(hook, hooks)
    {
        const char *name = wm_json_str(hook, "/name"), *bundle = wm_json_str(hook, "/clientConfig/caBundle");

        if (name && calls_us(hook, self)) {
            char *pem = bundle ? decode(bundle, strlen(bundle)) : NULL;

            h.of[h.n++] = (struct wm_certs_hook){index, wm_xstrdup(name), pem ? pem : wm_xstrdup("")};
        }
        index++;
    }
    *ret = h;
    return WM_OK;
}

size_t wm_certs_hooks_patch(const struct wm_certs_hooks *h, struct wm_str bundle, struct wm_buf *out)
{
    wm_auto_free char *text = encode(bundle);
    size_t n = 0;

    for (size_t i = 0; i < h->n; i++) {
        if (wm_str_is(bundle, h->of[i].bundle))
            continue;
        if (n++ == 0) {
            wm_buf_puts(out, "[{\"op\":\"test\",\"path\":\"/metadata/resourceVersion\",\"value\":");
            wm_json_quote(out, wm_str_of(h->resource_version));
            wm_buf_puts(out, "}");
        }
        wm_buf_printf(out, ",{\"op\":\"test\",\"path\":\"/webhooks/%d/name\",\"value\":", h->of[i].index);
        wm_json_quote(out, wm_str_of(h->of[i].name));
        wm_buf_printf(out,
                      "},{\"op\":\"add\",\"path\":\"/webhooks/%d/clientConfig/caBundle\",\"value\":\"%s\"}",
                      h->of[i].index, text);
    }
    if (n)
        wm_buf_puts(out, "]");
    return n;
}
