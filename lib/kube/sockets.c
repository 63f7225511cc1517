/* libcurl's sockets in an epoll: a wait costs what happens, not what is watched.  With a connection a watch
 * and dozens of watches, looking at all of them for each event was half of an event's cost. */
#include "sockets.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal.h"
#include "waymark/clock.h"

enum { EVENTS = 32 };

static int64_t sooner_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- what libcurl asks for --- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct wm_kube *k = ctx;
    struct epoll_event e = {.data.fd = fd};

    (void)easy;
    (void)socket_ctx;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(k->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    e.events = (what != CURL_POLL_OUT ? EPOLLIN : 0u) | (what != CURL_POLL_IN ? EPOLLOUT : 0u);
    if (epoll_ctl(k->epoll_fd, EPOLL_CTL_MOD, fd, &e) < 0)
        epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &e);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct wm_kube *k = ctx;

    (void)multi;
    k->curl_at_ms = timeout_ms < 0 ? INT64_MAX : wm_mono_ms() + timeout_ms;
    return 0;
}

/* --- life --- */

bool wm_sockets_open(struct wm_kube *k)
{
    struct epoll_event e = {.events = EPOLLIN};

    k->curl_at_ms = INT64_MAX;
    k->plugin_fd = -1;
    k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    k->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e.data.fd = k->wake_fd;
    curl_multi_setopt(k->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(k->multi, CURLMOPT_SOCKETDATA, k);
    curl_multi_setopt(k->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(k->multi, CURLMOPT_TIMERDATA, k);
    return k->epoll_fd >= 0 && k->wake_fd >= 0 && epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, k->wake_fd, &e) == 0;
}

void wm_sockets_close(struct wm_kube *k)
{
    if (k->epoll_fd > 0)
        close(k->epoll_fd);
    if (k->wake_fd > 0)
        close(k->wake_fd);
}

void wm_sockets_wake(struct wm_kube *k)
{
    static const uint64_t one = 1;

    if (write(k->wake_fd, &one, sizeof one) < 0)
        return; /* it is full of wakes */
}

/* --- waiting --- */

/* A plugin's pipe comes and goes, and the next one may bear the same number: it is asked for each time. */
static void follow_plugin(struct wm_kube *k)
{
    struct epoll_event e = {.events = EPOLLIN};
    int fd = wm_creds_fd(k->creds);

    if (fd < 0 && k->plugin_fd < 0)
        return;
    if (k->plugin_fd >= 0 && fd != k->plugin_fd)
        epoll_ctl(k->epoll_fd, EPOLL_CTL_DEL, k->plugin_fd, NULL); /* in vain where it is closed */
    k->plugin_fd = fd;
    e.data.fd = fd;
    if (fd >= 0)
        epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &e); /* in vain where it is there */
}

static int readiness(uint32_t events)
{
    return (events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0) |
           (events & (EPOLLOUT | EPOLLERR) ? CURL_CSELECT_OUT : 0);
}

static void take(struct wm_kube *k, const struct epoll_event *e)
{
    uint64_t wakes;
    int running;

    if (e->data.fd == k->wake_fd) {
        if (read(k->wake_fd, &wakes, sizeof wakes) < 0)
            return; /* somebody else's wake was taken with the last one */
    } else if (e->data.fd == k->plugin_fd) {
        wm_creds_readable(k->creds);
    } else {
        curl_multi_socket_action(k->multi, e->data.fd, readiness(e->events), &running);
    }
}

void wm_sockets_turn(struct wm_kube *k, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int running;

    follow_plugin(k);
    int64_t left_ms = sooner_ms(wait_ms, k->curl_at_ms - wm_mono_ms());
    int n = epoll_wait(k->epoll_fd, events, EVENTS, left_ms < 0 ? 0 : (int)left_ms);

    for (int i = 0; i < n; i++)
        take(k, &events[i]);
    if (wm_mono_ms() < k->curl_at_ms)
        return;
    k->curl_at_ms = INT64_MAX; /* libcurl sets it anew */
    curl_multi_socket_action(k->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}
