#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "webhook/server_impl.h"

/* --- memory that a client makes us use --- */

static int64_t bytes_everywhere(const struct wm_server *s)
{
    int64_t n = 0;

    for (unsigned i = 0; i < s->n_loops; i++)
        n += atomic_load_explicit(&s->loops[i]->n.body_bytes, memory_order_relaxed);
    return n;
}

bool wm_budget_take(struct wm_loop *l, size_t n)
{
    if ((size_t)bytes_everywhere(l->server) + n > l->server->o.body_budget)
        return false;
    WM_BUMP(&l->n.body_bytes, (int64_t)n);
    return true;
}

void wm_budget_give(struct wm_loop *l, size_t n)
{
    WM_BUMP(&l->n.body_bytes, -(int64_t)n);
}

static bool hold(struct wm_conn *c, struct wm_buf *b, const char *p, size_t n)
{
    if (!wm_budget_take(c->loop, n))
        return false;
    wm_buf_add(b, p, n);
    if (!b->bad)
        return true;
    wm_budget_give(c->loop, n);
    return false;
}

static void unhold(struct wm_conn *c, struct wm_buf *b, size_t n)
{
    wm_budget_give(c->loop, n);
    if (n == b->n)
        wm_buf_done(b);
    else
        wm_buf_shift(b, n);
}

void wm_pump_drop_held(struct wm_conn *c)
{
    unhold(c, &c->in, c->in.n);
    unhold(c, &c->out, c->out.n);
}

/* --- towards the client --- */

/* How much TCP took, which may be less than n; marks the connection broken on error. */
static size_t send_some(struct wm_conn *c, const char *p, size_t n)
{
    ssize_t w;

    do
        w = send(c->fd, p, n, MSG_NOSIGNAL);
    while (w < 0 && errno == EINTR);
    if (w < 0) {
        if (errno != EAGAIN)
            c->broken = true;
        return 0;
    }
    WM_BUMP(&c->loop->n.bytes_out, (uint64_t)w);
    return (size_t)w;
}

void wm_pump_flush(struct wm_conn *c)
{
    struct wm_loop *l = c->loop;
    size_t n = l->wire_n, done;

    if (n == 0)
        return;
    l->wire_n = 0;
    if (c->broken)
        return;
    done = c->out.n ? 0 : send_some(c, l->wire, n);
    if (done < n && !c->broken && !hold(c, &c->out, l->wire + done, n - done))
        c->broken = true;
}

static bool flush_held(struct wm_conn *c)
{
    size_t done = c->out.n ? send_some(c, c->out.p, c->out.n) : 0;

    if (done)
        unhold(c, &c->out, done);
    return c->out.n == 0 && !c->broken;
}

/* True when this is an answer that MHD made by itself: a request that it could not read. */
static bool is_foreign(const struct wm_conn *c, const char *p, size_t n)
{
    return !c->replying && !c->replied && n > 12 && memcmp(p, "HTTP/1.1 ", 9) == 0 && p[9] >= '4';
}

static void replace_foreign(struct wm_conn *c, const char *p)
{
    int status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');

    if (status < 400 || status > 599)
        status = 400;
    WM_BUMP(&c->loop->n.bad_http, 1);
    wm_conn_drop_pipe(c);
    wm_reply_error(c, status, 0);
}

/* Moves what MHD wrote to the client, until the pipe is empty or TCP is full.  False = nothing more to do
 * with this connection now. */
static bool empty_pipe(struct wm_conn *c)
{
    struct wm_loop *l = c->loop;

    while (c->pipe >= 0) {
        ssize_t n = recv(c->pipe, l->plain, sizeof l->plain, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0 && is_foreign(c, l->plain, (size_t)n)) {
            replace_foreign(c, l->plain);
            break;
        }
        if (n > 0) {
            wm_session_encrypt(c, l->plain, (size_t)n);
            if (c->broken || c->out.n)
                return false;
            if (c->replying) { /* MHD may wait for the room we just made */
                l->http_due = true;
                wm_conn_look(c);
            }
            if ((size_t)n == sizeof l->plain)
                continue;
        }
        if (c->http_gone) {
            wm_conn_drop_pipe(c);
            c->finishing = true;
        }
        break;
    }
    return true;
}

void wm_pump_out(struct wm_conn *c)
{
    c->look = false;
    if (c->fd < 0 || c->said_bye)
        return;
    if (flush_held(c) && empty_pipe(c)) {
        if (!c->replying)
            c->replied = false;
        if (c->last_words.n) {
            wm_conn_drop_pipe(c);
            wm_session_encrypt(c, c->last_words.p, c->last_words.n);
            wm_buf_done(&c->last_words);
            c->finishing = true;
        }
    }
    if (c->broken)
        wm_conn_close(c);
    else if (c->finishing && c->out.n == 0)
        wm_conn_goodbye(c);
}

/* --- from the client --- */

/* Hands plaintext to MHD; what it does not take now is held, and nothing more is read until it is gone. */
static void feed(struct wm_conn *c, const char *p, size_t n)
{
    ssize_t w = 0;

    if (c->pipe < 0 && !c->mhd && !wm_http_open(c)) {
        c->broken = true;
        return;
    }
    if (!c->in.n && c->pipe >= 0 && !wm_conn_http_busy(c)) {
        w = send(c->pipe, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (w < 0)
            w = errno == EAGAIN || errno == EINTR ? 0 : (ssize_t)n; /* MHD has closed: nobody wants it */
    }
    if (w > 0) {
        c->fed += (size_t)w;
        c->dirty = true;
        c->loop->http_due = true;
        wm_conn_touch(c);
    }
    if ((size_t)w < n && !hold(c, &c->in, p + w, n - (size_t)w))
        c->broken = true;
}

void wm_pump_feed_held(struct wm_conn *c)
{
    struct wm_buf held = c->in;

    if (!held.n || c->fd < 0 || wm_conn_http_busy(c))
        return;
    c->in = WM_BUF_MAX(held.max);
    wm_budget_give(c->loop, held.n);
    feed(c, held.p, held.n);
    wm_buf_done(&held);
    if (!c->in.n && c->readable)
        wm_append(&c->loop->ready, &c->ready);
}

static void read_chunk(struct wm_conn *c, size_t n)
{
    struct wm_loop *l = c->loop;

    l->reading = c;
    l->cipher_at = 0;
    l->cipher_n = n;
    if (!c->shaking || wm_session_shake(c)) {
        n = wm_session_decrypt(c);
        if (n && !c->broken)
            feed(c, l->plain, n);
    }
    l->reading = NULL;
}

/* Reads once; 0 = nothing now, or the connection is over. */
static size_t receive(struct wm_conn *c, int flags)
{
    ssize_t n = recv(c->fd, c->loop->cipher, sizeof c->loop->cipher, flags);

    if (n > 0) {
        /* A short read has emptied the socket: the next byte is a new edge.  But the end may stand behind. */
        c->readable = n == sizeof c->loop->cipher || c->hup;
        WM_BUMP(&c->loop->n.bytes_in, (uint64_t)n);
        return (size_t)n;
    }
    c->readable = n < 0 && errno == EINTR;
    if (n == 0)
        c->eof = true;
    else if (errno != EAGAIN && errno != EINTR)
        c->broken = true;
    return 0;
}

/* After the goodbye what the client still sends is thrown away, so that closing does not reset the connection
 * under the answer.  MSG_TRUNC: the kernel does not even copy it. */
static void drain(struct wm_conn *c)
{
    for (int i = 0; i < 16 && c->readable && !c->eof && !c->broken; i++)
        c->drained += receive(c, MSG_TRUNC);
    if (c->eof || c->broken || c->drained > WM_LINGER_BYTES)
        wm_conn_close(c);
    else if (c->readable)
        wm_append(&c->loop->ready, &c->ready);
}

void wm_pump_in(struct wm_conn *c)
{
    if (c->fd < 0)
        return;
    if (c->said_bye) {
        drain(c);
        return;
    }
    if (c->in.n || c->finishing || c->last_words.n || !c->readable)
        return; /* still readable: somebody comes back to it */
    size_t n = receive(c, 0);

    if (n && !c->ssl && !wm_session_start(c))
        c->broken = true;
    else if (n)
        read_chunk(c, n);
    if (c->fd < 0)
        return;
    if (c->broken || (c->eof && c->shaking)) {
        wm_conn_close(c);
        return;
    }
    wm_conn_touch(c);
    if (c->readable && !c->in.n)
        wm_append(c->shaking ? &c->loop->shakers : &c->loop->ready, &c->ready);
}
