/* Watches resources with the library and says what it is told, a line a call, for end-to-end tests:
 *
 *   begin | upsert NAMESPACE/NAME VERSION | remove NAMESPACE/NAME VERSION | end COUNT MS | abort | state WORD
 *
 * With several paths each line begins with the number of its path, from 1.
 *
 * Usage: kube_watch_probe [OPTION...] PATH...       (access by $KUBECONFIG, else as programs find it)
 *   --kubeconfig FILE   access by this file
 *   --selector TEXT     a label selector
 *   --metadata          ask for metadata only
 *   --page N            page size of lists
 *   --watch-s N         timeoutSeconds of watches
 *   --quorum            the first list from etcd
 *   --stream            lists as a stream, where it is offered
 *   --audit-s N         an audit every N to 2 N seconds, at the end of a watch
 *   --quiet             no lines for objects
 *   --stats MS          a line of counters, resident memory and processor time, again and again
 *   --debug             log every step */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "waymark/clock.h"
#include "waymark/json.h"
#include "waymark/log.h"
#include "waymark/watch.h"

enum { MAX_PATHS = 32 };

struct probe {
    bool quiet;
    char prefix[16];
    struct wm_watch *watch;
    int64_t began_ms;
    unsigned long n; /* objects of this list */
};

static void object_line(struct probe *p, const char *word, struct wm_str object)
{
    static const char *const wanted[] = {"/metadata/namespace", "/metadata/name",
                                         "/metadata/resourceVersion"};
    struct wm_json_span s[3];
    wm_auto_buf struct wm_buf line = WM_BUF_MAX(4096);

    p->n++;
    if (p->quiet || wm_json_locate(object, 3, wanted, s, NULL) < 0)
        return;
    wm_buf_printf(&line, "%s%s ", p->prefix, word);
    wm_json_unescape(s[0], &line, NULL);
    wm_buf_puts(&line, "/");
    wm_json_unescape(s[1], &line, NULL);
    wm_buf_puts(&line, " ");
    wm_json_unescape(s[2], &line, NULL);
    puts(wm_buf_text(&line).p);
}

static void on_begin(void *ctx)
{
    struct probe *p = ctx;

    p->began_ms = wm_mono_ms();
    p->n = 0;
    printf("%sbegin\n", p->prefix);
}

static void on_end(void *ctx)
{
    struct probe *p = ctx;

    printf("%send %lu %lld\n", p->prefix, p->n, (long long)(wm_mono_ms() - p->began_ms));
}

static void on_abort(void *ctx)
{
    printf("%sabort\n", ((struct probe *)ctx)->prefix);
}

static void on_upsert(void *ctx, struct wm_str object)
{
    object_line(ctx, "upsert", object);
}

static void on_remove(void *ctx, struct wm_str object)
{
    object_line(ctx, "remove", object);
}

static void on_state(void *ctx, enum wm_watch_state s, const struct wm_error *why)
{
    (void)why;
    printf("%sstate %s\n", ((struct probe *)ctx)->prefix, wm_watch_state_name(s));
}

static long resident_kb(const char *key)
{
    char line[256];
    size_t n = strlen(key);
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, n) == 0)
            kb = atol(line + n);
    if (f)
        fclose(f);
    return kb;
}

static void stats_line(const struct probe *p)
{
    struct wm_watch_stats s;
    struct rusage u;

    wm_watch_stats(p->watch, &s);
    getrusage(RUSAGE_SELF, &u);
    printf("%sstats state=%s lists=%llu pages=%llu watches=%llu events=%llu bookmarks=%llu expired=%llu "
           "errors=%llu "
           "bytes=%llu streams=%llu audits=%llu confirmed=%d rss_kb=%ld peak_kb=%ld cpu_ms=%lld\n",
           p->prefix, wm_watch_state_name(s.state), (unsigned long long)s.lists,
           (unsigned long long)s.list_pages, (unsigned long long)s.watches, (unsigned long long)s.events,
           (unsigned long long)s.bookmarks, (unsigned long long)s.expired, (unsigned long long)s.errors,
           (unsigned long long)s.bytes, (unsigned long long)s.streams, (unsigned long long)s.audits,
           s.confirmed, resident_kb("VmRSS:"), resident_kb("VmHWM:"),
           (long long)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
               (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000);
}

struct settings {
    const char *kubeconfig;
    struct wm_watch_spec spec;
    char **paths;
    int n_paths;
    bool quiet;
    int stats_ms;
};

static bool read_options(int argc, char **argv, struct settings *s)
{
    static const struct option options[] = {
        {"kubeconfig", required_argument, NULL, 'k'},
        {"selector", required_argument, NULL, 's'},
        {"metadata", no_argument, NULL, 'm'},
        {"page", required_argument, NULL, 'p'},
        {"watch-s", required_argument, NULL, 'w'},
        {"quorum", no_argument, NULL, 'u'},
        {"stream", no_argument, NULL, 'e'},
        {"audit-s", required_argument, NULL, 'a'},
        {"quiet", no_argument, NULL, 'q'},
        {"stats", required_argument, NULL, 't'},
        {"debug", no_argument, NULL, 'd'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'k':
            s->kubeconfig = optarg;
            break;
        case 's':
            s->spec.label_selector = optarg;
            break;
        case 'm':
            s->spec.metadata_only = true;
            break;
        case 'p':
            s->spec.page_size = atoi(optarg);
            break;
        case 'w':
            s->spec.watch_min_s = s->spec.watch_max_s = atoi(optarg);
            break;
        case 'u':
            s->spec.quorum_first = true;
            break;
        case 'e':
            s->spec.stream = true;
            break;
        case 'a':
            s->spec.audit_s = atoi(optarg);
            break;
        case 'q':
            s->quiet = true;
            break;
        case 't':
            s->stats_ms = atoi(optarg);
            break;
        case 'd':
            wm_log_set_level(WM_LOG_DEBUG);
            break;
        default:
            return false;
        }
    }
    s->paths = argv + optind;
    s->n_paths = argc - optind;
    return s->n_paths > 0 && s->n_paths <= MAX_PATHS;
}

static int start_all(struct wm_kube *k, const struct settings *s, struct probe *probes, struct wm_error *err)
{
    int rc = WM_OK;

    for (int i = 0; i < s->n_paths && rc == WM_OK; i++) {
        struct probe *p = &probes[i];
        struct wm_watch_sink sink = {p, on_begin, on_end, on_abort, on_upsert, on_remove, on_state};
        struct wm_watch_spec spec = s->spec;

        p->quiet = s->quiet;
        if (s->n_paths > 1)
            snprintf(p->prefix, sizeof p->prefix, "%d ", i + 1);
        spec.path = s->paths[i];
        rc = wm_watch_start(k, &spec, &sink, &p->watch, err);
    }
    return rc;
}

static int run(const struct settings *s, struct wm_error *err)
{
    static struct probe probes[MAX_PATHS];
    struct wm_kube_opts opts = {.user_agent = "waymark-probe/" WAYMARK_VERSION};
    struct wm_kube_access access = {0};
    struct wm_kube *k = NULL;
    struct timespec pause = {s->stats_ms / 1000, s->stats_ms % 1000 * 1000000L};
    sigset_t ends;
    int rc;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if ((rc = wm_kube_access_load(s->kubeconfig, NULL, &access, err)) < 0 ||
        (rc = wm_kube_new(&access, &opts, &k, err)) < 0) {
        wm_kube_access_done(&access);
        return rc;
    }
    if ((rc = start_all(k, s, probes, err)) == WM_OK) {
        while (sigtimedwait(&ends, NULL, s->stats_ms ? &pause : NULL) < 0)
            for (int i = 0; i < s->n_paths && s->stats_ms; i++)
                stats_line(&probes[i]);
        for (int i = 0; i < s->n_paths; i++)
            stats_line(&probes[i]);
    }
    wm_kube_free(k);
    return rc;
}

int main(int argc, char **argv)
{
    struct settings s = {0};
    struct wm_error err = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!read_options(argc, argv, &s)) {
        fprintf(stderr, "usage: kube_watch_probe [OPTION...] PATH...\n");
        return 2;
    }
    if (run(&s, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
        return 1;
    }
    return 0;
}
