/* How the kube thread waits for libcurl's sockets, for its timers, and for others who wake it. */
#ifndef WAYMARK_KUBE_SOCKETS_H
#define WAYMARK_KUBE_SOCKETS_H

#include <stdbool.h>

struct wm_kube;

/* After the multi handle is there; false = no descriptors are left. */
bool wm_sockets_open(struct wm_kube *k);
/* After the multi handle is gone. */
void wm_sockets_close(struct wm_kube *k);
/* Ends the wait, or the next one.  Any thread. */
void wm_sockets_wake(struct wm_kube *k);
/* Waits at most so long for something to happen, and lets libcurl work on it. */
void wm_sockets_turn(struct wm_kube *k, int wait_ms);

#endif
