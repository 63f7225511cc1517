#include "waymark/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int wm_address_split(const char *text, char ret_address[static WM_ADDRESS_MAX], int *ret_port,
                     struct wm_error *err)
{
    const char *colon = strrchr(text, ':'), *from = text;
    char *tail;

    if (!colon)
        return wm_fail(err, WM_E_INVALID, NULL, "'%s' is not ADDRESS:PORT", text);
    size_t n = (size_t)(colon - text);
    unsigned long port = strtoul(colon + 1, &tail, 10);

    if (colon[1] < '0' || colon[1] > '9' || *tail || port > 65535)
        return wm_fail(err, WM_E_INVALID, NULL, "'%s' has no port between 0 and 65535", text);
    if (n >= 2 && text[0] == '[' && colon[-1] == ']') {
        from++;
        n -= 2;
    }
    if (n == 0) {
        from = "::";
        n = 2;
    }
    if (n >= WM_ADDRESS_MAX)
        return wm_fail(err, WM_E_INVALID, NULL, "'%s' is too long for an address", text);
    memcpy(ret_address, from, n);
    ret_address[n] = '\0';
    *ret_port = (int)port;
    return WM_OK;
}

int wm_address_resolve(const char *address, int port, struct sockaddr_storage *ret, socklen_t *ret_n,
                       struct wm_error *err)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        memcpy(ret, &v4, sizeof v4);
        *ret_n = sizeof v4;
        return WM_OK;
    }
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        memcpy(ret, &v6, sizeof v6);
        *ret_n = sizeof v6;
        return WM_OK;
    }
    return wm_fail(err, WM_E_INVALID, NULL, "'%s' is not a numeric IPv4 or IPv6 address", address);
}
