/* Listening addresses as people write them.  Pure but for their types. */
#ifndef WAYMARK_ADDRESS_H
#define WAYMARK_ADDRESS_H

#include <sys/socket.h>

#include "waymark/error.h"

#define WM_ADDRESS_MAX 64

/* "0.0.0.0:9443", "[::1]:0", ":9443" (= all addresses) into address and port. */
int wm_address_split(const char *text, char ret_address[static WM_ADDRESS_MAX], int *ret_port,
                     struct wm_error *err);

/* A numeric address and a port as a sockaddr. */
int wm_address_resolve(const char *address, int port, struct sockaddr_storage *ret, socklen_t *ret_n,
                       struct wm_error *err);

#endif
