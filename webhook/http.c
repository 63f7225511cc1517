#include <stdlib.h>
#include <sys/socket.h>

#include "waymark/clock.h"
#include "webhook/server_impl.h"

/* --- refusing --- */

/* Keeps the connection when what is still to come is little; else answers now and closes. */
static enum MHD_Result refuse(struct wm_conn *c, const struct wm_request_head *h, const struct wm_reply *r)
{
    if (h->chunked || h->expects || h->length > WM_SWALLOW) {
        wm_reply_last_words(c, r);
        return MHD_NO;
    }
    c->refusal = wm_reply_make(r);
    c->refusal_status = (unsigned)r->status;
    return c->refusal ? MHD_YES : MHD_NO;
}

static int64_t in_flight_everywhere(const struct wm_server *s)
{
    int64_t n = 0;

    for (unsigned i = 0; i < s->n_loops; i++)
        n += atomic_load_explicit(&s->loops[i]->n.in_flight, memory_order_relaxed);
    return n;
}

static bool overloaded(struct wm_loop *l, uint64_t length)
{
    if (in_flight_everywhere(l->server) >= l->server->o.max_in_flight)
        return true;
    /* What is declared is not charged, since it may never come; but what cannot fit need not start. */
    if (length <= WM_SWALLOW)
        return false;
    if (!wm_budget_take(l, length))
        return true;
    wm_budget_give(l, length);
    return false;
}

static enum MHD_Result shed(struct wm_conn *c, const struct wm_request_head *h)
{
    struct wm_buf body = WM_BUF_MAX(64 << 10);
    struct wm_reply r;
    enum MHD_Result ok;

    WM_BUMP(&c->loop->n.shed, 1);
    wm_reply_error_fill(c->loop, 503, 1, &body, &r);
    ok = refuse(c, h, &r);
    wm_buf_done(&body);
    return ok;
}

/* --- a request begins --- */

static struct wm_request *request_new(struct wm_conn *c, const struct wm_request_head *h, const char *method,
                                      const char *path)
{
    struct wm_loop *l = c->loop;
    size_t m = strlen(method) + 1, p = strlen(path) + 1, t = h->content_type.n;
    struct wm_request *q = malloc(sizeof *q + m + p + t + 1);

    if (!q)
        return NULL;
    *q = (struct wm_request){.loop = l, .conn = c, .mailbox = l->mailbox};
    atomic_fetch_add_explicit(&l->mailbox->refs, 1, memory_order_relaxed);
    memcpy(q->text, method, m);
    memcpy(q->text + m, path, p);
    if (t)
        memcpy(q->text + m + p, h->content_type.p, t);
    q->text[m + p + t] = '\0';
    q->view = (struct wm_request_view){
        .method = q->text,
        .path = q->text + m,
        .content_type = q->text + m + p,
        .timeout_ms = h->timeout_ms,
        .received_ns = l->now_ns,
        .loop = l->index,
    };
    return q;
}

static enum MHD_Result begin(struct wm_conn *c, struct MHD_Connection *m, const char *path,
                             const char *method)
{
    const struct wm_server *s = c->loop->server;
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(m, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct wm_request_head h = {0};
    struct wm_reply r = {0};

    WM_BUMP(&c->loop->n.requests, 1);
    wm_request_head_read(m, &h);
    c->is_head = strcmp(method, "HEAD") == 0;
    c->header_bytes = size ? size->header_size : 0;
    c->body_length = h.length;
    c->odd_length |= h.chunked;
    c->in_body = true;
    if (!wm_request_head_well_framed(&h)) {
        WM_BUMP(&c->loop->n.bad_http, 1);
        wm_reply_error(c, 400, 0);
        return MHD_NO;
    }
    if (h.length > s->o.max_body) {
        wm_reply_error(c, 413, 0);
        return MHD_NO;
    }
    if (s->o.wants && !s->o.wants(s->o.ctx, method, path, h.content_type.p ? h.content_type.p : "", &r))
        return refuse(c, &h, &r);
    if (overloaded(c->loop, h.length))
        return shed(c, &h);
    c->req = request_new(c, &h, method, path);
    if (!c->req)
        return MHD_NO;
    if (h.expects)
        wm_conn_look(c); /* MHD will say 100 Continue */
    return MHD_YES;
}

/* --- its body comes --- */

static bool make_room(struct wm_conn *c, size_t need)
{
    struct wm_loop *l = c->loop;
    struct wm_request *q = c->req;
    size_t had;

    if (need <= q->body.cap)
        return true;
    if (q->body.cap == 0 && l->spare_body.cap >= need) {
        q->body = l->spare_body;
        l->spare_body = (struct wm_body){0};
    } else if (!wm_body_room(&q->body, need,
                             c->body_length ? (size_t)c->body_length : l->server->o.max_body)) {
        return false;
    }
    had = q->charged;
    if (!wm_budget_take(l, q->body.cap - had))
        return false;
    q->charged = q->body.cap;
    return true;
}

static enum MHD_Result take(struct wm_conn *c, const char *p, size_t n)
{
    struct wm_request *q = c->req;
    size_t hint = c->body_length < WM_SWALLOW ? (size_t)c->body_length : 0;

    if (c->refusal)
        return MHD_YES;
    if (!q)
        return MHD_NO;
    if (n > c->loop->server->o.max_body - q->body.n) {
        wm_reply_error(c, 413, 0);
        return MHD_NO;
    }
    if (!make_room(c, q->body.n + (n > hint ? n : hint))) {
        WM_BUMP(&c->loop->n.shed, 1);
        wm_reply_error(c, 503, 1);
        return MHD_NO;
    }
    memcpy(q->body.p + q->body.n, p, n);
    q->body.n += n;
    return MHD_YES;
}

/* --- and is complete --- */

static enum MHD_Result deliver(struct wm_conn *c)
{
    struct wm_loop *l = c->loop;
    struct wm_request *q = c->req;

    c->in_body = false;
    if (c->refusal) {
        struct MHD_Response *answer = c->refusal;

        c->refusal = NULL;
        wm_reply_queue(c, c->refusal_status, answer);
        return c->last_words.n ? MHD_NO : MHD_YES;
    }
    if (!q || c->fd < 0)
        return MHD_NO;
    q->view.body = (struct wm_str){q->body.p ? q->body.p : "", q->body.n};
    WM_BUMP(&l->n.in_flight, 1);
    q->inline_ok = true;
    l->server->o.handle(l->server->o.ctx, q, &q->view);
    q->inline_ok = false;
    if (!q->answered) {
        c->waiting = true;
        MHD_suspend_connection(c->mhd);
        return MHD_YES;
    }
    WM_BUMP(&l->n.in_flight, -1);
    wm_reply_queue(c, q->status, q->answer);
    wm_request_done(c);
    return c->last_words.n ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *m, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *n, void **state)
{
    struct wm_loop *l = cls;
    struct wm_conn *c = *state;
    size_t got = *n;

    (void)version;
    l->progress = true;
    if (!c) {
        c = MHD_get_connection_info(m, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        *state = c;
        c->seen_ms = l->now_ms;
        return begin(c, m, path, method);
    }
    c->seen_ms = l->now_ms;
    if (got == 0)
        return deliver(c);
    *n = 0;
    if (c->in.n)
        wm_conn_touch(c); /* the pipe has room again */
    return take(c, upload, got);
}

static void on_completed(void *cls, struct MHD_Connection *m, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct wm_loop *l = cls;
    struct wm_conn *c = *state;

    (void)m;
    l->progress = true;
    if (!c)
        return;
    c->replying = c->in_body = false;
    if (c->refusal) {
        MHD_destroy_response(c->refusal);
        c->refusal = NULL;
    }
    if (c->req && !c->waiting)
        wm_request_done(c);
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        c->n_requests++;
        c->used += c->header_bytes + c->body_length;
        c->dirty = false;
    }
    wm_conn_touch(c);
}

static void on_connection(void *cls, struct MHD_Connection *m, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct wm_loop *l = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = l->adding;
        l->adding->mhd = m;
    } else {
        l->progress = true;
        wm_conn_http_closed(*context);
    }
}

/* Paths are compared as they were sent: an escape that hides something is simply another path. */
static size_t no_unescaping(void *cls, struct MHD_Connection *m, char *z)
{
    (void)cls, (void)m;
    return strlen(z);
}

int wm_http_start(struct wm_loop *l, struct wm_error *err)
{
    static const unsigned flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;

    l->mhd = MHD_start_daemon(flags, 0, NULL, NULL, on_request, l, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                              l, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_UNESCAPE_CALLBACK,
                              no_unescaping, NULL, MHD_OPTION_CONNECTION_LIMIT,
                              (unsigned)l->server->o.max_connections + 16, /* ours counts */
                              MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)WM_HTTP_POOL,
                              MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    return l->mhd ? WM_OK : wm_fail_errno(err, WM_E_IO, NULL, "cannot start libmicrohttpd");
}

/* --- driving MHD --- */

bool wm_http_open(struct wm_conn *c)
{
    static const struct sockaddr nobody = {.sa_family = AF_UNIX};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    c->pipe = ends[0];
    c->http_gone = false;
    c->fed = c->used = 0;
    c->odd_length = false;
    c->loop->adding = c;
    if (MHD_add_connection(c->loop->mhd, ends[1], &nobody, sizeof nobody.sa_family) == MHD_YES)
        return true;
    wm_conn_drop_pipe(c);
    return false;
}

enum { ROUNDS = 8, EMPTY_RUNS = 4, STUCK_MS = 100 };

/* MHD asks again and again to be run when the line before a chunk is longer than its buffer: it can neither
 * read on nor give up, and does not say for whom.  We hang up for it: on whoever is in the middle of chunks
 * and has not got ahead all the while.  API servers never send chunks. */
static void end_the_stuck(struct wm_loop *l)
{
    struct wm_link *at = l->phases[WM_PHASE_BODY].next;

    while (at != &l->phases[WM_PHASE_BODY]) {
        struct wm_conn *c = WM_OWNER(at, struct wm_conn, timer);

        at = at->next;
        if (c->odd_length && l->now_ms - c->seen_ms >= STUCK_MS && !c->last_words.n) {
            WM_BUMP(&l->n.bad_http, 1);
            wm_reply_error(c, 400, 0);
        }
    }
}

void wm_http_run(struct wm_loop *l)
{
    MHD_UNSIGNED_LONG_LONG left = 1;
    bool again;
    int rounds = 0;

    do {
        l->http_due = l->progress = false;
        MHD_run(l->mhd);
        again = MHD_get_timeout(l->mhd, &left) == MHD_YES && left == 0;
        l->empty_runs = again && !l->progress ? l->empty_runs + 1 : 0;
    } while (again && ++rounds < ROUNDS && l->empty_runs < EMPTY_RUNS);
    l->http_due |= again;
    if (!again)
        l->again_since_ms = 0;
    else if (!l->again_since_ms)
        l->again_since_ms = l->now_ms;
    else if (l->now_ms - l->again_since_ms >= STUCK_MS)
        end_the_stuck(l);
}
