#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kube/access.h"
#include "unit.h"
#include "waymark/base64.h"

#define PEM64 "LS0tLS1CRUdJTiBYLS0tLS0K" /* "-----BEGIN X-----\n" */

/* A kubeconfig around one cluster's and one user's body (flow mappings). */
static char *kubeconfig(const char *cluster, const char *user)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(8 << 20);

    wm_buf_printf(&out,
                  "apiVersion: v1\nkind: Config\ncurrent-context: c1\n"
                  "contexts:\n- name: c1\n  context: {cluster: k1, user: u1, namespace: n1}\n"
                  "clusters:\n- name: k1\n  cluster: %s\nusers:\n- name: u1\n  user: %s\n",
                  cluster, user);
    return wm_buf_take(&out);
}

/* --- servers --- */

static const struct server_row {
    const char *name, *url, *want; /* NULL = refused */
} servers[] = {
    {"host and port", "https://api.example:6443", "https://api.example:6443"},
    {"slashes at the end", "https://api.example:6443//", "https://api.example:6443"},
    {"path prefix", "https://rancher/k8s/clusters/c-1/", "https://rancher/k8s/clusters/c-1"},
    {"IPv6", "https://[::1]:6443", "https://[::1]:6443"},
    {"plain HTTP", "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
    {"no scheme", "api.example:6443", NULL},
    {"other scheme", "ftp://api.example", NULL},
    {"nothing behind the scheme", "https://", NULL},
    {"only a port", "https://:6443", NULL},
    {"user and password", "https://me:secret@api", NULL},
    {"query", "https://api?x=1", NULL},
    {"fragment", "https://api#x", NULL},
    {"space", "https://api example", NULL},
    {"line break", "https://api\r\nX: y", NULL},
    {"not ASCII", "https://\xc3\xa9", NULL},
};

static void check_server(void **state)
{
    const struct server_row *r = *state;
    wm_auto_free char *got = NULL;
    int rc = wm_kube_server_parse(r->url, &got, NULL);

    assert_int_equal(rc, r->want ? WM_OK : WM_E_INVALID);
    if (r->want)
        assert_string_equal(got, r->want);
}

/* --- what is refused, and where --- */

static const struct bad_row {
    const char *name, *cluster, *user, *where, *says;
} bad[] = {
    {"no server", "{}", "{}", "9:3", "no server"},
    {"server is a number", "{server: 1}", "{}", "9:13", "server must be a string"},
    {"server is no URL", "{server: api}", "{}", "9:13", "https://host"},
    {"yes is not a boolean", "{server: https://a, insecure-skip-tls-verify: yes}", "{}", "9:32",
     "must be true or false"},
    {"authority and insecure",
     "{server: https://a, insecure-skip-tls-verify: true, certificate-authority: x}", "{}", "9:3",
     "together"},
    {"authority not base64", "{server: https://a, certificate-authority-data: '%%%'}", "{}", "9:32",
     "base64"},
    {"authority no PEM", "{server: https://a, certificate-authority-data: aGVsbG8=}", "{}", "9:32", "PEM"},
    {"token is a number", "{server: https://a}", "{token: 123}", "12:10", "token must be a string"},
    {"certificate without key", "{server: https://a}", "{client-certificate: x}", "12:3", "together"},
    {"key without certificate", "{server: https://a}", "{client-key-data: " PEM64 "}", "12:3", "together"},
    {"impersonation", "{server: https://a}", "{token: x, as: admin}", "12:20", "as is not supported"},
    {"auth provider", "{server: https://a}", "{auth-provider: {name: gcp}}", "12:10", "auth-provider"},
    {"exec without command", "{server: https://a}", "{exec: {apiVersion: client.authentication.k8s.io/v1}}",
     "12:10", "command"},
    {"exec of an old version", "{server: https://a}",
     "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}", "12:10", "v1alpha1"},
    {"exec that must ask", "{server: https://a}",
     "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}}", "12:10",
     "nobody"},
    {"exec arguments that are numbers", "{server: https://a}",
     "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, args: [1]}}", "12:81", "args"},
    {"exec environment without value", "{server: https://a}",
     "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, env: [{name: A}]}}", "12:80", "env"},
};

static void check_bad(void **state)
{
    const struct bad_row *r = *state;
    wm_auto_free char *text = kubeconfig(r->cluster, r->user);
    struct wm_kube_access a = {0};
    struct wm_error err = {0};

    assert_int_equal(wm_kubeconfig_parse(wm_str_of(text), "/etc", NULL, &a, &err), WM_E_INVALID);
    assert_non_null(strstr(err.msg, r->says));
    assert_string_equal(err.where, r->where);
    assert_null(a.server);
}

/* --- base64 --- */

static const struct base64_row {
    const char *name, *text, *want; /* NULL = refused */
} base64s[] = {
    {"nothing", "", ""},
    {"one byte", "YQ==", "a"},
    {"two bytes", "YWI=", "ab"},
    {"three bytes", "YWJj", "abc"},
    {"line breaks", "YW\r\nJj\n", "abc"},
    {"no padding", "YQ", NULL},
    {"too much padding", "YWJj=", NULL},
    {"padding in the middle", "YQ==YQ==", NULL},
    {"half a padding", "YQ=", NULL},
    {"behind padding", "YQ=a", NULL},
    {"other alphabet", "-_-_", NULL},
    {"space", "YW Jj", NULL},
    {"only padding", "====", NULL},
};

static void check_base64(void **state)
{
    const struct base64_row *r = *state;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(100), again = WM_BUF_MAX(100);
    int rc = wm_base64_decode(wm_str_of(r->text), &out, NULL);

    assert_int_equal(rc, r->want ? WM_OK : WM_E_INVALID);
    if (!r->want)
        return;
    assert_true(wm_str_is(wm_buf_text(&out), r->want));
    wm_base64_encode(wm_buf_text(&out), &again);
    assert_int_equal(again.n, (out.n + 2) / 3 * 4);
    wm_buf_clear(&out);
    assert_int_equal(wm_base64_decode(wm_buf_text(&again), &out, NULL), WM_OK);
    assert_true(wm_str_is(wm_buf_text(&out), r->want));
}

/* --- whole files --- */

static void everything_a_kubeconfig_may_say_is_read(void **state)
{
    wm_auto_free char *text =
        kubeconfig("{server: 'https://a:1/', certificate-authority-data: " PEM64
                   ", tls-server-name: b, proxy-url: 'http://p:3128', insecure-skip-tls-verify: false}",
                   "{client-certificate-data: " PEM64 ", client-key-data: " PEM64
                   ", client-key: ignored, token: t, tokenFile: tok, username: u, password: p}");
    struct wm_kube_access a = {0};

    (void)state;
    assert_int_equal(wm_kubeconfig_parse(wm_str_of(text), "/dir", NULL, &a, NULL), WM_OK);
    assert_string_equal(a.name, "c1");
    assert_string_equal(a.server, "https://a:1");
    assert_string_equal(a.namespace_, "n1");
    assert_true(wm_str_is(a.ca_pem, "-----BEGIN X-----\n"));
    assert_true(wm_str_is(a.cert_pem, "-----BEGIN X-----\n"));
    assert_true(wm_str_is(a.key_pem, "-----BEGIN X-----\n"));
    assert_null(a.key_file);
    assert_string_equal(a.tls_server_name, "b");
    assert_string_equal(a.proxy_url, "http://p:3128");
    assert_string_equal(a.token, "t");
    assert_string_equal(a.token_file, "/dir/tok");
    assert_string_equal(a.username, "u");
    assert_string_equal(a.password, "p");
    assert_false(a.insecure);
    wm_kube_access_done(&a);
    assert_null(a.server);
}

static void an_exec_section_becomes_an_argument_list(void **state)
{
    wm_auto_free char *text = kubeconfig(
        "{server: 'https://a'}",
        "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: bin/login, args: [-x, 'a b'], "
        "env: [{name: K, value: 'v=1'}], provideClusterInfo: true, interactiveMode: IfAvailable}}");
    struct wm_kube_access a = {0};

    (void)state;
    assert_int_equal(wm_kubeconfig_parse(wm_str_of(text), "/dir", NULL, &a, NULL), WM_OK);
    assert_string_equal(a.exec_argv[0], "/dir/bin/login");
    assert_string_equal(a.exec_argv[1], "-x");
    assert_string_equal(a.exec_argv[2], "a b");
    assert_null(a.exec_argv[3]);
    assert_string_equal(a.exec_env[0], "K=v=1");
    assert_null(a.exec_env[1]);
    assert_string_equal(a.exec_api_version, "client.authentication.k8s.io/v1beta1");
    assert_true(a.exec_cluster_info);
    wm_kube_access_done(&a);
}

static void names_that_are_not_there_are_told(void **state)
{
    static const struct {
        const char *context, *text, *says;
    } rows[] = {
        {NULL, "{}", "no current-context"},
        {NULL, "", "no current-context"},
        {"x", "{}", "no context 'x'"},
        {"x", "contexts: [{name: x, context: {cluster: k}}]", "no cluster 'k'"},
        {"x", "contexts: [{name: x, context: {}}]", "names no cluster"},
        {"x",
         "contexts: [{name: x, context: {cluster: k, user: u}}]\n"
         "clusters: [{name: k, cluster: {server: 'https://a'}}]",
         "no user 'u'"},
        {"x", "contexts: {name: x}", "must be a list"},
        {"x", "contexts: [{name: 1}]", "needs a name"},
        {"x", "contexts: [{name: x}]", "has no context"},
        {"x", "[]", "no mapping"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wm_kube_access a = {0};
        struct wm_error err = {0};

        assert_true(wm_kubeconfig_parse(wm_str_of(rows[i].text), ".", rows[i].context, &a, &err) < 0);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("'%s' does not say '%s'", err.msg, rows[i].says);
    }
}

static void another_context_can_be_asked_for(void **state)
{
    static const char text[] = "current-context: a\n"
                               "contexts:\n"
                               "- {name: a, context: {cluster: a}}\n"
                               "- {name: b, context: {cluster: b}}\n"
                               "clusters:\n"
                               "- {name: a, cluster: {server: 'https://a'}}\n"
                               "- {name: b, cluster: {server: 'https://b'}}\n";
    struct wm_kube_access a = {0};

    (void)state;
    assert_int_equal(wm_kubeconfig_parse(wm_str_of(text), ".", "b", &a, NULL), WM_OK);
    assert_string_equal(a.server, "https://b");
    assert_null(a.namespace_);
    wm_kube_access_done(&a);
}

static void secrets_never_stand_in_an_error(void **state)
{
    wm_auto_free char *text = kubeconfig("{server: 'https://a'}",
                                         "{password: hunter2, token: [hunter2], client-key-data: hunter2}");
    struct wm_kube_access a = {0};
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_kubeconfig_parse(wm_str_of(text), ".", NULL, &a, &err), WM_E_INVALID);
    assert_null(strstr(err.msg, "hunter2"));
    assert_null(strstr(err.where, "hunter2"));
}

static void more_than_four_mebibytes_are_refused(void **state)
{
    size_t n = WM_KUBECONFIG_MAX_BYTES + 1;
    wm_auto_free char *text = malloc(n);
    struct wm_kube_access a = {0};

    (void)state;
    memset(text, ' ', n);
    assert_int_equal(wm_kubeconfig_parse((struct wm_str){text, n}, ".", NULL, &a, NULL), WM_E_TOO_BIG);
}

/* --- files and environment --- */

static char dir[] = "/tmp/waymark-kubeconfig-XXXXXX";

static char *in_dir(const char *name, const char *text)
{
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(4096);

    wm_buf_printf(&path, "%s/%s", dir, name);
    if (text) {
        FILE *f = fopen(path.p, "w");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    }
    return wm_buf_take(&path);
}

static void several_files_are_merged_and_the_first_wins(void **state)
{
    wm_auto_free char *one = in_dir(
        "one", "contexts: [{name: a, context: {cluster: k, user: u}}]\n"
               "clusters: [{name: k, cluster: {server: 'https://first', certificate-authority: ca}}]\n");
    wm_auto_free char *two = in_dir("two", "current-context: a\n"
                                           "clusters: [{name: k, cluster: {server: 'https://second'}}]\n"
                                           "users: [{name: u, user: {token: t}}]\n");
    wm_auto_buf struct wm_buf list = WM_BUF_MAX(4096);
    struct wm_kube_access a = {0};
    wm_auto_free char *ca = in_dir("ca", NULL);

    (void)state;
    wm_buf_printf(&list, "%s:/does/not/exist:%s", one, two);
    setenv("KUBECONFIG", list.p, 1);
    assert_int_equal(wm_kube_access_load(NULL, NULL, &a, NULL), WM_OK);
    assert_string_equal(a.server, "https://first");
    assert_string_equal(a.ca_file, ca);
    assert_string_equal(a.token, "t");
    wm_kube_access_done(&a);
    /* a path that is given wins over the environment */
    struct wm_error err = {0};

    assert_int_equal(wm_kube_access_load(one, NULL, &a, &err), WM_E_NOT_FOUND);
    setenv("KUBECONFIG", "/does/not/exist", 1);
    assert_int_equal(wm_kube_access_load(NULL, NULL, &a, &err), WM_E_NOT_FOUND);
    unsetenv("KUBECONFIG");
}

static void an_error_names_the_file(void **state)
{
    wm_auto_free char *path = in_dir("broken", "a: [\n");
    struct wm_kube_access a = {0};
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_kube_access_load(path, NULL, &a, &err), WM_E_INVALID);
    assert_non_null(strstr(err.where, "broken:2:1"));
}

static void a_pod_finds_its_own_identity(void **state)
{
    struct wm_kube_access a = {0};
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_kube_access_in_cluster(dir, "10.0.0.1", "443", &a, &err), WM_E_AUTH);
    wm_auto_free char *token = in_dir("token", "t\n"), *ca = in_dir("ca.crt", "x"),
                      *ns = in_dir("namespace", "mine\n");

    assert_int_equal(wm_kube_access_in_cluster(dir, "10.0.0.1", "443", &a, &err), WM_OK);
    assert_string_equal(a.server, "https://10.0.0.1:443");
    assert_string_equal(a.namespace_, "mine");
    assert_string_equal(a.token_file, token);
    assert_string_equal(a.ca_file, ca);
    assert_string_equal(a.name, "in-cluster");
    wm_kube_access_done(&a);
    assert_int_equal(wm_kube_access_in_cluster(dir, "fd00::1", NULL, &a, &err), WM_OK);
    assert_string_equal(a.server, "https://[fd00::1]:443");
    wm_kube_access_done(&a);
    unlink(ns);
    unlink(ca);
    assert_int_equal(wm_kube_access_in_cluster(dir, "10.0.0.1", "443", &a, &err), WM_OK);
    assert_null(a.ca_file);
    wm_kube_access_done(&a);
}

static void the_home_directory_comes_last(void **state)
{
    wm_auto_free char *kube = in_dir(".kube", NULL);
    struct wm_kube_access a = {0};

    (void)state;
    mkdir(kube, 0700);
    wm_auto_free char *text = kubeconfig("{server: 'https://home'}", "{}");
    wm_auto_free char *path = in_dir(".kube/config", text);

    unsetenv("KUBECONFIG");
    unsetenv("KUBERNETES_SERVICE_HOST");
    setenv("HOME", dir, 1);
    assert_int_equal(wm_kube_access_load(NULL, NULL, &a, NULL), WM_OK);
    assert_string_equal(a.server, "https://home");
    wm_kube_access_done(&a);
    /* in a pod only a context that is asked for leads there */
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    assert_int_equal(wm_kube_access_load(NULL, NULL, &a, NULL), WM_E_AUTH);
    assert_int_equal(wm_kube_access_load(NULL, "c1", &a, NULL), WM_OK);
    assert_string_equal(a.server, "https://home");
    wm_kube_access_done(&a);
    unsetenv("KUBERNETES_SERVICE_HOST");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_a_kubeconfig_may_say_is_read),
        cmocka_unit_test(an_exec_section_becomes_an_argument_list),
        cmocka_unit_test(names_that_are_not_there_are_told),
        cmocka_unit_test(another_context_can_be_asked_for),
        cmocka_unit_test(secrets_never_stand_in_an_error),
        cmocka_unit_test(more_than_four_mebibytes_are_refused),
        cmocka_unit_test(several_files_are_merged_and_the_first_wins),
        cmocka_unit_test(an_error_names_the_file),
        cmocka_unit_test(a_pod_finds_its_own_identity),
        cmocka_unit_test(the_home_directory_comes_last),
    };
    int failed;

    if (!mkdtemp(dir))
        return 1;
    failed = RUN_TABLE("kube server", servers, check_server) +
             RUN_TABLE("kubeconfig refused", bad, check_bad) + RUN_TABLE("base64", base64s, check_base64) +
             cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return failed + (system(command) != 0);
}
