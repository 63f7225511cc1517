#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "webhook/server_impl.h"

/* The loop whose thread this is: an answer given inside the handler needs no detour. */
static _Thread_local const struct wm_loop *my_loop;

enum { SMALL_BODY = 64 << 10 };

/* --- the mailbox --- */

struct wm_mailbox *wm_mailbox_new(void)
{
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (wake < 0)
        return NULL;
    struct wm_mailbox *m = wm_xcalloc(1, sizeof *m);

    m->refs = 1;
    m->wake = wake;
    m->last = &m->first;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void wm_mailbox_unref(struct wm_mailbox *m)
{
    if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    close(m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void wake(struct wm_mailbox *m)
{
    static const uint64_t one = 1;

    (void)!write(m->wake, &one, sizeof one);
}

void wm_loop_wake(struct wm_loop *l)
{
    wake(l->mailbox);
}

/* --- requests --- */

static void request_free(struct wm_request *q)
{
    wm_body_done(&q->body);
    wm_mailbox_unref(q->mailbox);
    free(q);
}

static void post(struct wm_request *q)
{
    struct wm_mailbox *m = q->mailbox;
    bool drop;

    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed); /* the request may go before we do */
    pthread_mutex_lock(&m->lock);
    drop = m->closed;
    if (!drop) {
        bool first = !m->first;

        q->next = NULL;
        *m->last = q;
        m->last = &q->next;
        if (first)
            wake(m);
    }
    pthread_mutex_unlock(&m->lock);
    if (drop) {
        if (q->answer)
            MHD_destroy_response(q->answer);
        request_free(q);
    }
    wm_mailbox_unref(m);
}

void wm_request_reply(struct wm_request *q, const struct wm_reply *r)
{
    q->answer = wm_reply_make(r);
    q->status = (unsigned)r->status;
    if (my_loop && my_loop == q->loop && q->inline_ok)
        q->answered = true;
    else
        post(q);
}

void wm_request_done(struct wm_conn *c)
{
    struct wm_loop *l = c->loop;
    struct wm_request *q = c->req;

    c->req = NULL;
    wm_budget_give(l, q->charged);
    if (q->body.cap && q->body.cap <= SMALL_BODY && !l->spare_body.cap) {
        l->spare_body = q->body;
        l->spare_body.n = 0;
        q->body = (struct wm_body){0};
    }
    request_free(q);
}

void wm_request_orphan(struct wm_conn *c)
{
    wm_budget_give(c->loop, c->req->charged);
    WM_BUMP(&c->loop->n.in_flight, -1);
    c->req = NULL;
    c->waiting = false;
}

/* A late answer goes out, or nowhere when the client has left. */
static void answer_late(struct wm_request *q)
{
    struct wm_conn *c = q->conn;
    struct MHD_Connection *m = c->mhd;

    WM_BUMP(&c->loop->n.in_flight, -1);
    c->waiting = false;
    if (c->fd >= 0)
        wm_reply_queue(c, q->status, q->answer);
    else if (q->answer)
        MHD_destroy_response(q->answer);
    wm_request_done(c);
    MHD_resume_connection(m);
    c->loop->http_due = true;
}

void wm_mailbox_collect(struct wm_loop *l)
{
    struct wm_mailbox *m = l->mailbox;
    uint64_t count;

    (void)!read(m->wake, &count, sizeof count);
    pthread_mutex_lock(&m->lock);
    struct wm_request *q = m->first;

    m->first = NULL;
    m->last = &m->first;
    pthread_mutex_unlock(&m->lock);
    while (q) {
        struct wm_request *next = q->next;

        answer_late(q);
        q = next;
    }
}

void wm_mailbox_close(struct wm_loop *l)
{
    pthread_mutex_lock(&l->mailbox->lock);
    l->mailbox->closed = true;
    pthread_mutex_unlock(&l->mailbox->lock);
    wm_mailbox_collect(l);
}

void wm_reply_this_thread(const struct wm_loop *l)
{
    my_loop = l;
}

/* --- answers through MHD --- */

static const char *content_type_of(const struct wm_reply *r)
{
    return r->content_type ? r->content_type : "application/json";
}

struct MHD_Response *wm_reply_make(const struct wm_reply *r)
{
    /* MHD copies and only reads; its parameter has no const. */
    struct MHD_Response *m =
        MHD_create_response_from_buffer(r->body.n, (void *)(uintptr_t)r->body.p, MHD_RESPMEM_MUST_COPY);
    char seconds[16];

    if (!m)
        return NULL;
    MHD_add_response_header(m, "Content-Type", content_type_of(r));
    if (r->retry_after_s > 0) {
        snprintf(seconds, sizeof seconds, "%d", r->retry_after_s);
        MHD_add_response_header(m, "Retry-After", seconds);
    }
    if (r->allow)
        MHD_add_response_header(m, "Allow", r->allow);
    return m;
}

static bool must_close(const struct wm_conn *c)
{
    const struct wm_loop *l = c->loop;

    return atomic_load_explicit(&l->server->draining, memory_order_relaxed) ||
           l->now_ms - c->born_ms > c->max_age_ms;
}

void wm_reply_queue(struct wm_conn *c, unsigned status, struct MHD_Response *answer)
{
    if (answer && must_close(c))
        MHD_add_response_header(answer, "Connection", "close");
    if (answer && MHD_queue_response(c->mhd, status, answer) == MHD_YES)
        c->replying = c->replied = true;
    else
        wm_reply_error(c, 500, 0);
    if (answer)
        MHD_destroy_response(answer);
    wm_conn_look(c);
}

/* --- answers past MHD, which close --- */

void wm_reply_last_words(struct wm_conn *c, const struct wm_reply *r)
{
    struct wm_buf *b = &c->last_words;
    const char *reason = MHD_get_reason_phrase_for((unsigned)r->status);

    wm_buf_printf(b, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
                  r->status, reason, content_type_of(r), r->body.n);
    if (r->retry_after_s > 0)
        wm_buf_printf(b, "Retry-After: %d\r\n", r->retry_after_s);
    if (r->allow)
        wm_buf_printf(b, "Allow: %s\r\n", r->allow);
    wm_buf_puts(b, "\r\n");
    if (!c->is_head)
        wm_buf_str(b, r->body);
    wm_conn_look(c);
}

static const char *message_for(int status)
{
    switch (status) {
    case 408:
        return "the request did not arrive in time";
    case 413:
        return "the request body is larger than this server takes";
    case 414:
    case 431:
        return "the request header is larger than this server takes";
    case 500:
        return "the answer could not be made";
    case 503:
        return "overloaded, try again";
    default:
        return "this is not a request that can be read";
    }
}

void wm_reply_error_fill(struct wm_loop *l, int status, int retry_after_s, struct wm_buf *body,
                         struct wm_reply *ret)
{
    const struct wm_server_opts *o = &l->server->o;

    if (o->error_body)
        o->error_body(o->ctx, status, message_for(status), body);
    else
        wm_buf_printf(body, "%s\n", message_for(status));
    *ret = (struct wm_reply){.status = status,
                             .content_type = o->error_body ? NULL : "text/plain; charset=utf-8",
                             .body = body->bad ? (struct wm_str){"", 0} : wm_buf_text(body),
                             .retry_after_s = retry_after_s};
}

void wm_reply_error(struct wm_conn *c, int status, int retry_after_s)
{
    struct wm_buf body = WM_BUF_MAX(64 << 10);
    struct wm_reply r;

    if (c->last_words.n)
        return;
    if (status == 413)
        WM_BUMP(&c->loop->n.too_big, 1);
    wm_reply_error_fill(c->loop, status, retry_after_s, &body, &r);
    wm_reply_last_words(c, &r);
    wm_buf_done(&body);
}
