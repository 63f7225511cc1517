#include <stdio.h>

#include "certs/wire.h"
#include "unit.h"

#define auto_secret WM_AUTO(wm_certs_secret_done) struct wm_certs_secret
#define auto_hooks WM_AUTO(wm_certs_hooks_done) struct wm_certs_hooks

static void parse(const char *json, struct wm_certs_secret *ret)
{
    struct wm_error err = {0};

    if (wm_certs_secret_parse(wm_str_of(json), ret, &err) != WM_OK)
        fail_msg("%s", err.msg);
}

/* --- the Secret --- */

static const struct wm_cert_pems one = {(char[]){"CA 1"}, (char[]){"cert 1"}, (char[]){"key 1"}};
static const struct wm_cert_pems two = {(char[]){"CA 2\n"}, (char[]){"cert 2"}, (char[]){"key 2"}};

static void a_new_secret_says_all_and_is_read_back(void **state)
{
    struct wm_certs_content c = {&one, &two, wm_str_of("old CA"), 1795000000};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(10000), read = WM_BUF_MAX(10000);
    auto_secret s = {0};

    (void)state;
    assert_int_equal(wm_certs_secret_print(NULL, "ns", "pair", &c, &out, NULL), WM_OK);
    assert_non_null(strstr(out.p, "\"type\":\"kubernetes.io/tls\""));
    assert_non_null(strstr(out.p, "\"namespace\":\"ns\""));
    assert_non_null(strstr(out.p, "\"tls.key\":\"a2V5IDE=\""));
    assert_null(strstr(out.p, "resourceVersion"));
    assert_int_equal(wm_certs_secret_parse(wm_buf_text(&out), &s, NULL), WM_E_INVALID);
    /* as the server gives it back */
    wm_buf_puts(&read, "{\"metadata\":{\"resourceVersion\":\"7\"}");
    wm_buf_printf(&read, ",%s", strstr(out.p, "\"data\""));
    parse(read.p, &s);
    assert_string_equal(s.active.ca, one.ca);
    assert_string_equal(s.active.cert, one.cert);
    assert_string_equal(s.active.key, one.key);
    assert_string_equal(s.next.ca, two.ca);
    assert_string_equal(s.next.key, two.key);
    assert_string_equal(s.previous_ca, "old CA");
    assert_int_equal(s.previous_since_s, 1795000000);
}

static void replacing_keeps_what_is_not_ours(void **state)
{
    struct wm_certs_content c = {&two, NULL, {0}, 0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(10000);
    auto_secret s = {0};

    (void)state;
    parse("{\"kind\":\"Secret\",\"metadata\":{\"name\":\"p\",\"uid\":\"u\",\"resourceVersion\":\"7\","
          "\"labels\":{\"a\":\"b\"},\"managedFields\":[{}]},\"type\":\"Opaque\",\"data\":{"
          "\"mine\":\"eA==\",\"next.crt\":\"eA==\",\"next.key\":\"eA==\",\"next-ca.crt\":\"eA==\","
          "\"previous-ca.crt\":\"eA==\",\"previous-since\":\"OTk=\"}}",
          &s);
    assert_string_equal(s.next.cert, "x");
    assert_null(s.active.cert);
    assert_int_equal(s.previous_since_s, 99);
    assert_int_equal(wm_certs_secret_print(s.doc, "ns", "p", &c, &out, NULL), WM_OK);
    assert_string_equal(
        out.p, "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"p\",\"uid\":\"u\",\"resourceVersion\":\"7\","
               "\"labels\":{\"a\":\"b\"}},\"type\":\"Opaque\",\"data\":{\"mine\":\"eA==\","
               "\"tls.crt\":\"Y2VydCAy\",\"tls.key\":\"a2V5IDI=\",\"ca.crt\":\"Q0EgMgo=\"}}");
}

static const struct odd_row {
    const char *name, *data;
    bool has_cert, has_previous;
    int64_t since_s;
} odd[] = {
    {"no data", "null", false, false, 0},
    {"data is a list", "[\"a\"]", false, false, 0},
    {"a number for a text", "{\"tls.crt\":5}", false, false, 0},
    {"not base64", "{\"tls.crt\":\"a*==\"}", false, false, 0},
    {"base64 cut short", "{\"tls.crt\":\"eHh\"}", false, false, 0},
    {"a NUL inside", "{\"tls.crt\":\"eAB4\"}", false, false, 0},
    {"empty is there and empty", "{\"tls.crt\":\"\"}", true, false, 0},
    {"previous without since", "{\"previous-ca.crt\":\"eA==\"}", false, true, 0},
    {"since is no number", "{\"previous-ca.crt\":\"eA==\",\"previous-since\":\"MTJ4\"}", false, true, 0},
    {"since is too big",
     "{\"previous-ca.crt\":\"eA==\",\"previous-since\":\"OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5\"}", false, true,
     0},
};

static void check_odd(void **state)
{
    const struct odd_row *t = *state;
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1000);
    auto_secret s = {0};

    wm_buf_printf(&json, "{\"metadata\":{\"resourceVersion\":\"7\"},\"data\":%s}", t->data);
    parse(json.p, &s);
    assert_int_equal(s.active.cert != NULL, t->has_cert);
    assert_int_equal(s.previous_ca != NULL, t->has_previous);
    assert_int_equal(s.previous_since_s, t->since_s);
    /* and can be repaired */
    struct wm_certs_content c = {&one, NULL, {0}, 0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1000);

    assert_int_equal(wm_certs_secret_print(s.doc, "ns", "p", &c, &out, NULL), WM_OK);
    assert_non_null(strstr(out.p, "\"tls.crt\":\"Y2VydCAx\""));
}

/* --- webhook configurations --- */

static const char *const names[] = {"hook.ns.svc", "127.0.0.1", "fd00::1", NULL};
static const struct wm_certs_self self = {"hook", "ns", names};

static const struct call_row {
    const char *name, *client;
    bool ours;
} calls[] = {
    {"our Service", "{\"service\":{\"name\":\"hook\",\"namespace\":\"ns\",\"path\":\"/mutate\"}}", true},
    {"a Service of the same name elsewhere", "{\"service\":{\"name\":\"hook\",\"namespace\":\"other\"}}",
     false},
    {"another Service", "{\"service\":{\"name\":\"hooks\",\"namespace\":\"ns\"}}", false},
    {"a URL with our name", "{\"url\":\"https://hook.ns.svc/mutate\"}", true},
    {"a URL with our address and a port", "{\"url\":\"https://127.0.0.1:9443/mutate\"}", true},
    {"a URL with our IPv6 address", "{\"url\":\"https://[fd00::1]:9443/mutate\"}", true},
    {"a URL that only begins like ours", "{\"url\":\"https://127.0.0.11/mutate\"}", false},
    {"a URL that is ours further on", "{\"url\":\"https://other/127.0.0.1\"}", false},
    {"a URL without a scheme", "{\"url\":\"127.0.0.1\"}", false},
    {"nothing", "{}", false},
};

static void check_call(void **state)
{
    const struct call_row *t = *state;
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1000);
    auto_hooks h = {0};

    wm_buf_printf(&json,
                  "{\"metadata\":{\"resourceVersion\":\"7\"},\"webhooks\":[{\"name\":\"x\"},{\"name\":\"a\","
                  "\"clientConfig\":%s}]}",
                  t->client);
    assert_int_equal(wm_certs_hooks_parse(wm_buf_text(&json), &self, &h, NULL), WM_OK);
    assert_int_equal(h.n, t->ours);
    if (t->ours)
        assert_int_equal(h.of[0].index, 1);
    if (t->ours)
        assert_string_equal(h.of[0].bundle, "");
}

static const char three[] = "{\"metadata\":{\"resourceVersion\":\"7\"},\"webhooks\":["
                            "{\"name\":\"a\",\"clientConfig\":{\"service\":{\"name\":\"hook\",\"namespace\":"
                            "\"ns\"},\"caBundle\":\"eA==\"}},"
                            "{\"name\":\"b\",\"clientConfig\":{\"service\":{\"name\":\"xx\",\"namespace\":"
                            "\"ns\"},\"caBundle\":\"eg==\"}},"
                            "{\"name\":\"c\",\"clientConfig\":{\"service\":{\"name\":\"hook\",\"namespace\":"
                            "\"ns\"},\"caBundle\":\"eQ==\"}},"
                            "{\"name\":\"d\",\"clientConfig\":{\"service\":{\"name\":\"hook\",\"namespace\":"
                            "\"ns\"},\"caBundle\":\"*\"}}]}";

static void a_patch_changes_what_differs_and_is_guarded(void **state)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(10000);
    auto_hooks h = {0};

    (void)state;
    assert_int_equal(wm_certs_hooks_parse(wm_str_of(three), &self, &h, NULL), WM_OK);
    assert_int_equal(h.n, 3);
    assert_int_equal(wm_certs_hooks_patch(&h, wm_str_of("y"), &out), 2);
    assert_string_equal(
        out.p, "[{\"op\":\"test\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},"
               "{\"op\":\"test\",\"path\":\"/webhooks/0/name\",\"value\":\"a\"},"
               "{\"op\":\"add\",\"path\":\"/webhooks/0/clientConfig/caBundle\",\"value\":\"eQ==\"},"
               "{\"op\":\"test\",\"path\":\"/webhooks/3/name\",\"value\":\"d\"},"
               "{\"op\":\"add\",\"path\":\"/webhooks/3/clientConfig/caBundle\",\"value\":\"eQ==\"}]");
}

static void a_patch_that_changes_nothing_is_none(void **state)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(10000);
    auto_hooks h = {0};

    (void)state;
    assert_int_equal(wm_certs_hooks_parse(wm_str_of(three), &self, &h, NULL), WM_OK);
    h.n = 1;
    assert_int_equal(wm_certs_hooks_patch(&h, wm_str_of("x"), &out), 0);
    assert_int_equal(out.n, 0);
    h.n = 3;
}

static void strange_answers_are_errors(void **state)
{
    static const char *const bad[] = {"", "[]", "{}", "{\"metadata\":{}}",
                                      "{\"metadata\":{\"resourceVersion\":7}}"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct wm_certs_secret s;
        struct wm_certs_hooks h;

        assert_int_equal(wm_certs_secret_parse(wm_str_of(bad[i]), &s, NULL), WM_E_INVALID);
        assert_int_equal(wm_certs_hooks_parse(wm_str_of(bad[i]), &self, &h, NULL), WM_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_secret_says_all_and_is_read_back),
        cmocka_unit_test(replacing_keeps_what_is_not_ours),
        cmocka_unit_test(a_patch_changes_what_differs_and_is_guarded),
        cmocka_unit_test(a_patch_that_changes_nothing_is_none),
        cmocka_unit_test(strange_answers_are_errors),
    };

    return RUN_TABLE("odd Secrets", odd, check_odd) + RUN_TABLE("who is called", calls, check_call) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
