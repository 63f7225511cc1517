#include "waymark/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

int wm_base64_decode(struct wm_str text, struct wm_buf *out, struct wm_error *err)
{
    uint32_t bits = 0;
    int n_chars = 0, n_pads = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        int v = value_of(c);

        if (c == '\n' || c == '\r')
            continue;
        if (c == '=' && n_chars % 4 >= 2)
            n_pads++, v = 0;
        else if (v < 0 || n_pads)
            return wm_fail(err, WM_E_INVALID, NULL, "not base64 at byte %zu", i);
        bits = bits << 6 | (uint32_t)v;
        if (++n_chars % 4 == 0) {
            char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};

            wm_buf_add(out, bytes, (size_t)(3 - n_pads));
        }
    }
    if (n_chars % 4)
        return wm_fail(err, WM_E_INVALID, NULL, "base64 that ends early");
    return wm_buf_check(out, err);
}

void wm_base64_encode(struct wm_str bytes, struct wm_buf *out)
{
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t bits = (uint32_t)(unsigned char)bytes.p[i] << 16;
        char four[4];

        if (left > 1)
            bits |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)bytes.p[i + 2];
        four[0] = alphabet[bits >> 18];
        four[1] = alphabet[bits >> 12 & 63];
        four[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        four[3] = left > 2 ? alphabet[bits & 63] : '=';
        wm_buf_add(out, four, sizeof four);
    }
}
