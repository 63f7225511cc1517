#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "webhook/server_impl.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* Linux 5.0 */
#endif

enum { BACKLOG = 1024, BATCH = 64 };

static int numeric_address(const char *address, int port, struct addrinfo **ret, struct wm_error *err)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    char service[16];

    snprintf(service, sizeof service, "%d", port);
    if (port < 0 || port > 65535)
        return wm_fail(err, WM_E_INVALID, address, "%d is not a port", port);
    int e = getaddrinfo(address, service, &hints, ret);

    return e ? wm_fail(err, WM_E_INVALID, address, "not an IP address: %s", gai_strerror(e)) : WM_OK;
}

/* What accepted sockets inherit from the listener need not be set on each of them. */
static int prepare(int fd, const struct addrinfo *ai)
{
    static const int one = 1, zero = 0;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0)
        return -1;
    return bind(fd, ai->ai_addr, ai->ai_addrlen);
}

static int bound_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &n) < 0)
        return -1;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

int wm_bind(const struct wm_server_opts *o, int port, int *ret_fd, int *ret_port, struct wm_error *err)
{
    struct addrinfo *ai = NULL;
    int r = numeric_address(o->address, port, &ai, err);

    if (r < 0)
        return r;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || prepare(fd, ai) < 0)
        r = wm_fail_errno(err, WM_E_IO, o->address, "cannot bind");
    freeaddrinfo(ai);
    if (r < 0) {
        if (fd >= 0)
            close(fd);
        return r;
    }
    *ret_port = bound_port(fd);
    *ret_fd = fd;
    return WM_OK;
}

int wm_listen(struct wm_loop *l, struct wm_error *err)
{
    if (listen(l->listener, BACKLOG) < 0)
        return wm_fail_errno(err, WM_E_IO, l->server->o.address, "cannot listen");
    return wm_loop_watch_listener(l, err);
}

/* Closing a listener resets what waits in its queue, and what the kernel puts there between our last look and
 * the close.  Bound to an interface that does not exist, it gets no new connections (the kernel refuses them,
 * or gives them to another listener), while the queue and handshakes under way live on.  Where listeners
 * share the port, the kernel may still choose the deaf one; then only the last look before the close
 * protects, unless net.ipv4.tcp_migrate_req is set. */
void wm_listen_deafen(int fd)
{
    static const int nowhere = INT_MAX;

    setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere, sizeof nowhere);
}

/* --- one address may not take everything --- */

/* A slot of the table of counts.  Two addresses may share one, so the limit is about, not exactly, per peer;
 * nobody outside can aim, since the hash is keyed. */
static uint16_t peer_slot(const struct wm_server *s, const struct sockaddr_storage *a)
{
    uint64_t h = s->peer_seed, part = 0;

    if (a->ss_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;

        /* A v4 address in v6 clothes counts by itself, any other by its /64. */
        memcpy(&part, IN6_IS_ADDR_V4MAPPED(in6) ? in6->s6_addr + 8 : in6->s6_addr, sizeof part);
    } else {
        part = ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr;
    }
    h ^= part;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ULL;
    h ^= h >> 33;
    return (uint16_t)(h % WM_PEER_SLOTS);
}

static bool peer_may_enter(struct wm_server *s, uint16_t slot)
{
    if (s->o.max_per_peer <= 0)
        return true;
    if (atomic_fetch_add(&s->peers[slot], 1) < (uint32_t)s->o.max_per_peer)
        return true;
    atomic_fetch_sub(&s->peers[slot], 1);
    return false;
}

static void peer_leaves(struct wm_server *s, uint16_t slot)
{
    if (s->o.max_per_peer > 0)
        atomic_fetch_sub(&s->peers[slot], 1);
}

void wm_peer_gone(struct wm_conn *c)
{
    peer_leaves(c->loop->server, c->peer);
}

/* --- accept --- */

static int64_t open_everywhere(const struct wm_server *s)
{
    int64_t n = 0;

    for (unsigned i = 0; i < s->n_loops; i++)
        n += atomic_load_explicit(&s->loops[i]->n.open, memory_order_relaxed);
    return n;
}

/* The handshake that has hung longest goes, if it has hung for a second: so that those who only connect do
 * not keep out those who talk. */
static bool make_room(struct wm_loop *l)
{
    struct wm_link *first = l->phases[WM_PHASE_SHAKING].next;

    if (first == &l->phases[WM_PHASE_SHAKING])
        return false;
    struct wm_conn *c = WM_OWNER(first, struct wm_conn, timer);

    if (l->now_ms - c->born_ms < 1000)
        return false;
    WM_BUMP(&l->n.timeouts, 1);
    wm_conn_close(c);
    return true;
}

static void admit(struct wm_loop *l, int fd, const struct sockaddr_storage *from)
{
    struct wm_server *s = l->server;
    uint16_t slot = s->o.max_per_peer > 0 ? peer_slot(s, from) : 0;

    WM_BUMP(&l->n.accepted, 1);
    if (!l->ctx) {
        close(fd);
        return;
    }
    if (!peer_may_enter(s, slot)) {
        WM_BUMP(&l->n.refused, 1);
        close(fd);
        return;
    }
    if (open_everywhere(s) >= s->o.max_connections && !make_room(l)) {
        WM_BUMP(&l->n.refused, 1);
        peer_leaves(s, slot);
        close(fd);
        return;
    }
    wm_conn_new(l, fd, slot);
}

/* No descriptor is left: the listener would wake us for ever.  The spare one lets us take the connection and
 * drop it; if somebody snatches that, we do not listen for a moment. */
static void drop_one(struct wm_loop *l)
{
    if (l->spare >= 0)
        close(l->spare);
    int fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        WM_BUMP(&l->n.refused, 1);
        close(fd);
    }
    l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (l->spare < 0)
        wm_loop_pause_listener(l, true);
}

/* True when there may be more. */
static bool accept_one(struct wm_loop *l)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    int fd = accept4(l->listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        admit(l, fd, &from);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        drop_one(l);
        return false;
    }
    return errno != EAGAIN && errno != EBADF && errno != EINVAL; /* one that died in the queue: the next */
}

void wm_accept_some(struct wm_loop *l)
{
    for (int i = 0; i < BATCH && accept_one(l); i++)
        ;
}

void wm_accept_all(struct wm_loop *l)
{
    for (int i = 0; i < 2 * BACKLOG && accept_one(l); i++)
        ;
}
