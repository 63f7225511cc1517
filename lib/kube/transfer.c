/* One exchange over libcurl: options, headers, the end.  A 401 is tried again once by itself when the
 * credentials can be renewed, so that nobody above has to know. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "head.h"
#include "internal.h"
#include "waymark/clock.h"

enum { MAX_ERROR_BODY = 64 << 10 };

struct wm_transfer {
    struct wm_kube *k;
    struct wm_transfer_spec spec;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    char errbuf[CURL_ERROR_SIZE];
    struct wm_head head;
    bool running, tried_again;
    uint64_t generation; /* of the credentials it went out with */
    struct wm_buf error_body;
    struct wm_error why; /* set when we stopped it ourselves */
    struct wm_timer later;
    struct wm_transfer *next, **link;
};

/* --- callbacks of libcurl --- */

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    static const int probes = 3, unanswered_ms = 30000;

    (void)ctx;
    (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    /* with keepalive on it also bounds an idle connection: a link that died is noticed after 30 s */
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
    return CURL_SOCKOPT_OK;
}

static bool is_success(const struct wm_transfer *t)
{
    return t->head.status >= 200 && t->head.status < 300;
}

/* The empty line behind the headers: a watch is known to be open here, perhaps long before its first event.
 */
static bool on_head_complete(struct wm_transfer *t)
{
    return !is_success(t) || !t->spec.on_head || t->spec.on_head(t->spec.ctx, t->head.content_type, &t->why);
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct wm_transfer *t = ctx;
    bool is_end = size * n > 0 && (p[0] == '\r' || p[0] == '\n');

    wm_head_line(&t->head, (struct wm_str){p, size * n});
    t->k->last_heard_ms = wm_mono_ms();
    return !is_end || t->head.status < 200 || on_head_complete(t) ? size * n : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct wm_transfer *t = ctx;
    struct wm_str bytes = {p, size * n};

    t->k->last_heard_ms = wm_mono_ms();
    if (!is_success(t)) {
        size_t room = t->error_body.max - t->error_body.n;

        wm_buf_add(&t->error_body, p, bytes.n < room ? bytes.n : room);
        return bytes.n;
    }
    return !t->spec.on_body || t->spec.on_body(t->spec.ctx, bytes, &t->why) ? bytes.n : 0;
}

/* --- options --- */

static void add_header(struct wm_transfer *t, const char *name, const char *value)
{
    wm_auto_buf struct wm_buf line = WM_BUF_MAX(WM_KUBE_MAX_FILE_BYTES + 64);

    wm_buf_printf(&line, "%s%s", name, value);
    t->headers = curl_slist_append(t->headers, line.p);
    explicit_bzero(line.p, line.n);
}

static void set_headers(struct wm_transfer *t, const struct wm_identity *id)
{
    const struct wm_transfer_spec *s = &t->spec;

    curl_slist_free_all(t->headers);
    t->headers = NULL;
    add_header(t, "Accept: ", s->accept ? s->accept : "application/json");
    if (s->body.p)
        add_header(t, "Content-Type: ", s->content_type ? s->content_type : "application/json");
    if (id->token)
        add_header(t, "Authorization: Bearer ", id->token);
    if (t->k->endpoint.host_header)
        add_header(t, t->k->endpoint.host_header, "");
    /* libcurl would wait a second for a 100 that API servers do not send */
    add_header(t, "Expect:", "");
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    if (!id->token && id->username) {
        curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(t->easy, CURLOPT_USERNAME, id->username);
        curl_easy_setopt(t->easy, CURLOPT_PASSWORD, id->password ? id->password : "");
    }
}

static void set_blob(CURL *easy, CURLoption option, struct wm_str pem)
{
    struct curl_blob blob = {(void *)(uintptr_t)pem.p, pem.n, CURL_BLOB_COPY};

    if (pem.p)
        curl_easy_setopt(easy, option, &blob);
}

static void set_tls(struct wm_transfer *t, const struct wm_identity *id)
{
    CURL *e = t->easy;
    bool verify = !t->k->access.insecure;

    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
    if (id->ca.p) {
        /* else the system's directory of authorities would count beside the cluster's own */
        curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
        set_blob(e, CURLOPT_CAINFO_BLOB, id->ca);
    }
    set_blob(e, CURLOPT_SSLCERT_BLOB, id->cert);
    set_blob(e, CURLOPT_SSLKEY_BLOB, id->key);
}

static void set_network(struct wm_transfer *t)
{
    const struct wm_kube *k = t->k;
    CURL *e = t->easy;

    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    /* whoever lets a cluster go does not wait for a resolver that says nothing */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    /* HTTP/2 would hang all watches of a cluster on one connection, at half the events a second; and libcurl
     * sends pings, but does not judge by their answers */
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)k->t.connect_ms);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, t->spec.fresh ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 15L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 5L);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, t->spec.buffer_bytes ? t->spec.buffer_bytes : 16L << 10);
    curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(e, CURLOPT_SHARE, k->share);
    if (k->endpoint.connect_to) {
        t->connect_to = curl_slist_append(NULL, k->endpoint.connect_to);
        curl_easy_setopt(e, CURLOPT_CONNECT_TO, t->connect_to);
    }
    if (k->access.proxy_url) {
        /* as Go has it: NO_PROXY speaks of the environment's proxy, not of this one */
        curl_easy_setopt(e, CURLOPT_PROXY, k->access.proxy_url);
        curl_easy_setopt(e, CURLOPT_NOPROXY, "");
    } else {
        curl_easy_setopt(e, CURLOPT_NOPROXY, k->endpoint.is_direct ? "*" : "");
    }
}

static void set_request(struct wm_transfer *t)
{
    const struct wm_transfer_spec *s = &t->spec;
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(64 << 10);
    CURL *e = t->easy;

    wm_buf_puts(&url, t->k->endpoint.base);
    wm_buf_puts(&url, s->path);
    curl_easy_setopt(e, CURLOPT_URL, url.bad ? "" : url.p);
    /* a path is sent as it is given: "." segments are the server's to refuse */
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, t->k->user_agent);
    if (s->body.p) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.n);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, s->body.p);
    }
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, s->method);
}

static void set_callbacks(struct wm_transfer *t)
{
    CURL *e = t->easy;

    curl_easy_setopt(e, CURLOPT_PRIVATE, t);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->errbuf);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
}

/* --- life --- */

static void transfer_free(struct wm_transfer *t)
{
    wm_timer_stop(t->k, &t->later);
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    if (t->easy) {
        if (t->running)
            curl_multi_remove_handle(t->k->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    wm_head_done(&t->head);
    wm_buf_done(&t->error_body);
    free(t);
}

static void end(struct wm_transfer *t, struct wm_answer *a)
{
    struct wm_transfer_spec spec = t->spec;
    struct wm_buf body = t->error_body;

    /* the transfer is gone first, so that its owner may start the next one */
    t->error_body = WM_BUF_MAX(MAX_ERROR_BODY);
    transfer_free(t);
    a->body = wm_buf_text(&body);
    spec.on_done(spec.ctx, a);
    wm_buf_done(&body);
}

static void end_without_answer(struct wm_transfer *t, const struct wm_error *why)
{
    struct wm_answer a = {.retry_after_s = -1, .error = *why, .reason = ""};

    end(t, &a);
}

/* Sends it off, when the credentials are at hand. */
static void go(void *ctx)
{
    struct wm_transfer *t = ctx;
    struct wm_identity id;
    struct wm_error why = {0};
    int rc = wm_creds_get(t->k->creds, &id, &why);

    if (rc == WM_E_BUSY)
        return; /* wm_transfers_wake comes back to it */
    if (rc < 0) {
        end_without_answer(t, &why);
        return;
    }
    t->generation = id.generation;
    set_headers(t, &id);
    set_tls(t, &id);
    t->running = curl_multi_add_handle(t->k->multi, t->easy) == CURLM_OK;
    if (!t->running) {
        wm_fail(&why, WM_E_NOMEM, NULL, "libcurl did not take the request");
        end_without_answer(t, &why);
    }
}

struct wm_transfer *wm_transfer_start(struct wm_kube *k, const struct wm_transfer_spec *spec)
{
    struct wm_transfer *t = wm_xcalloc(1, sizeof *t);

    t->k = k;
    t->spec = *spec;
    t->error_body = WM_BUF_MAX(MAX_ERROR_BODY);
    t->later = (struct wm_timer){.fire = go, .ctx = t};
    t->link = &k->transfers;
    t->next = k->transfers;
    if (t->next)
        t->next->link = &t->next;
    k->transfers = t;
    wm_head_init(&t->head, k);
    t->easy = curl_easy_init();
    if (!t->easy)
        abort();
    set_network(t);
    set_request(t);
    set_callbacks(t);
    /* never from inside this call: the caller has not seen the transfer yet */
    wm_timer_set(k, &t->later, 0);
    return t;
}

struct wm_transfer *wm_transfer_cancel(struct wm_transfer *t)
{
    if (t)
        transfer_free(t);
    return NULL;
}

static bool waits_for_credentials(const struct wm_transfer *t)
{
    return !t->running && !t->later.armed;
}

void wm_transfers_wake(struct wm_kube *k, const struct wm_error *why)
{
    struct wm_transfer *t = k->transfers, *next;

    /* the end of one may cancel another: look anew from the start after each */
    while (t) {
        next = t->next;
        if (!waits_for_credentials(t)) {
            t = next;
            continue;
        }
        if (!why) {
            wm_timer_set(k, &t->later, 0);
            t = next;
        } else {
            end_without_answer(t, why);
            t = k->transfers;
        }
    }
}

/* --- the end --- */

static int transport_error(struct wm_transfer *t, CURLcode result, struct wm_error *err)
{
    char path[96];
    enum wm_code code = result == CURLE_OPERATION_TIMEDOUT ? WM_E_TIMEOUT : WM_E_IO;

    wm_path_only(t->spec.path, path);
    wm_fail(err, code, path, "%s: %s", t->k->access.server,
            *t->errbuf ? t->errbuf : curl_easy_strerror(result));
    err->sys = (int)result;
    return code;
}

static bool is_certificate_trouble(CURLcode result)
{
    return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CERTPROBLEM ||
           result == CURLE_SSL_CONNECT_ERROR || result == CURLE_SSL_CACERT_BADFILE;
}

/* Refused, reset, closed without a word: cheap for both sides, unlike silence or a name that is not found. */
static bool is_refusal(const struct wm_transfer *t, CURLcode result)
{
    long sys = 0;

    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &sys);
    return (result == CURLE_COULDNT_CONNECT && sys == ECONNREFUSED) || result == CURLE_RECV_ERROR ||
           result == CURLE_SEND_ERROR || result == CURLE_GOT_NOTHING || result == CURLE_SSL_CONNECT_ERROR;
}

/* Whose queue was full, for who has to enlarge it. */
static void note_flow_schema(const struct wm_head *h, struct wm_error *err)
{
    size_t n = strlen(err->msg);

    if (h->status == 429 && *h->flow_schema)
        snprintf(err->msg + n, sizeof err->msg - n, " (flow schema %s)", h->flow_schema);
}

static void fill_answer(struct wm_transfer *t, CURLcode result, struct wm_answer *a, char reason[static 64])
{
    a->status = t->head.status;
    a->retry_after_s = wm_head_retry_after(&t->head);
    a->reason = reason;
    if (t->why.code) {
        a->error = t->why;
        wm_fail_in(&a->error, "%s", t->k->access.server);
    } else if (a->status && !is_success(t)) {
        wm_status_error(a->status, wm_buf_text(&t->error_body), t->spec.path, reason, &a->error);
        wm_fail_in(&a->error, "%s", t->k->access.server);
        note_flow_schema(&t->head, &a->error);
    } else if (result != CURLE_OK) {
        transport_error(t, result, &a->error);
        a->refused = is_refusal(t, result);
        if (is_certificate_trouble(result))
            wm_creds_suspect(t->k->creds);
    }
}

static bool try_again(struct wm_transfer *t)
{
    if (t->head.status != 401 || t->tried_again || !wm_creds_refused(t->k->creds, t->generation))
        return false;
    t->tried_again = true;
    wm_buf_clear(&t->error_body);
    wm_head_done(&t->head);
    wm_head_init(&t->head, t->k);
    t->errbuf[0] = '\0';
    wm_timer_set(t->k, &t->later, 0);
    return true;
}

void wm_transfer_finished(CURL *easy, CURLcode result)
{
    struct wm_transfer *t = NULL;
    struct wm_answer a = {0};
    char reason[64] = "";

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    assert(t && t->running);
    curl_multi_remove_handle(t->k->multi, easy);
    t->running = false;
    if (try_again(t))
        return;
    fill_answer(t, result, &a, reason);
    end(t, &a);
}
