/* Kubernetes quantities ("50Gi", "1.5e3"), as far as rules ask: is it one, and which sign has it.  Pure. */
#ifndef WAYMARK_RULES_QUANTITY_H
#define WAYMARK_RULES_QUANTITY_H

#include "waymark/buf.h"

enum wm_quantity { WM_QUANTITY_NONE, WM_QUANTITY_NEGATIVE, WM_QUANTITY_ZERO, WM_QUANTITY_POSITIVE };

/* The grammar is k8s.io/apimachinery pkg/api/resource's: a sign, digits with or without a fraction, and a
 * suffix (Ki Mi Gi Ti Pi Ei, n u m k M G T P E) or an exponent (e3, E-3).  Case matters: "K" is none. */
enum wm_quantity wm_quantity_of(struct wm_str s);

#endif
