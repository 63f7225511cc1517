#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "webhook/server_impl.h"

/* xorshift64*: spreads ages, nothing secret. */
static uint64_t dice(struct wm_loop *l)
{
    l->seed ^= l->seed >> 12;
    l->seed ^= l->seed << 25;
    l->seed ^= l->seed >> 27;
    return l->seed * 0x2545f4914f6cdd1dULL;
}

/* -+ 20 %, so that connections made together do not end together. */
static int64_t pick_age_ms(struct wm_loop *l)
{
    int64_t age_ms = (int64_t)l->server->o.max_age_s * 1000;

    if (age_ms < 0)
        return INT64_MAX / 2;
    return age_ms * 4 / 5 + (int64_t)(dice(l) % (uint64_t)(age_ms * 2 / 5 + 1));
}

void wm_conn_new(struct wm_loop *l, int fd, uint16_t peer)
{
    struct wm_conn *c = wm_xcalloc(1, sizeof *c);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};

    c->loop = l;
    c->fd = fd;
    c->pipe = -1;
    c->peer = peer;
    c->shaking = true;
    c->phase = WM_PHASE_NONE;
    c->born_ms = l->now_ms;
    c->max_age_ms = pick_age_ms(l);
    c->in = c->out = c->last_words = WM_BUF_MAX(WM_HELD_MAX);
    wm_append(&l->all, &c->all);
    WM_BUMP(&l->n.open, 1);
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
        wm_conn_close(c);
    else
        wm_conn_rearm(c);
}

void wm_conn_event(struct wm_conn *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->hup = true;
    if (c->hup || events & EPOLLIN) {
        c->readable = true;
        wm_append(c->shaking ? &c->loop->shakers : &c->loop->ready, &c->ready);
    }
    if (events & EPOLLOUT && c->out.n)
        wm_conn_look(c);
}

void wm_conn_touch(struct wm_conn *c)
{
    if (!wm_linked(&c->touched))
        wm_append(&c->loop->touched, &c->touched);
}

void wm_conn_look(struct wm_conn *c)
{
    c->look = true;
    wm_conn_touch(c);
}

bool wm_conn_http_busy(const struct wm_conn *c)
{
    return c->waiting || c->replying;
}

bool wm_conn_at_rest(const struct wm_conn *c)
{
    return c->fd >= 0 && !c->shaking && !c->dirty && !c->in_body && !wm_conn_http_busy(c) && !c->finishing &&
           !c->in.n && !c->out.n && !c->last_words.n && !c->said_bye;
}

/* --- phases and deadlines --- */

static enum wm_phase phase_of(const struct wm_conn *c)
{
    if (c->said_bye)
        return WM_PHASE_LINGER;
    if (c->shaking)
        return WM_PHASE_SHAKING;
    if (c->out.n || c->last_words.n || c->finishing || c->replying)
        return WM_PHASE_SENDING;
    if (c->waiting)
        return WM_PHASE_NONE;
    if (c->in_body)
        return WM_PHASE_BODY;
    if (c->dirty || c->in.n)
        return WM_PHASE_HEADER;
    return WM_PHASE_IDLE;
}

static void enter(struct wm_conn *c, enum wm_phase phase)
{
    struct wm_loop *l = c->loop;

    c->phase = phase;
    c->armed_for = c->n_requests;
    c->since_ms = l->now_ms;
    if (phase == WM_PHASE_NONE) {
        wm_unlink(&c->timer);
        return;
    }
    c->deadline_ms = l->now_ms + l->duration_ms[phase];
    wm_append(&l->phases[phase], &c->timer);
}

/* A deadline stands from the beginning of a phase: trickling bytes does not move it. */
void wm_conn_rearm(struct wm_conn *c)
{
    if (c->fd < 0)
        return;
    enum wm_phase phase = phase_of(c);

    if (phase == WM_PHASE_IDLE && c->phase == WM_PHASE_RESTING && c->armed_for == c->n_requests)
        return;
    if (phase != c->phase || (c->armed_for != c->n_requests && phase != WM_PHASE_LINGER))
        enter(c, phase);
}

/* MHD's state costs more than the rest of an idle connection together.  It can go when MHD has seen nothing
 * but complete requests. */
void wm_conn_release_http(struct wm_conn *c)
{
    if (c->pipe < 0 || c->odd_length || c->fed != c->used)
        return;
    wm_conn_drop_pipe(c);
    c->fed = c->used = 0;
    c->loop->freed++;
}

void wm_conn_expired(struct wm_conn *c)
{
    enum wm_phase phase = c->phase;

    if (phase == WM_PHASE_IDLE) {
        wm_conn_release_http(c);
        enter(c, WM_PHASE_RESTING);
        return;
    }
    if (phase == WM_PHASE_RESTING) {
        wm_conn_goodbye(c);
        wm_conn_rearm(c);
        return;
    }
    if (phase != WM_PHASE_LINGER)
        WM_BUMP(&c->loop->n.timeouts, 1);
    if (phase == WM_PHASE_HEADER || phase == WM_PHASE_BODY) {
        wm_reply_error(c, 408, 0);
        wm_conn_rearm(c);
        return;
    }
    wm_conn_close(c);
}

/* --- the end --- */

void wm_conn_drop_pipe(struct wm_conn *c)
{
    if (c->pipe < 0)
        return;
    close(c->pipe);
    c->pipe = -1;
    c->loop->http_due = true; /* MHD has to see it */
}

static void bury_when_over(struct wm_conn *c)
{
    if (c->fd < 0 && !c->mhd && !c->req)
        wm_append(&c->loop->dead, &c->all);
}

void wm_conn_close(struct wm_conn *c)
{
    struct wm_loop *l = c->loop;

    if (c->fd < 0)
        return;
    SSL_free(c->ssl);
    c->ssl = NULL;
    close(c->fd);
    c->fd = -1;
    wm_peer_gone(c);
    wm_conn_drop_pipe(c);
    wm_pump_drop_held(c);
    wm_buf_done(&c->last_words);
    WM_BUMP(&l->n.open, -1);
    wm_unlink(&c->timer);
    wm_unlink(&c->ready);
    wm_unlink(&c->touched);
    bury_when_over(c);
}

void wm_conn_goodbye(struct wm_conn *c)
{
    if (c->said_bye || c->fd < 0)
        return;
    c->said_bye = true;
    wm_conn_drop_pipe(c);
    wm_session_end(c);
    if (c->eof || c->broken || c->out.n || shutdown(c->fd, SHUT_WR) < 0) {
        wm_conn_close(c);
        return;
    }
    c->readable = true;
    wm_append(&c->loop->ready, &c->ready);
    wm_conn_touch(c);
}

void wm_conn_http_closed(struct wm_conn *c)
{
    c->mhd = NULL;
    c->waiting = c->replying = c->in_body = false;
    if (c->req)
        wm_request_done(c);
    if (c->pipe >= 0) {
        c->http_gone = true;
        wm_conn_look(c);
    } else if (c->fd >= 0) {
        wm_conn_touch(c); /* bytes may wait for a new MHD connection */
    }
    bury_when_over(c);
}

void wm_conn_free(struct wm_conn *c)
{
    wm_unlink(&c->all);
    c->loop->freed++;
    if (c->refusal)
        MHD_destroy_response(c->refusal);
    free(c);
}
