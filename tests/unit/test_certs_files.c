#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "waymark/certs.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* --- a folder, a watcher, and who gets the pairs --- */

struct fixture {
    char root[64], dir[96];
    struct wm_certs_files *files;
    pthread_mutex_t lock;
    int got;    /* pairs handed out */
    char *cert; /* the last */
    bool refuse;
};

static struct wm_cert_pems issue_for(int64_t since_s, int64_t validity_s)
{
    struct wm_cert_pems p = {0};
    const char *const names[] = {"hook.ns.svc", NULL};
    struct wm_cert_spec spec = {names, wm_wall_s() - since_s, validity_s};

    assert_int_equal(wm_cert_issue(&spec, &p, NULL), WM_OK);
    return p;
}

static struct wm_cert_pems issue(void)
{
    return issue_for(0, 3600);
}

static int take(void *ctx, struct wm_str cert_pem, struct wm_str key_pem, struct wm_error *err)
{
    struct fixture *f = ctx;
    int rc = WM_OK;

    pthread_mutex_lock(&f->lock);
    if (f->refuse) {
        rc = wm_fail(err, WM_E_INVALID, NULL, "not wanted");
    } else if (wm_cert_check_pair(cert_pem, key_pem, err) < 0) {
        rc = WM_E_INVALID;
    } else {
        free(f->cert);
        f->cert = wm_xstrndup(cert_pem);
        f->got++;
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

static void write_file(const char *dir, const char *name, const char *text, size_t n)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *to = fopen(path, "w");

    assert_non_null(to);
    assert_int_equal(fwrite(text, 1, n, to), n);
    fclose(to);
}

static void put(const char *dir, const char *cert, const char *key)
{
    write_file(dir, "tls.crt", cert, strlen(cert));
    write_file(dir, "tls.key", key, strlen(key));
}

static void start(struct fixture *f, int poll_ms)
{
    struct wm_certs_files_opts opts = {.dir = f->dir, .poll_ms = poll_ms, .on_pair = take, .ctx = f};

    assert_int_equal(wm_certs_files_new(&opts, &f->files, NULL), WM_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    pthread_mutex_init(&f->lock, NULL);
    snprintf(f->root, sizeof f->root, "/tmp/certs-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->dir, sizeof f->dir, "%s/tls", f->root);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    wm_certs_files_free(f->files);
    snprintf(command, sizeof command, "rm -rf %s", f->root);
    assert_int_equal(system(command), 0);
    pthread_mutex_destroy(&f->lock);
    free(f->cert);
    free(f);
    return 0;
}

static bool serves(struct fixture *f, const char *cert)
{
    pthread_mutex_lock(&f->lock);
    bool same = f->cert && strcmp(f->cert, cert) == 0;
    pthread_mutex_unlock(&f->lock);
    return same;
}

static void assert_serves_soon(struct fixture *f, const char *cert)
{
    for (int i = 0; i < 500 && !serves(f, cert); i++)
        usleep(10000);
    assert_true(serves(f, cert));
}

static struct wm_certs_stats stats(struct fixture *f)
{
    struct wm_certs_stats s;

    wm_certs_files_stats(f->files, &s);
    return s;
}

static void assert_error_soon(struct fixture *f, const char *part)
{
    for (int i = 0; i < 500 && !strstr(stats(f).last_error, part); i++)
        usleep(10000);
    assert_non_null(strstr(stats(f).last_error, part));
}

static void assert_no_error_soon(struct fixture *f)
{
    for (int i = 0; i < 500 && stats(f).last_error[0]; i++)
        usleep(10000);
    assert_string_equal(stats(f).last_error, "");
}

/* --- what must hold --- */

static void the_pair_is_there_when_new_returns(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems p = issue();

    put(f->dir, p.cert, p.key);
    start(f, 10000);
    assert_true(serves(f, p.cert));
    assert_true(stats(f).serving);
    assert_int_equal(stats(f).loads, 1);
    assert_true(stats(f).not_after_s > wm_wall_s());
}

static void a_folder_may_come_later(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems p = issue();

    assert_int_equal(rmdir(f->dir), 0);
    start(f, 50);
    assert_false(stats(f).serving);
    assert_error_soon(f, "tls.crt");
    assert_int_equal(mkdir(f->dir, 0700), 0);
    put(f->dir, p.cert, p.key);
    assert_serves_soon(f, p.cert);
    assert_no_error_soon(f);
}

/* With a poll that never comes, only inotify can tell. */
static void files_written_in_place_are_followed(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems a = issue(), b = issue();

    put(f->dir, a.cert, a.key);
    start(f, 600000);
    usleep(50000);
    put(f->dir, b.cert, b.key);
    assert_serves_soon(f, b.cert);
}

/* As the kubelet does: dir/tls.crt -> ..data/tls.crt, dir/..data -> ..1, replaced by a rename. */
static void a_mounted_secret_is_followed(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems a = issue(), b = issue();
    char one[128], two[128], data[128], next[128], link_path[128];

    snprintf(one, sizeof one, "%s/..1", f->dir);
    snprintf(two, sizeof two, "%s/..2", f->dir);
    snprintf(data, sizeof data, "%s/..data", f->dir);
    snprintf(next, sizeof next, "%s/..data_tmp", f->dir);
    assert_int_equal(mkdir(one, 0700), 0);
    put(one, a.cert, a.key);
    assert_int_equal(symlink("..1", data), 0);
    snprintf(link_path, sizeof link_path, "%s/tls.crt", f->dir);
    assert_int_equal(symlink("..data/tls.crt", link_path), 0);
    snprintf(link_path, sizeof link_path, "%s/tls.key", f->dir);
    assert_int_equal(symlink("..data/tls.key", link_path), 0);
    start(f, 600000);
    assert_true(serves(f, a.cert));
    assert_int_equal(mkdir(two, 0700), 0);
    put(two, b.cert, b.key);
    assert_int_equal(symlink("..2", next), 0);
    assert_int_equal(rename(next, data), 0);
    assert_serves_soon(f, b.cert);
    assert_int_equal(f->got, 2);
    assert_int_equal(stats(f).errors, 0);
}

static void what_is_no_good_pair_leaves_the_last_one(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done)
    struct wm_cert_pems a = issue(), b = issue(), old = issue_for(7200, 3600),
                        early = issue_for(-7200, 36000);
    const struct {
        const char *cert, *key, *why;
    } bad[] = {
        {"", a.key, "empty"},
        {a.cert, "", "empty"},
        {"rubbish", a.key, "not a certificate"},
        {b.cert, a.key, "do not belong together"},
        {old.cert, old.key, "expired"},
        {early.cert, early.key, "not valid yet"},
    };

    put(f->dir, a.cert, a.key);
    start(f, 30);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(f->dir, bad[i].cert, bad[i].key);
        assert_error_soon(f, bad[i].why);
        assert_true(serves(f, a.cert));
        assert_true(stats(f).serving);
    }
    uint64_t errors = stats(f).errors;

    usleep(150000);
    assert_int_equal(stats(f).errors, errors); /* one state is one error, however often it is seen */
    /* the old pair back is no news */
    put(f->dir, a.cert, a.key);
    assert_no_error_soon(f);
    assert_int_equal(f->got, 1);
    put(f->dir, b.cert, b.key);
    assert_serves_soon(f, b.cert);
}

static void a_file_that_grows_is_taken_when_it_is_whole(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems a = issue(), b = issue();

    put(f->dir, a.cert, a.key);
    start(f, 20);
    write_file(f->dir, "tls.crt", b.cert, strlen(b.cert) / 2);
    assert_error_soon(f, "not a certificate");
    write_file(f->dir, "tls.crt", b.cert, strlen(b.cert));
    assert_error_soon(f, "do not belong together");
    write_file(f->dir, "tls.key", b.key, strlen(b.key));
    assert_serves_soon(f, b.cert);
    assert_int_equal(f->got, 2);
}

static void a_pair_that_is_refused_is_offered_again(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems a = issue();

    f->refuse = true;
    put(f->dir, a.cert, a.key);
    start(f, 20);
    assert_error_soon(f, "not wanted");
    assert_int_equal(stats(f).errors, 1);
    pthread_mutex_lock(&f->lock);
    f->refuse = false;
    pthread_mutex_unlock(&f->lock);
    assert_serves_soon(f, a.cert);
}

/* cert-manager warns that its ca.crt may be another's: that must not stop us. */
static void a_wrong_ca_or_name_is_only_a_warning(void **state)
{
    struct fixture *f = *state;
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems a = issue(), b = issue();
    const char *const names[] = {"elsewhere", NULL};
    struct wm_certs_files_opts opts = {f->dir, names, 30, take, f};

    put(f->dir, a.cert, a.key);
    write_file(f->dir, "ca.crt", b.ca, strlen(b.ca));
    assert_int_equal(wm_certs_files_new(&opts, &f->files, NULL), WM_OK);
    assert_true(serves(f, a.cert));
}

static void no_folder_is_an_error(void **state)
{
    struct wm_certs_files_opts opts = {.dir = "", .on_pair = take};
    struct wm_certs_files *files = NULL;

    (void)state;
    assert_int_equal(wm_certs_files_new(&opts, &files, NULL), WM_E_INVALID);
    assert_null(files);
    assert_null(wm_certs_files_free(NULL));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_pair_is_there_when_new_returns),
        T(a_folder_may_come_later),
        T(files_written_in_place_are_followed),
        T(a_mounted_secret_is_followed),
        T(what_is_no_good_pair_leaves_the_last_one),
        T(a_file_that_grows_is_taken_when_it_is_whole),
        T(a_pair_that_is_refused_is_offered_again),
        T(a_wrong_ca_or_name_is_only_a_warning),
        T(no_folder_is_an_error),
    };

    wm_log_set_level(WM_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
