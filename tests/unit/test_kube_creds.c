/* Who the server is and who we are: certificates, tokens, plugins, and what of them nobody may see. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kube_fixture.h"
#include "pki.h"
#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/log.h"

/* --- TLS --- */

static struct wm_str copy_of(const char *pem)
{
    return (struct wm_str){wm_xstrdup(pem), strlen(pem)};
}

struct pki {
    struct pki_pair ca, other_ca, server, client;
};

static struct pki pki_for(const char *sans)
{
    struct pki k = {.ca = pki_make("test ca", NULL, NULL), .other_ca = pki_make("other ca", NULL, NULL)};

    k.server = pki_make("server", sans, &k.ca);
    k.client = pki_make("client", NULL, &k.ca);
    return k;
}

static void pki_free(struct pki *k)
{
    pki_done(&k->ca);
    pki_done(&k->other_ca);
    pki_done(&k->server);
    pki_done(&k->client);
}

static const struct tls_row {
    const char *name, *sans, *server_name;
    bool other_ca, no_ca, insecure, server_wants_client, client_pair, ok;
} tls_rows[] = {
    {"known authority", .sans = "IP:127.0.0.1", .ok = true},
    {"unknown authority", .sans = "IP:127.0.0.1", .other_ca = true},
    {"the system's authorities do not know it", .sans = "IP:127.0.0.1", .no_ca = true},
    {"wrong name", .sans = "DNS:api.example"},
    {"another name by tls-server-name", .sans = "DNS:api.example", .server_name = "api.example", .ok = true},
    {"tls-server-name that is wrong", .sans = "IP:127.0.0.1", .server_name = "api.example"},
    {"not verified", .sans = "DNS:x", .no_ca = true, .insecure = true, .ok = true},
    {"client certificate", .sans = "IP:127.0.0.1", .server_wants_client = true, .client_pair = true,
     .ok = true},
    {"client certificate missing", .sans = "IP:127.0.0.1", .server_wants_client = true},
};

static void check_tls(void **state)
{
    const struct tls_row *r = *state;
    struct pki k = pki_for(r->sans);
    struct fault_tls tls = {k.server.cert, k.server.key, r->server_wants_client ? k.ca.cert : NULL};
    struct fault_server *s = fault_server_start(&(struct fault){.times = -1}, 1, &tls);
    struct wm_kube_access a = {.server = url_of(s, "https", "127.0.0.1"), .insecure = r->insecure};
    struct wm_error err = {0};
    char host[64];

    if (!r->no_ca)
        a.ca_pem = copy_of(r->other_ca ? k.other_ca.cert : k.ca.cert);
    if (r->client_pair) {
        a.cert_pem = copy_of(k.client.cert);
        a.key_pem = copy_of(k.client.key);
    }
    a.tls_server_name = r->server_name ? wm_xstrdup(r->server_name) : NULL;
    struct pair p = open_with(s, a, tuned());
    int rc = get(&p, "/x", NULL, NULL, &err);

    if (r->ok) {
        assert_string_equal(err.msg, "");
        assert_int_equal(get(&p, "/y", NULL, NULL, &err), WM_OK);
        assert_int_equal(fault_server_connections(s), 1);
        snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%d\r\n", fault_server_port(s));
        assert_int_equal(fault_server_count(s, host), 2);
    } else {
        assert_int_equal(rc, WM_E_IO);
        assert_non_null(strstr(err.msg, "https://127.0.0.1:"));
        assert_int_equal(fault_server_count(s, NULL), 0);
    }
    close_pair(&p);
    pki_free(&k);
}

/* --- files that change --- */

static char dir[] = "/tmp/waymark-kube-XXXXXX";

static char *in_dir(const char *name, const char *text)
{
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(4096), tmp = WM_BUF_MAX(4096);

    wm_buf_printf(&path, "%s/%s", dir, name);
    wm_buf_printf(&tmp, "%s.new", path.p);
    FILE *f = fopen(tmp.p, "w");

    assert_non_null(f);
    fputs(text, f);
    fchmod(fileno(f), 0700);
    fclose(f);
    assert_int_equal(rename(tmp.p, path.p), 0);
    return wm_buf_take(&path);
}

static void put(const char *name, const char *text)
{
    free(in_dir(name, text));
}

static void an_authority_that_was_replaced_is_read_again_at_once(void **state)
{
    struct pki k = pki_for("IP:127.0.0.1");
    struct fault_tls tls = {k.server.cert, k.server.key, k.ca.cert};
    struct fault_server *s = fault_server_start(&(struct fault){.times = -1}, 1, &tls);
    struct wm_kube_access a = {.server = url_of(s, "https", "127.0.0.1"),
                               .ca_file = in_dir("ca", k.other_ca.cert),
                               .cert_file = in_dir("cert", k.client.cert),
                               .key_file = in_dir("key", k.client.key)};
    struct pair p = open_with(s, a, tuned());

    (void)state;
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_E_IO);
    put("ca", k.ca.cert);
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    /* a rotation that is half done does not hurt who is connected, and neither does a file that is gone */
    put("cert", "");
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    close_pair(&p);
    pki_free(&k);
}

static void a_new_client_certificate_makes_a_new_connection(void **state)
{
    struct pki k = pki_for("IP:127.0.0.1");
    struct fault_tls tls = {k.server.cert, k.server.key, k.ca.cert};
    struct fault_server *s = fault_server_start(&(struct fault){.times = -1}, 1, &tls);
    struct wm_kube_access a = {.server = url_of(s, "https", "127.0.0.1"),
                               .ca_file = in_dir("ca", k.ca.cert),
                               .cert_file = in_dir("cert", k.client.cert),
                               .key_file = in_dir("key", k.client.key)};
    struct wm_kube_tunables t = tuned();
    struct pki_pair next = pki_make("client", NULL, &k.ca);

    (void)state;
    t.cert_reread_ms = 50;
    struct pair p = open_with(s, a, t);

    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(fault_server_connections(s), 1);
    put("cert", next.cert);
    put("key", next.key);
    usleep(60000);
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(fault_server_connections(s), 2);
    close_pair(&p);
    pki_done(&next);
    pki_free(&k);
}

static struct pair open_token_file(const char *token, int reread_ms, const struct fault *rows, size_t n)
{
    struct wm_kube_tunables t = tuned();
    struct wm_kube_access a = {.token_file = in_dir("token", token)};

    t.token_reread_ms = reread_ms;
    return open_with(fault_server_start(rows, n, NULL), a, t);
}

static void a_token_file_is_read_again_after_its_time(void **state)
{
    static const struct fault any = {.times = -1};
    struct pair p = open_token_file(" t1\n", 100, &any, 1);

    (void)state;
    assert_int_equal(get(&p, "/1", NULL, NULL, NULL), WM_OK);
    put("token", "t2\r\n");
    assert_int_equal(get(&p, "/2", NULL, NULL, NULL), WM_OK);
    usleep(110000);
    assert_int_equal(get(&p, "/3", NULL, NULL, NULL), WM_OK);
    /* what cannot be used does not replace what can */
    put("token", " \n");
    usleep(110000);
    assert_int_equal(get(&p, "/4", NULL, NULL, NULL), WM_OK);
    wm_auto_free char *path = in_dir("token", "");

    unlink(path);
    usleep(110000);
    assert_int_equal(get(&p, "/5", NULL, NULL, NULL), WM_OK);
    assert_int_equal(fault_server_count(p.server, "\r\nAuthorization: Bearer t1\r\n"), 2);
    assert_int_equal(fault_server_count(p.server, "\r\nAuthorization: Bearer t2\r\n"), 3);
    close_pair(&p);
}

static void a_401_renews_the_token_and_tries_once_more(void **state)
{
    static const struct fault rows[] = {
        {.match = "Bearer new", .body = {"{}"}, .times = -1},
        {.status = 401, .body = {"{\n \"kind\": \"Status\"\n}\n"}, .times = -1}};
    struct pair p = open_token_file("old", 100000, rows, 2);
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(100);
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(get(&p, "/1", NULL, NULL, &err), WM_E_AUTH);
    assert_int_equal(fault_server_count(p.server, "GET /1"), 2);
    put("token", "new");
    assert_int_equal(get(&p, "/2", &body, NULL, &err), WM_OK);
    assert_string_equal(body.p, "{}");
    assert_int_equal(fault_server_count(p.server, "GET /2"), 2);
    /* and it stays in use */
    assert_int_equal(get(&p, "/3", NULL, NULL, &err), WM_OK);
    assert_int_equal(fault_server_count(p.server, "GET /3"), 1);
    close_pair(&p);
}

static void a_token_file_that_is_no_use_is_an_error(void **state)
{
    static const char *const texts[] = {"", "\n", "a b", "a\r\nX-Evil: 1"};
    static const struct fault any = {.times = -1};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pair p = open_token_file(texts[i], 1000, &any, 1);
        struct wm_error err = {0};

        assert_int_equal(get(&p, "/x", NULL, NULL, &err), WM_E_AUTH);
        assert_int_equal(fault_server_count(p.server, NULL), 0);
        put("token", "good");
        assert_int_equal(get(&p, "/x", NULL, NULL, &err), i < 2 ? WM_OK : WM_E_AUTH);
        close_pair(&p);
    }
}

static void a_static_token_is_not_tried_twice(void **state)
{
    struct wm_kube_access a = {.token = wm_xstrdup("fixed")};
    struct pair p =
        open_with(fault_server_start(&(struct fault){.status = 401, .times = -1}, 1, NULL), a, tuned());

    (void)state;
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_E_AUTH);
    assert_int_equal(fault_server_count(p.server, "\r\nAuthorization: Bearer fixed\r\n"), 1);
    close_pair(&p);
}

static void name_and_password(void **state)
{
    struct wm_kube_access a = {.username = wm_xstrdup("me"), .password = wm_xstrdup("pass")};
    struct pair p = open_with(fault_server_start(&(struct fault){.times = -1}, 1, NULL), a, tuned());

    (void)state;
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(fault_server_count(p.server, "\r\nAuthorization: Basic bWU6cGFzcw==\r\n"), 1);
    close_pair(&p);
}

/* --- credential plugins --- */

#define V1 "client.authentication.k8s.io/v1"
#define CREDENTIAL(status) "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{" status "}}"

static const struct exec_row {
    const char *name, *text, *token; /* token NULL = refused */
    int64_t expires_s;
} exec_rows[] = {
    {"token", CREDENTIAL("\"token\":\"t\""), "t", 0},
    {"token that ends", CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"2026-11-21T07:18:00Z\""), "t",
     1795245480},
    {"with a fraction and an offset",
     CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"2026-11-21T09:18:00.123+02:00\""), "t",
     1795245480},
    {"certificate", CREDENTIAL("\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\""), "", 0},
    {"certificate without key", CREDENTIAL("\"token\":\"t\",\"clientCertificateData\":\"c\""), NULL, 0},
    {"nothing in it", CREDENTIAL(""), NULL, 0},
    {"a date that is none", CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"tomorrow\""), NULL, 0},
    {"another kind", "{\"apiVersion\":\"" V1 "\",\"kind\":\"Status\",\"status\":{\"token\":\"t\"}}", NULL, 0},
    {"another version",
     "{\"apiVersion\":\"" V1 "beta1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}", NULL, 0},
    {"no JSON", "token: t", NULL, 0},
    {"nothing", "", NULL, 0},
};

static void check_exec(void **state)
{
    const struct exec_row *r = *state;
    struct wm_exec_result got = {0};
    struct wm_error err = {0};
    int rc = wm_exec_result_parse(wm_str_of(r->text), V1, &got, &err);

    assert_int_equal(rc, r->token ? WM_OK : WM_E_AUTH);
    if (!r->token)
        return;
    assert_string_equal(got.token ? got.token : "", r->token);
    assert_int_equal(got.expires_s, r->expires_s);
    wm_exec_result_done(&got);
}

/* A plugin that counts its runs in the file "runs" and does `script`. */
static struct wm_kube_access plugin(const char *script)
{
    struct wm_kube_access a = {.exec_argv = wm_xcalloc(3, sizeof(char *)),
                               .exec_env = wm_xcalloc(3, sizeof(char *))};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(8192), env = WM_BUF_MAX(4096);

    wm_buf_printf(&text, "#!/bin/sh\necho run >> \"$DIR/runs\"\n%s\n", script);
    wm_buf_printf(&env, "DIR=%s", dir);
    a.exec_argv[0] = in_dir("plugin", text.p);
    a.exec_argv[1] = wm_xstrdup("an argument; $(not a command)");
    a.exec_env[0] = wm_buf_take(&env);
    a.exec_env[1] = wm_xstrdup("PATH=/usr/bin:/bin");
    a.exec_api_version = wm_xstrdup(V1);
    put("runs", "");
    return a;
}

static int runs(void)
{
    wm_auto_buf struct wm_buf name = WM_BUF_MAX(4096);
    int n = 0, c;

    wm_buf_printf(&name, "%s/runs", dir);
    FILE *f = fopen(name.p, "r");

    while ((c = fgetc(f)) != EOF)
        n += c == '\n';
    fclose(f);
    return n;
}

static void a_plugin_runs_once_for_all_who_wait(void **state)
{
    struct wm_kube_access a = plugin("sleep 0.2; echo '" CREDENTIAL("\"token\":\"from-plugin\"") "'");
    struct pair p = open_with(fault_server_start(&(struct fault){.times = -1}, 1, NULL), a, tuned());
    struct wm_kube_request r = {.method = "GET", .path = "/x"};
    _Atomic int codes[16] = {0};

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(wm_kube_send(p.kube, &r, count_codes, codes, NULL), WM_OK);
    assert_true(fault_server_wait(p.server, "\r\nAuthorization: Bearer from-plugin\r\n", 5, 3000));
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(runs(), 1);
    close_pair(&p);
}

static void a_plugin_is_told_and_given_what_belongs_to_it(void **state)
{
    struct wm_kube_access a =
        plugin("printf '%s' \"$1\" > $DIR/arg; printf '%s' \"$KUBERNETES_EXEC_INFO\" > $DIR/info\n"
               "ls /proc/self/fd | wc -l > $DIR/fds; echo '" CREDENTIAL("\"token\":\"t\"") "'");
    struct pair p;
    wm_auto_buf struct wm_buf arg = WM_BUF_MAX(4096), info = WM_BUF_MAX(4096), fds = WM_BUF_MAX(4096),
                              path = WM_BUF_MAX(4096);
    static const char *const wanted[] = {"/kind", "/spec/interactive", "/spec/cluster/server",
                                         "/spec/cluster/certificate-authority-data"};
    struct wm_json_span s[4];

    (void)state;
    a.exec_cluster_info = true;
    a.ca_pem = copy_of("abc");
    p = open_with(fault_server_start(&(struct fault){.times = -1}, 1, NULL), a, tuned());
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    wm_buf_printf(&path, "%s/arg", dir);
    assert_int_equal(wm_file_read(path.p, &arg, NULL), WM_OK);
    assert_string_equal(arg.p, "an argument; $(not a command)");
    wm_buf_clear(&path);
    wm_buf_printf(&path, "%s/info", dir);
    assert_int_equal(wm_file_read(path.p, &info, NULL), WM_OK);
    assert_int_equal(wm_json_locate(wm_buf_text(&info), 4, wanted, s, NULL), WM_OK);
    assert_true(wm_json_span_is(s[0], "ExecCredential"));
    assert_int_equal(s[1].kind, WM_JSON_FALSE);
    assert_true(wm_json_span_is(s[2], wm_kube_server(p.kube)));
    assert_true(wm_json_span_is(s[3], "YWJj"));
    wm_buf_clear(&path);
    wm_buf_printf(&path, "%s/fds", dir);
    assert_int_equal(wm_file_read(path.p, &fds, NULL), WM_OK);
    /* in, out (the pipe to wc), error, and the directory that ls reads */
    assert_int_equal(atoi(fds.p), 4);
    close_pair(&p);
}

static void a_plugin_runs_again_when_its_word_is_worn_out(void **state)
{
    /* always expired; then refused */
    struct wm_kube_access a =
        plugin("echo '" CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"") "'");
    struct pair p = open_with(fault_server_start(&(struct fault){.times = -1}, 1, NULL), a, tuned());

    (void)state;
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(runs(), 1);
    usleep(1050000);
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(runs(), 2);
    close_pair(&p);
    a = plugin("echo '" CREDENTIAL("\"token\":\"t\"") "'");
    p = open_with(fault_server_start(&(struct fault){.status = 401, .times = -1}, 1, NULL), a, tuned());
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_E_AUTH);
    assert_int_equal(runs(), 2);
    assert_int_equal(fault_server_count(p.server, NULL), 2);
    close_pair(&p);
}

static const struct plugin_row {
    const char *name, *script, *says;
} plugins[] = {
    {"fails", "echo hunter2 >&2; exit 3", "exited with 3"},
    {"is killed", "kill -9 $$", "signal 9"},
    {"prints no JSON", "echo hunter2", "not JSON"},
    {"prints without end", "exec cat /dev/zero", "more than"},
    {"does not end", "sleep 30", "took over"},
    {"closes its output and does not end", "exec >&-; sleep 30", "took over"},
};

static void check_plugin(void **state)
{
    const struct plugin_row *r = *state;
    struct wm_kube_access a = plugin(r->script);
    struct wm_kube_tunables t = tuned();
    struct wm_error err = {0};
    struct pair p;

    t.exec_ms = 300;
    p = open_with(fault_server_start(&(struct fault){.times = -1}, 1, NULL), a, t);
    assert_true(get(&p, "/x", NULL, NULL, &err) < 0);
    if (!strstr(err.msg, r->says))
        fail_msg("'%s' does not say '%s'", err.msg, r->says);
    assert_null(strstr(err.msg, "hunter2"));
    assert_int_equal(fault_server_count(p.server, NULL), 0);
    close_pair(&p);
}

static void a_plugin_that_is_not_there(void **state)
{
    struct wm_kube_access a = plugin("");
    struct wm_error err = {0};
    struct pair p;

    (void)state;
    free(a.exec_argv[0]);
    a.exec_argv[0] = wm_xstrdup("/does/not/exist");
    p = open_with(fault_server_start(&(struct fault){.times = -1}, 1, NULL), a, tuned());
    assert_int_equal(get(&p, "/x", NULL, NULL, &err), WM_E_AUTH);
    assert_non_null(strstr(err.msg, "No such file"));
    close_pair(&p);
}

/* --- secrets --- */

static void nothing_secret_is_logged_or_told(void **state)
{
    char path[] = "/tmp/waymark-log-XXXXXX", text[65536] = "";
    int log = mkstemp(path), saved = dup(STDERR_FILENO);
    static const struct fault rows[] = {{.match = "/1", .status = 401, .times = -1},
                                        {.match = "/2", .status = 500, .body = {"{\"kind\":\"Status\"}"}},
                                        {.match = "/3", .end = FAULT_RESET}};
    struct wm_error err[4] = {{0}};

    (void)state;
    unlink(path);
    dup2(log, STDERR_FILENO);
    wm_log_set_level(WM_LOG_DEBUG);
    struct pair p = open_token_file("hunter2", 1, rows, 3);

    get(&p, "/1", NULL, NULL, &err[0]);
    get(&p, "/2", NULL, NULL, &err[1]);
    get(&p, "/3", NULL, NULL, &err[2]);
    put("token", "hunter2 \x01");
    usleep(5000);
    get(&p, "/1", NULL, NULL, &err[3]);
    close_pair(&p);
    wm_log_set_level(WM_LOG_INFO);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_true(pread(log, text, sizeof text - 1, 0) >= 0);
    close(log);
    assert_null(strstr(text, "hunter2"));
    for (int i = 0; i < 4; i++) {
        assert_true(err[i].code < 0);
        assert_null(strstr(err[i].msg, "hunter2"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_that_was_replaced_is_read_again_at_once),
        cmocka_unit_test(a_new_client_certificate_makes_a_new_connection),
        cmocka_unit_test(a_token_file_is_read_again_after_its_time),
        cmocka_unit_test(a_401_renews_the_token_and_tries_once_more),
        cmocka_unit_test(a_token_file_that_is_no_use_is_an_error),
        cmocka_unit_test(a_static_token_is_not_tried_twice),
        cmocka_unit_test(name_and_password),
        cmocka_unit_test(a_plugin_runs_once_for_all_who_wait),
        cmocka_unit_test(a_plugin_is_told_and_given_what_belongs_to_it),
        cmocka_unit_test(a_plugin_runs_again_when_its_word_is_worn_out),
        cmocka_unit_test(a_plugin_that_is_not_there),
        cmocka_unit_test(nothing_secret_is_logged_or_told),
    };
    char command[128];
    int failed;

    if (!mkdtemp(dir))
        return 1;
    failed = RUN_TABLE("kube tls", tls_rows, check_tls) + RUN_TABLE("exec results", exec_rows, check_exec) +
             RUN_TABLE("plugin", plugins, check_plugin) + cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return failed + (system(command) != 0);
}
