#include "certs_texts.h"

#include <stdio.h>

const struct wm_certs_settings settings = {VALIDITY, WAIT, KEEP, TICK};
char ca_text[MAX_GEN][CA_LEN + 1], cert_text[MAX_GEN][CA_LEN + 1];

void make_texts(void)
{
    for (unsigned i = 0; i < MAX_GEN; i++) {
        snprintf(ca_text[i], sizeof ca_text[i], "<%04u>", i);
        snprintf(cert_text[i], sizeof cert_text[i], "[%04u]", i);
    }
}

struct wm_str ca_of(int gen)
{
    return gen > 0 ? (struct wm_str){ca_text[gen], CA_LEN} : (struct wm_str){0};
}

size_t split(struct wm_str bytes, struct wm_str *list, size_t n)
{
    for (size_t i = 0; i + CA_LEN <= bytes.n; i += CA_LEN) {
        struct wm_str ca = {bytes.p + i, CA_LEN};
        bool there = false;

        if (*ca.p != '<')
            break;
        for (size_t j = 0; j < n; j++)
            there = there || wm_str_eq(list[j], ca);
        if (!there)
            list[n++] = ca;
    }
    return n;
}
