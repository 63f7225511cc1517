#include <openssl/err.h>

#include "webhook/server_impl.h"

/* --- OpenSSL's view of the socket: the chunk that was just read, and the wire buffer --- */

static int bio_read(BIO *b, char *to, int n)
{
    struct wm_conn *c = BIO_get_data(b);
    struct wm_loop *l = c->loop;
    size_t have = l->reading == c ? l->cipher_n - l->cipher_at : 0;

    BIO_clear_retry_flags(b);
    if (have == 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    if ((size_t)n > have)
        n = (int)have;
    memcpy(to, l->cipher + l->cipher_at, (size_t)n);
    l->cipher_at += (size_t)n;
    return n;
}

static int bio_write(BIO *b, const char *p, int n)
{
    struct wm_conn *c = BIO_get_data(b);
    struct wm_loop *l = c->loop;

    BIO_clear_retry_flags(b);
    if ((size_t)n > sizeof l->wire)
        return -1; /* no record is that long */
    if (l->wire_n + (size_t)n > sizeof l->wire)
        wm_pump_flush(c);
    memcpy(l->wire + l->wire_n, p, (size_t)n);
    l->wire_n += (size_t)n;
    return n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b, (void)num, (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "waymark");
    if (!method)
        return;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
}

/* One for the process, as OpenSSL wants it. */
static BIO_METHOD *bio_method(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_method);
    return method;
}

/* --- a connection's TLS --- */

bool wm_session_start(struct wm_conn *c)
{
    BIO *bio = BIO_new(bio_method());

    c->ssl = SSL_new(c->loop->ctx);
    if (!c->ssl || !bio) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_accept_state(c->ssl);
    return true;
}

static void handshake_failed(struct wm_conn *c)
{
    static const char plain[] =
        "HTTP/1.0 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
        "Content-Length: 31\r\n\r\nThis port speaks HTTPS (TLS).\r\n";
    unsigned long e = ERR_peek_last_error();

    WM_BUMP(&c->loop->n.handshake_failures, 1);
    c->mute = true;
    if (ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) == SSL_R_HTTP_REQUEST) {
        memcpy(c->loop->wire, plain, sizeof plain - 1);
        c->loop->wire_n = sizeof plain - 1;
    }
    wm_pump_flush(c);
    ERR_clear_error();
    wm_conn_goodbye(c);
}

/* True when the handshake is complete. */
bool wm_session_shake(struct wm_conn *c)
{
    ERR_clear_error();
    int r = SSL_do_handshake(c->ssl);

    if (r == 1) {
        wm_pump_flush(c);
        c->shaking = false;
        WM_BUMP(&c->loop->n.handshakes, 1);
        return true;
    }
    if (SSL_get_error(c->ssl, r) != SSL_ERROR_WANT_READ) {
        handshake_failed(c);
        return false;
    }
    wm_pump_flush(c);
    return false;
}

/* Decrypts all of the chunk into plain[]; returns how much that is. */
size_t wm_session_decrypt(struct wm_conn *c)
{
    struct wm_loop *l = c->loop;
    size_t n = 0;

    ERR_clear_error(); /* SSL_get_error looks at what others may have left */
    while (l->cipher_at < l->cipher_n && !c->eof && !c->broken) {
        int r = SSL_read(c->ssl, l->plain + n, (int)(sizeof l->plain - n));

        if (r > 0) {
            n += (size_t)r;
            continue;
        }
        int e = SSL_get_error(c->ssl, r);

        if (e == SSL_ERROR_ZERO_RETURN)
            c->eof = true;
        else if (e != SSL_ERROR_WANT_READ)
            c->broken = c->mute = true;
        else if (l->cipher_at < l->cipher_n && ++c->odd > WM_ODD_RECORDS)
            c->broken = true;
    }
    wm_pump_flush(c); /* answers to key updates, alerts */
    return n;
}

/* Encrypts into the wire buffer.  Always takes all; what TCP refuses is held, within limits. */
void wm_session_encrypt(struct wm_conn *c, const char *p, size_t n)
{
    if (n && SSL_write(c->ssl, p, (int)n) != (int)n)
        c->broken = c->mute = true;
    wm_pump_flush(c);
}

void wm_session_end(struct wm_conn *c)
{
    if (c->ssl && !c->shaking && !c->mute) {
        ERR_clear_error();
        SSL_shutdown(c->ssl);
        wm_pump_flush(c);
    }
    SSL_free(c->ssl);
    c->ssl = NULL;
}
