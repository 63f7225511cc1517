/* Kubernetes quantities ("50Gi", "1.5e3"), as far as it is asked: is it one, which sign has it,
 * how many bytes are meant.  Pure. */
#ifndef WAYMARK_QUANTITY_H
#define WAYMARK_QUANTITY_H

#include "waymark/buf.h"

enum wm_quantity { WM_QUANTITY_NONE, WM_QUANTITY_NEGATIVE, WM_QUANTITY_ZERO, WM_QUANTITY_POSITIVE };

/* The grammar is k8s.io/apimachinery pkg/api/resource's: a sign, digits with or without a fraction, and a
 * suffix (Ki Mi Gi Ti Pi Ei, n u m k M G T P E) or an exponent (e3, E-3).  Case matters: "K" is none. */
enum wm_quantity wm_quantity_of(struct wm_str s);

/* How many; -1 for what is none, negative, beyond 2^62, or written with an exponent. */
int64_t wm_quantity_bytes(struct wm_str s);

#endif
