/* Generations of certificates as numbers; their CAs and certificates are texts of one length. */
#ifndef WAYMARK_TESTS_CERTS_TEXTS_H
#define WAYMARK_TESTS_CERTS_TEXTS_H

#include "certs/plan.h"

enum { DAY = 86400, NOW = 1795000000, VALIDITY = 90 * DAY, WAIT = 60, KEEP = 600, TICK = 30 };
enum { MAX_GEN = 200, CA_LEN = 6 };

extern const struct wm_certs_settings settings;
extern char ca_text[MAX_GEN][CA_LEN + 1], cert_text[MAX_GEN][CA_LEN + 1];

void make_texts(void);
struct wm_str ca_of(int gen);
/* Splits "<0007><0008>" into the CAs not yet in `list`. */
size_t split(struct wm_str bytes, struct wm_str *list, size_t n);

#endif
