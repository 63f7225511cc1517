#include <stdio.h>

#include "unit.h"
#include "waymark/certs.h"

enum { NOW = 1795000000, DAY = 86400 };

static const char *const names[] = {"hook", "hook.waymark", "hook.waymark.svc", "10.1.2.3", "fd00::7", NULL};

static struct wm_cert_pems issue(const char *const *n)
{
    struct wm_cert_pems p = {0};
    struct wm_error err = {0};
    struct wm_cert_spec spec = {n, NOW, 90 * DAY};

    if (wm_cert_issue(&spec, &p, &err) != WM_OK)
        fail_msg("%s", err.msg);
    return p;
}

#define wm_auto_pems WM_AUTO(wm_cert_pems_done)

static void a_generation_says_what_was_asked(void **state)
{
    (void)state;
    wm_auto_pems struct wm_cert_pems p = issue(names);
    WM_AUTO(wm_cert_info_done) struct wm_cert_info leaf = {0}, ca = {0};

    assert_int_equal(wm_cert_info(wm_str_of(p.cert), &leaf, NULL), WM_OK);
    assert_int_equal(leaf.not_before_s, NOW - 3600);
    assert_int_equal(leaf.not_after_s, NOW + 90 * DAY);
    for (size_t i = 0; names[i]; i++)
        assert_string_equal(leaf.names[i], names[i]);
    assert_null(leaf.names[5]);
    assert_int_equal(wm_cert_info(wm_str_of(p.ca), &ca, NULL), WM_OK);
    assert_int_equal(ca.not_after_s, leaf.not_after_s);
    assert_null(ca.names[0]);
    assert_non_null(strstr(p.key, "BEGIN PRIVATE KEY"));
    assert_int_equal(wm_cert_check_pair(wm_str_of(p.cert), wm_str_of(p.key), NULL), WM_OK);
    assert_int_equal(wm_cert_check_issuer(wm_str_of(p.cert), wm_str_of(p.ca), NULL), WM_OK);
    assert_int_equal(wm_cert_check_names(wm_str_of(p.cert), names, NULL), WM_OK);
}

static void generations_share_nothing(void **state)
{
    (void)state;
    wm_auto_pems struct wm_cert_pems a = issue(names), b = issue(names);
    wm_auto_buf struct wm_buf both = WM_BUF_MAX(10000);
    struct wm_error err = {0};

    assert_string_not_equal(a.cert, b.cert);
    assert_string_not_equal(a.ca, b.ca);
    assert_int_equal(wm_cert_check_pair(wm_str_of(a.cert), wm_str_of(b.key), &err), WM_E_INVALID);
    assert_non_null(strstr(err.msg, "do not belong together"));
    assert_int_equal(wm_cert_check_issuer(wm_str_of(a.cert), wm_str_of(b.ca), &err), WM_E_INVALID);
    assert_non_null(strstr(err.msg, "does not lead"));
    /* a bundle of both serves both, in any order */
    wm_buf_printf(&both, "%s%s", b.ca, a.ca);
    assert_int_equal(wm_cert_check_issuer(wm_str_of(a.cert), wm_buf_text(&both), NULL), WM_OK);
    assert_int_equal(wm_cert_check_issuer(wm_str_of(b.cert), wm_buf_text(&both), NULL), WM_OK);
}

/* --- names --- */

static const struct cover_row {
    const char *name, *ask, *sans[3];
    bool ok;
} covers[] = {
    {"same", "a.b.svc", {"a.b.svc"}, true},
    {"another", "a.c.svc", {"a.b.svc"}, false},
    {"case does not matter", "A.B.svc", {"a.b.svc"}, true},
    {"second of two", "b", {"a", "b"}, true},
    {"wildcard", "x.b.svc", {"*.b.svc"}, true},
    {"wildcard is one label", "x.y.b.svc", {"*.b.svc"}, false},
    {"address", "10.0.0.1", {"10.0.0.1"}, true},
    {"address written otherwise", "fd00:0:0::1", {"fd00::1"}, true},
    {"another address", "10.0.0.2", {"10.0.0.1"}, false},
    {"the common name does not count", "a", {"b", "c"}, false},
};

static void check_cover(void **state)
{
    const struct cover_row *t = *state;
    wm_auto_pems struct wm_cert_pems p = issue(t->sans);
    struct wm_error err = {0};

    assert_int_equal(wm_cert_check_names(wm_str_of(p.cert), (const char *const[]){t->ask, NULL}, &err),
                     t->ok ? WM_OK : WM_E_NOT_FOUND);
    if (!t->ok)
        assert_non_null(strstr(err.msg, t->ask));
}

static void a_service_is_called_by_four_names(void **state)
{
    static const char *const extra[] = {"hook.ns", "h.example", "127.0.0.1", NULL};
    static const char *const want[] = {"hook",      "hook.ns",  "hook.ns.svc", "hook.ns.svc.cluster.local",
                                       "h.example", "127.0.0.1"};

    (void)state;
    wm_auto_names char **got = wm_cert_service_names("hook", "ns", extra);

    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_string_equal(got[i], want[i]);
    assert_null(got[6]);
    wm_auto_names char **bare = wm_cert_service_names("hook", "ns", NULL);

    assert_null(bare[4]);
}

static const struct refuse_row {
    const char *name;
    const char *names[2];
    int64_t validity_s;
} refused[] = {
    {"no name", {NULL}, DAY},
    {"empty name", {""}, DAY},
    {"a name that is OpenSSL syntax", {"a,DNS:b"}, DAY},
    {"a name with a space", {"a b"}, DAY},
    {"no time", {"a"}, 0},
    {"time backwards", {"a"}, -1},
    {"longer than anybody lives", {"a"}, INT64_C(100) * 366 * DAY},
};

static void check_refused(void **state)
{
    const struct refuse_row *t = *state;
    struct wm_cert_pems p = {0};
    struct wm_error err = {0};
    struct wm_cert_spec spec = {t->names, NOW, t->validity_s};

    assert_int_equal(wm_cert_issue(&spec, &p, &err), WM_E_INVALID);
    assert_null(p.cert);
    assert_true(err.msg[0] != '\0');
}

static void a_long_name_is_a_san_and_not_a_subject(void **state)
{
    char name[240];

    (void)state;
    memset(name, 'a', sizeof name - 1);
    for (size_t i = 50; i < sizeof name - 1; i += 50)
        name[i] = '.';
    name[sizeof name - 1] = '\0';
    const char *const one[] = {name, NULL};
    wm_auto_pems struct wm_cert_pems p = issue(one);

    assert_int_equal(wm_cert_check_names(wm_str_of(p.cert), one, NULL), WM_OK);
}

/* --- garbage --- */

static void garbage_is_an_error_and_never_asks(void **state)
{
    static const char *const bad[] = {
        "", "hello", "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBA=\n"
         "-----END ENCRYPTED PRIVATE KEY-----\n")};

    (void)state;
    wm_auto_pems struct wm_cert_pems p = issue(names);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct wm_cert_info info;

        assert_int_equal(wm_cert_info(wm_str_of(bad[i]), &info, NULL), WM_E_INVALID);
        assert_int_equal(wm_cert_check_pair(wm_str_of(p.cert), wm_str_of(bad[i]), NULL), WM_E_INVALID);
        assert_int_equal(wm_cert_check_pair(wm_str_of(bad[i]), wm_str_of(p.key), NULL), WM_E_INVALID);
        assert_int_equal(wm_cert_check_issuer(wm_str_of(p.cert), wm_str_of(bad[i]), NULL), WM_E_INVALID);
    }
    /* a file cut anywhere is refused, or is whole but for its last newline */
    for (size_t n = strlen(p.cert) - 1; n-- > 0;)
        assert_int_equal(wm_cert_check_pair((struct wm_str){p.cert, n}, wm_str_of(p.key), NULL),
                         WM_E_INVALID);
}

static void count(void *ctx, struct wm_str pem, int64_t not_after_s)
{
    assert_int_equal(not_after_s, NOW + 90 * DAY);
    wm_buf_str(ctx, pem);
}

static void bundles_are_read_in_one_spelling(void **state)
{
    (void)state;
    wm_auto_pems struct wm_cert_pems a = issue(names), b = issue(names);
    wm_auto_buf struct wm_buf messy = WM_BUF_MAX(20000), seen = WM_BUF_MAX(20000), want = WM_BUF_MAX(20000);

    wm_buf_puts(&messy, "# ours\r\n");
    for (const char *c = a.ca; *c; c++)
        wm_buf_printf(&messy, *c == '\n' ? "\r\n" : "%c", *c);
    wm_buf_printf(&messy, "\n\n%s\nsubject=x\n%s", a.key, b.ca);
    wm_cert_each(wm_buf_text(&messy), count, &seen);
    wm_buf_printf(&want, "%s%s", a.ca, b.ca);
    assert_string_equal(seen.p, want.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generation_says_what_was_asked),
        cmocka_unit_test(generations_share_nothing),
        cmocka_unit_test(a_service_is_called_by_four_names),
        cmocka_unit_test(a_long_name_is_a_san_and_not_a_subject),
        cmocka_unit_test(garbage_is_an_error_and_never_asks),
        cmocka_unit_test(bundles_are_read_in_one_spelling),
    };

    return RUN_TABLE("certificate names", covers, check_cover) +
           RUN_TABLE("refused to issue", refused, check_refused) + cmocka_run_group_tests(tests, NULL, NULL);
}
