/* A candidate for a Lease, for end-to-end tests: says on each line what it does and when, in ms since 1970:
 *
 *   leading MS | following MS | write MS (it asked whether it holds the Lease, as before every write, and
 * does)
 *
 * Usage: lease_probe KUBECONFIG NAMESPACE NAME IDENTITY       (until SIGTERM, which gives the Lease back) */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "waymark/clock.h"
#include "waymark/kube.h"
#include "waymark/lease.h"

static void line(const char *word, int64_t us)
{
    printf("%s %lld\n", word, (long long)us / 1000);
}

static void on_changed(void *ctx, bool leading)
{
    (void)ctx;
    line(leading ? "leading" : "following", wm_wall_us());
}

static int run(char **argv, const sigset_t *ends, struct wm_error *err)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    struct wm_kube_access access = {0};
    struct wm_lease_opts opts = {
        .namespace_ = argv[2], .name = argv[3], .identity = argv[4], .changed = on_changed};
    struct wm_kube *k = NULL;
    struct wm_lease *l = NULL;
    int rc;

    if ((rc = wm_kube_access_load(argv[1], NULL, &access, err)) < 0 ||
        (rc = wm_kube_new(&access, NULL, &k, err)) < 0) {
        wm_kube_access_done(&access);
        return rc;
    }
    opts.kube = k;
    if ((rc = wm_lease_new(&opts, &l, err)) == WM_OK)
        while (sigtimedwait(ends, NULL, &pause) < 0) {
            int64_t now_us = wm_wall_us();

            if (wm_lease_holds(l))
                line("write", now_us);
        }
    wm_lease_free(l);
    wm_kube_free(k);
    return rc;
}

int main(int argc, char **argv)
{
    struct wm_error err = {0};
    sigset_t ends;

    if (argc != 5) {
        fprintf(stderr, "usage: lease_probe KUBECONFIG NAMESPACE NAME IDENTITY\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* before there are threads, which inherit it */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (run(argv, &ends, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
        return 1;
    }
    return 0;
}
