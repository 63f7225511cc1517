#include "analyze_command.h"

#include <stdio.h>
#include <unistd.h>

#include "analyze.h"
#include "analyze_args.h"
#include "analyze_print.h"
#include "dump.h"
#include "waymark/commands.h"
#include "waymark/restarts.h"
#include "waymark/time.h"

enum { STATUS_WELL = 0, STATUS_FOUND = 1, STATUS_NOTHING = 2 };
enum { OUT_MAX = 64 << 20, POD_VOLUME_TIMEOUT_S = 3600 };

static const char PROGRAM[] = "waymark-aggregator", HOST[] = "host";

/* One run. */
struct run {
    struct wm_analyze_args args;
    const struct wm_analysis_printer *printer;
    struct wm_ticker ticker;
    struct wm_dump dump;
    struct wm_analysis analysis;
    struct wm_ledger *ledger; /* owned */
    int64_t now_s;
};

/* --- reading --- */

static int prepare(struct run *r, struct wm_error *err)
{
    const struct wm_analyze_args *a = &r->args;

    if (!(r->printer = wm_analysis_printer(a->output ? a->output : "text")))
        return wm_fail(err, WM_E_INVALID, "--output", "'%s' is not one of text, json, yaml", a->output);
    if (a->now && !wm_time_parse(wm_str_of(a->now), &r->now_s))
        return wm_fail(err, WM_E_INVALID, "--now", "'%s' is not a time as 2026-01-02T03:04:05Z", a->now);
    for (size_t i = 0; i < a->n_paths; i++)
        if (strcmp(a->paths[i].path, "-") != 0 && access(a->paths[i].path, R_OK) != 0)
            return wm_fail_errno(err, WM_E_NOT_FOUND, a->paths[i].path, "cannot read");
    r->ticker = wm_ticker(a->progress || isatty(STDERR_FILENO));
    r->dump.ticker = &r->ticker;
    return WM_OK;
}

static void read_paths(struct run *r, const char *host)
{
    wm_dump_begin(&r->dump, host);
    for (size_t i = 0; i < r->args.n_paths; i++)
        wm_dump_add(&r->dump, r->args.paths[i].path, r->args.paths[i].cluster);
}

static bool can_be_read_again(const struct wm_analyze_args *a)
{
    for (size_t i = 0; i < a->n_paths; i++)
        if (strcmp(a->paths[i].path, "-") == 0)
            return false;
    return true;
}

/* Whose folder the host's is may be known only when all is read; then all is read once more. */
static void read_dump(struct run *r)
{
    wm_name host;

    read_paths(r, r->args.host ? r->args.host : HOST);
    snprintf(host, sizeof host, "%s", wm_dump_host(&r->dump));
    if (!r->args.host && strcmp(host, r->dump.names[0]) != 0 && can_be_read_again(&r->args)) {
        wm_dump_done(&r->dump);
        read_paths(r, host);
    }
    wm_dump_end(&r->dump);
    wm_ticker_erase(&r->ticker);
}

/* --- telling --- */

static void tell_read(const struct run *r)
{
    const struct wm_dump *d = &r->dump;

    for (size_t i = 0; i < d->n_errors && i < WM_DUMP_ERRORS_MAX; i++)
        wm_complain(PROGRAM, &d->errors[i], 0);
    if (d->n_errors)
        fprintf(stderr, "%s: %zu could not be read, and %s left out\n", PROGRAM, d->n_errors,
                d->n_errors == 1 ? "is" : "are");
    if (r->args.verbose)
        fprintf(stderr, "%s: read %zu objects in %zu files; %zu are of kinds that are not followed\n",
                PROGRAM, d->n_objects, d->n_files, d->n_ignored);
}

/* Folders whose name no MigCluster has are read for nothing. */
static void tell_strangers(const struct run *r)
{
    const struct wm_dump *d = &r->dump;

    for (size_t i = 1; i < d->n_clusters; i++)
        if (d->seen[i] && !wm_dump_has_cluster(d, d->names[i]))
            fprintf(stderr,
                    "%s: no MigCluster is called '%.253s', as a cluster of the dump is: name it with "
                    "--cluster NAME=PATH\n",
                    PROGRAM, d->names[i]);
}

static int print_all(struct run *r, struct wm_error *err)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(OUT_MAX);
    struct wm_analysis_head head = {&r->dump, r->now_s, r->args.now != NULL};
    int rc = WM_OK;

    r->printer->begin(&head, &r->analysis, &out);
    for (size_t i = 0; rc == WM_OK && i <= r->analysis.n; i++) {
        if (i < r->analysis.n)
            r->printer->one(&r->analysis, i, &out);
        else
            r->printer->end(&r->analysis, &out);
        rc = wm_buf_check(&out, err);
        if (rc == WM_OK && fwrite(wm_buf_text(&out).p, 1, out.n, stdout) != out.n)
            rc = wm_fail_errno(err, WM_E_IO, "output", "cannot write");
        wm_buf_clear(&out);
    }
    if (rc == WM_OK && fflush(stdout) != 0)
        rc = wm_fail_errno(err, WM_E_IO, "output", "cannot write");
    return rc;
}

static int analyze(struct run *r, struct wm_error *err)
{
    struct wm_world world;

    r->now_s = r->args.now ? r->now_s : r->dump.youngest_s;
    r->ledger = wm_dump_ledger(&r->dump, r->now_s);
    world = (struct wm_world){.model = r->dump.model,
                              .clusters = r->dump.views,
                              .n_clusters = r->dump.n_clusters,
                              .now_s = r->now_s,
                              .pod_volume_timeout_s = POD_VOLUME_TIMEOUT_S,
                              .ledger = r->ledger};
    wm_analyze(&r->analysis, &world, r->args.migration);
    if (r->analysis.n == 0 && r->args.migration)
        return wm_fail(err, WM_E_NOT_FOUND, r->args.migration, "there is no such migration in the dump");
    if (r->analysis.n == 0)
        return wm_fail(err, WM_E_NOT_FOUND, NULL,
                       "there is no MigMigration and no VMMigration among the %zu objects that were read",
                       r->dump.n_objects);
    tell_strangers(r);
    return print_all(r, err);
}

static int run(struct run *r, int argc, char *argv[], struct wm_error *err)
{
    int rc = wm_analyze_args_parse(argc, argv, &r->args, err);

    if (rc < 0)
        return rc;
    if (r->args.help) {
        wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 16);

        wm_analyze_help(&text);
        fputs(wm_buf_text(&text).p, stdout);
        return WM_OK;
    }
    if ((rc = prepare(r, err)) < 0)
        return rc;
    read_dump(r);
    tell_read(r);
    return analyze(r, err);
}

int wm_analyze_command(int argc, char *argv[])
{
    wm_auto_free struct run *r = wm_xcalloc(1, sizeof *r);
    struct wm_error err = {0};
    int status = STATUS_NOTHING;

    if (run(r, argc, argv, &err) < 0)
        wm_complain(PROGRAM, &err, 0);
    else
        status = r->analysis.n_alarms ? STATUS_FOUND : STATUS_WELL;
    wm_analysis_done(&r->analysis);
    r->ledger = wm_ledger_free(r->ledger);
    wm_dump_done(&r->dump);
    wm_analyze_args_done(&r->args);
    return status;
}
