/* Names as label values.  Pure. */
#ifndef WAYMARK_NAMES_H
#define WAYMARK_NAMES_H

#include <stdbool.h>

#include "waymark/buf.h"

#define WM_LABEL_VALUE_MAX 63
/* Object names are DNS subdomains of at most 253 characters (k8s.io/apimachinery validation). */
#define WM_NAME_MAX 253

/* What the API server takes as a non-empty label value: at most 63 of [A-Za-z0-9_.-], alphanumeric at both
 * ends. */
bool wm_label_value_ok(struct wm_str value);

/* RFC 1123, as the API server has them: labels of at most 63 of [a-z0-9-], subdomains of at most 253 with
 * dots. */
bool wm_is_dns_label(struct wm_str s);
bool wm_is_dns_subdomain(struct wm_str s);

/* A qualified label key: [prefix/]name, prefix a DNS subdomain of at most 253, name as a label value. */
bool wm_label_key_ok(struct wm_str key);

/* The label value that stands for `name`: the name itself up to 63 bytes, else its first 57 bytes followed by
 * the first 6 hex digits of its SHA-256, exactly as Velero does (pkg/label/label.go, GetValidName), so that
 * both agree. Writes a NUL-terminated value and returns its length; 0 when the name cannot be a label value
 * in any way (empty, characters that labels do not allow): then there is nothing to write, since inventing a
 * name helps nobody. */
size_t wm_label_value_of(struct wm_str name, char out[static WM_LABEL_VALUE_MAX + 1]);

#endif
