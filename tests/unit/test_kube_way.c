/* The way to an API server: names that are not found, proxies of the environment, handshakes. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault_server.h"
#include "lib/kube/internal.h"
#include "pki.h"
#include "unit.h"

enum { FOR_EVER_MS = 300000 }; /* a request's own limit, where another must come first */

/* --- a client of a server --- */

static struct wm_kube *client_with(struct wm_kube_access *a, int connect_ms)
{
    struct wm_kube_tunables t = wm_kube_default_tunables;
    struct wm_kube *k = NULL;

    t.connect_ms = connect_ms;
    assert_int_equal(wm_kube_new_tuned(a, NULL, &t, &k, NULL), WM_OK);
    return k;
}

static struct wm_kube *client_of(const char *host, int port, bool insecure)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(256);

    wm_buf_printf(&url, "https://%s:%d", host, port);
    struct wm_kube_access a = {.server = wm_buf_take(&url), .insecure = insecure};

    return client_with(&a, 10000);
}

static int get(struct wm_kube *k, struct wm_error *err)
{
    struct wm_kube_request r = {.method = "GET", .path = "/x", .timeout_ms = FOR_EVER_MS, .once = true};

    return wm_kube_call(k, &r, NULL, NULL, err);
}

/* --- names --- */

static const char HANGS[] = "hangs.example";
static sem_t asked, released;

/* Before the C library's: for one name the resolver says nothing until it is released. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (name && strcmp(name, HANGS) == 0) {
        sem_post(&asked);
        while (sem_wait(&released) != 0)
            ;
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, ret);
}

static void on_reply(void *ctx, const struct wm_kube_reply *reply)
{
    *(enum wm_code *)ctx = reply->error.code;
}

static void a_cluster_is_let_go_while_its_name_is_looked_up(void **state)
{
    struct wm_kube *k = client_of(HANGS, 6443, true);
    struct wm_kube_request r = {.method = "GET", .path = "/x", .timeout_ms = FOR_EVER_MS};
    enum wm_code code = WM_OK;

    (void)state;
    sem_init(&asked, 0, 0);
    sem_init(&released, 0, 0);
    assert_int_equal(wm_kube_send(k, &r, on_reply, &code, NULL), WM_OK);
    sem_wait(&asked);
    /* if this waited for the resolver, it would wait for ever */
    wm_kube_free(k);
    assert_int_equal(code, WM_E_IO);
    sem_post(&released);
}

static void a_name_that_is_not_found_in_time_is_given_up(void **state)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(256);
    struct wm_error err = {0};

    (void)state;
    sem_init(&asked, 0, 0);
    sem_init(&released, 0, 0);
    wm_buf_printf(&url, "https://%s:6443", HANGS);
    struct wm_kube_access a = {.server = wm_buf_take(&url)};
    struct wm_kube *k = client_with(&a, 200);

    assert_int_equal(get(k, &err), WM_E_TIMEOUT);
    assert_non_null(strstr(err.msg, HANGS));
    wm_kube_free(k);
    sem_post(&released);
}

/* --- handshakes --- */

static void a_handshake_that_is_not_answered_ends_with_the_connecting(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(256);
    struct wm_error err = {0};
    /* the kernel connects; nobody will ever read */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    getsockname(fd, (struct sockaddr *)&at, &n);
    wm_buf_printf(&url, "https://127.0.0.1:%d", ntohs(at.sin_port));
    struct wm_kube_access a = {.server = wm_buf_take(&url), .insecure = true};
    struct wm_kube *k = client_with(&a, 300);

    assert_int_equal(get(k, &err), WM_E_TIMEOUT);
    wm_kube_free(k);
    close(fd);
}

static void a_new_connection_goes_on_with_the_old_ones_session(void **state)
{
    struct pki_pair cert = pki_make("server", "IP:127.0.0.1", NULL);
    struct fault_tls tls = {cert.cert, cert.key, NULL};
    struct fault_server *s = fault_server_start(&(struct fault){.body = {"{}"}, .times = -1}, 1, &tls);
    struct wm_kube *k = client_of("127.0.0.1", fault_server_port(s), true);

    (void)state;
    assert_int_equal(get(k, NULL), WM_OK);
    assert_int_equal(fault_server_resumed(s), 0);
    fault_server_down(s);
    fault_server_up(s);
    assert_int_equal(get(k, NULL), WM_OK);
    assert_int_equal(fault_server_connections(s), 2);
    assert_int_equal(fault_server_resumed(s), 1);
    wm_kube_free(k);
    fault_server_stop(s);
    pki_done(&cert);
}

/* --- proxies of the environment --- */

/* The server listens at 0.0.0.0, which is this machine and not called so: the proxy rules hold for it. */
static const struct proxy_row {
    const char *name, *no_proxy, *server_name;
    bool by_proxy;
} proxy_rows[] = {
    {"HTTPS_PROXY", NULL, NULL, true},
    {"NO_PROXY names the host", "elsewhere,0.0.0.0", NULL, false},
    {"NO_PROXY has its network", "10.0.0.0/8, 0.0.0.0/16", NULL, false},
    {"NO_PROXY has other networks", "10.0.0.0/8,0.1.0.0/16", NULL, true},
    {"NO_PROXY is everything", "*", NULL, false},
    {"the network counts, not the name in the certificate", "0.0.0.0/16", "api.example", false},
    {"the name in the certificate is no host", "api.example", "api.example", true},
};

static void check_proxy(void **state)
{
    const struct proxy_row *r = *state;
    struct pki_pair cert = pki_make("server", "IP:127.0.0.1", NULL);
    struct fault_tls tls = {cert.cert, cert.key, NULL};
    struct fault_server *s = fault_server_start(&(struct fault){.body = {"{}"}, .times = -1}, 1, &tls);
    struct fault_server *proxy = fault_server_start(&(struct fault){.status = 503, .times = -1}, 1, NULL);
    char url[64], asked_for[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d", fault_server_port(proxy));
    snprintf(asked_for, sizeof asked_for, "CONNECT 0.0.0.0:%d HTTP/1.1", fault_server_port(s));
    setenv("HTTPS_PROXY", url, 1);
    if (r->no_proxy)
        setenv("NO_PROXY", r->no_proxy, 1);
    snprintf(url, sizeof url, "https://0.0.0.0:%d", fault_server_port(s));
    struct wm_kube_access a = {.server = wm_xstrdup(url), .insecure = true};

    a.tls_server_name = r->server_name ? wm_xstrdup(r->server_name) : NULL;
    struct wm_kube *k = client_with(&a, 10000);

    assert_int_equal(get(k, NULL), r->by_proxy ? WM_E_IO : WM_OK);
    assert_int_equal(fault_server_count(proxy, asked_for), r->by_proxy);
    assert_int_equal(fault_server_count(s, NULL), !r->by_proxy);
    wm_kube_free(k);
    unsetenv("HTTPS_PROXY");
    unsetenv("NO_PROXY");
    fault_server_stop(proxy);
    fault_server_stop(s);
    pki_done(&cert);
}

static const struct exception_row {
    const char *list, *host;
    bool covers;
} exception_rows[] = {
    {"", "api.example", false},
    {"api.example", "api.example", true},
    {"API.example", "api.EXAMPLE", true},
    {"example", "api.example", true},
    {".example", "api.example", true},
    {".example", "example", false},
    {"*.example", "api.example", true},
    {"ample", "api.example", false},
    {"a, ,b\tapi.example", "api.example", true},
    {",", "api.example", false},
    {"*", "[::1]", true},
    {"10.1.2.3", "10.1.2.3", true},
    {"10.1.2.3", "110.1.2.3", false},
    {"10.0.0.0/8", "10.255.0.1", true},
    {"10.0.0.0/8", "11.0.0.1", false},
    {"10.0.0.0/9", "10.127.0.1", true},
    {"10.0.0.0/9", "10.128.0.1", false},
    {"0.0.0.0/0", "8.8.8.8", true},
    {"0.0.0.0/0", "api.example", false},
    {"10.0.0.0/33", "10.0.0.0", false},
    {"10.0.0.0/", "10.0.0.0", false},
    {"10.0.0.0/x", "10.0.0.0", false},
    {"fd00::/8", "[fdff::1]", true},
    {"fd00::/8", "[fe00::1]", false},
    {"fd00::1", "[fd00:0::1]", true},
    {"0.0.0.0/0", "[fd00::1]", false},
};

static void check_exception(void **state)
{
    const struct exception_row *r = *state;

    if (wm_no_proxy_covers(r->list, r->host) != r->covers)
        fail_msg("'%s' and %s", r->list, r->host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_is_let_go_while_its_name_is_looked_up),
        cmocka_unit_test(a_name_that_is_not_found_in_time_is_given_up),
        cmocka_unit_test(a_handshake_that_is_not_answered_ends_with_the_connecting),
        cmocka_unit_test(a_new_connection_goes_on_with_the_old_ones_session),
    };

    return RUN_TABLE("NO_PROXY", exception_rows, check_exception) +
           RUN_TABLE("proxies of the environment", proxy_rows, check_proxy) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
