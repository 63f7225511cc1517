/* Tells an API server of events with the library, for end-to-end tests.  Reads lines:
 *
 *   tell Normal|Warning API_VERSION KIND NAMESPACE NAME UID REASON NOTE...    ("-" = no namespace)
 *   wait COUNTER N      until COUNTER (created, patched, dropped, refused) is N; fails after ten seconds
 *
 * At their end it ends as programs do, and prints the counters.
 *
 * Usage: events_probe [PER_OBJECT_S [PER_OBJECT_HOUR]]       (access by $KUBECONFIG, else as programs find
 * it)
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "waymark/clock.h"
#include "waymark/events.h"

static bool tell(struct wm_events *e, char *line)
{
    enum { TYPE, API_VERSION, KIND, NAMESPACE, NAME, UID, REASON, N };
    char *words[N];

    for (int i = 0; i < N; i++)
        if (!(words[i] = strsep(&line, " ")) || !line)
            return false;
    wm_events_tell(
        e, &(struct wm_event){.regarding = {words[API_VERSION], words[KIND],
                                            strcmp(words[NAMESPACE], "-") == 0 ? NULL : words[NAMESPACE],
                                            words[NAME], words[UID]},
                              .related = {.kind = "Pod", .name = "culprit", .namespace_ = "elsewhere"},
                              .warning = strcmp(words[TYPE], "Warning") == 0,
                              .reason = words[REASON],
                              .action = "Probe",
                              .note = line});
    return true;
}

static uint64_t counter(struct wm_events *e, const char *name)
{
    struct wm_events_stats s;

    wm_events_stats(e, &s);
    const struct {
        const char *name;
        uint64_t n;
    } counters[] = {
        {"created", s.created}, {"patched", s.patched}, {"dropped", s.dropped}, {"refused", s.refused}};

    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        if (strcmp(counters[i].name, name) == 0)
            return counters[i].n;
    return UINT64_MAX;
}

static bool wait_for(struct wm_events *e, char *line)
{
    const char *name = strsep(&line, " ");
    uint64_t n = line ? strtoull(line, NULL, 10) : 0;
    int64_t until = wm_mono_ms() + 10000;

    while (counter(e, name) != n) {
        if (wm_mono_ms() > until)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return true;
}

static bool run_lines(struct wm_events *e)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    bool ok = true;

    while (ok && (n = getline(&line, &size, stdin)) > 0) {
        char *rest = line, *word;

        line[n - 1] = line[n - 1] == '\n' ? '\0' : line[n - 1];
        word = strsep(&rest, " ");
        ok = rest && (strcmp(word, "tell") == 0 ? tell(e, rest) : wait_for(e, rest));
        if (!ok)
            fprintf(stderr, "events_probe: in vain: %s\n", word);
    }
    free(line);
    return ok;
}

static void print_counters(struct wm_events *e)
{
    struct wm_events_stats s;

    wm_events_stats(e, &s);
    printf("told=%llu created=%llu patched=%llu replaced=%llu dropped=%llu refused=%llu\n",
           (unsigned long long)s.told, (unsigned long long)s.created, (unsigned long long)s.patched,
           (unsigned long long)s.replaced, (unsigned long long)s.dropped, (unsigned long long)s.refused);
}

int main(int argc, char **argv)
{
    struct wm_events_opts opts = {.controller = "waymark.io/probe",
                                  .instance = "probe-1",
                                  .per_object_s = argc > 1 ? atoi(argv[1]) : 0,
                                  .per_object_hour = argc > 2 ? atoi(argv[2]) : 0};
    struct wm_kube_access access = {0};
    struct wm_error err = {0};
    struct wm_events *e = NULL;
    bool ok = false;

    if (wm_kube_access_load(NULL, NULL, &access, &err) < 0 ||
        wm_kube_new(&access, NULL, &opts.kube, &err) < 0 || wm_events_new(&opts, &e, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
    } else {
        ok = run_lines(e);
        print_counters(e);
    }
    wm_events_free(e);
    wm_kube_free(opts.kube);
    wm_kube_access_done(&access);
    return ok ? 0 : 1;
}
