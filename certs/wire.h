/* The Secret and the webhook configurations as JSON: reading what matters of them, and the documents that
 * change them.  Pure. */
#ifndef WAYMARK_CERTS_WIRE_H
#define WAYMARK_CERTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waymark/buf.h"
#include "waymark/certs.h"
#include "waymark/error.h"
#include "waymark/json.h"

/* What one Secret may be; the API server's own limit is 1 MiB of data. */
enum { WM_CERTS_MAX_SECRET = 4 << 20, WM_CERTS_MAX_CONFIG = 8 << 20 };

/* Our Secret as read.  What is not there is NULL.  Everything is owned. */
struct wm_certs_secret {
    cJSON *doc; /* whole: a replacement keeps what is not ours in it */
    struct wm_cert_pems active, next;
    char *previous_ca;
    int64_t previous_since_s;
};
void wm_certs_secret_done(struct wm_certs_secret *s); /* wipes keys */
int wm_certs_secret_parse(struct wm_str json, struct wm_certs_secret *ret, struct wm_error *err);

/* What our Secret shall hold; borrowed. */
struct wm_certs_content {
    const struct wm_cert_pems *active, *next; /* next NULL = none */
    struct wm_str previous_ca;                /* empty = none */
    int64_t previous_since_s;
};
/* The document to POST (doc NULL), or to PUT over `doc` at its resourceVersion. */
int wm_certs_secret_print(const cJSON *doc, const char *ns, const char *name,
                          const struct wm_certs_content *c, struct wm_buf *out, struct wm_error *err);

/* Who we are in a clientConfig: a Service, or a URL whose host is one of the names. */
struct wm_certs_self {
    const char *service, *ns;
    const char *const *names;
};

/* The entries of one webhook configuration that call us. */
struct wm_certs_hooks {
    char *resource_version;
    size_t n;
    struct wm_certs_hook {
        int index; /* in the configuration */
        char *name;
        char *bundle; /* PEM, decoded; "" = none */
    } * of;
};
void wm_certs_hooks_done(struct wm_certs_hooks *h);
int wm_certs_hooks_parse(struct wm_str json, const struct wm_certs_self *self, struct wm_certs_hooks *ret,
                         struct wm_error *err);

/* Appends the JSON Patch that gives every entry this caBundle, and returns how many it changes (0: nothing is
 * appended).  It fails as a whole when the configuration is no longer the one that was read. */
size_t wm_certs_hooks_patch(const struct wm_certs_hooks *h, struct wm_str bundle, struct wm_buf *out);

#endif
