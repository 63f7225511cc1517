#include "review_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy_source.h"
#include "review_args.h"
#include "review_print.h"
#include "settings.h"
#include "waymark/clock.h"
#include "waymark/ticker.h"
#include "waymark/time.h"

enum { STATUS_ALLOWED = 0, STATUS_DENIED = 1, STATUS_UNREAD = 2 };
enum { OUT_MAX = 256 << 20 };

/* One run. */
struct run {
    struct wm_review_args args;
    const struct wm_printer *printer;
    struct wm_settings settings;
    struct wm_label_conf labels;
    struct wm_policy policy;
    struct wm_input reviewed, others;
    struct wm_context context;
    struct wm_tally tally;
    int64_t now_s;
    struct wm_ticker ticker;
    char *cwd;
};

/* --- the terminal --- */

static void on_file(void *ctx, const char *path)
{
    struct run *r = ctx;

    if (wm_ticker_due(&r->ticker))
        fprintf(stderr, WM_TICKER_LINE "reading %.60s", path);
}

static void complain(const struct wm_error *err)
{
    fprintf(stderr, "waymark-webhook: %s%s%s\n", err->where, err->where[0] ? ": " : "", err->msg);
}

static int say(struct run *r, FILE *to, struct wm_buf *text, struct wm_error *err)
{
    int rc = wm_buf_check(text, err);

    if (rc == WM_OK && text->n) {
        wm_ticker_erase(&r->ticker);
        if (fwrite(text->p, 1, text->n, to) != text->n)
            rc = wm_fail_errno(err, WM_E_IO, "output", "cannot write");
    }
    wm_buf_clear(text);
    return rc;
}

/* --- preparing --- */

static const struct wm_printer *printer_of(const char *name)
{
    static const struct wm_printer *const printers[] = {&wm_text_printer, &wm_json_printer, &wm_sarif_printer,
                                                        &wm_yaml_printer};

    for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++)
        if (strcmp(name, printers[i]->name) == 0)
            return printers[i];
    return NULL;
}

/* The same file, read by the same code as the server's. */
static int load_config(struct run *r, struct wm_error *err)
{
    char flag[] = "--config";
    wm_auto_free char *path = r->args.config ? wm_xstrdup(r->args.config) : NULL;
    char *argv[] = {flag, path};
    enum wm_options_wish wish;
    int rc = wm_options_load(&wm_serve_options, path ? 2 : 0, argv, NULL, &r->settings, &wish, err);

    if (rc < 0 || (rc = wm_label_settings_conf(&r->settings.labels, &r->labels, err)) < 0)
        return rc;
    return wm_policy_load(path, &r->policy, err);
}

static int prepare(struct run *r, struct wm_error *err)
{
    const struct wm_review_args *a = &r->args;
    int rc;

    if (!(r->printer = printer_of(a->output ? a->output : "text")))
        return wm_fail(err, WM_E_INVALID, "--output", "'%s' is not one of text, json, sarif, yaml",
                       a->output);
    r->now_s = wm_wall_s();
    if (a->now && !wm_time_parse(wm_str_of(a->now), &r->now_s))
        return wm_fail(err, WM_E_INVALID, "--now", "'%s' is not a time as 2026-01-02T03:04:05Z", a->now);
    if ((rc = load_config(r, err)) < 0)
        return rc;
    r->ticker = wm_ticker(!a->quiet && isatty(STDERR_FILENO));
    r->cwd = getcwd(NULL, 0);
    return WM_OK;
}

static void read_inputs(struct run *r)
{
    const struct wm_review_args *a = &r->args;
    const char *namespace_ = a->namespace_ ? a->namespace_ : r->policy.migration_namespace;

    r->reviewed = (struct wm_input){.default_namespace = namespace_, .on_file = on_file, .ctx = r};
    r->others = r->reviewed;
    for (size_t i = 0; i < a->n_contexts; i++)
        wm_input_add(&r->others, a->contexts[i]);
    for (size_t i = 0; i < a->n_files; i++)
        wm_input_add(&r->reviewed, a->files[i]);
    for (size_t i = 0; i < r->others.n_errors && i < WM_INPUT_MAX_ERRORS; i++)
        wm_input_fail(&r->reviewed, &r->others.errors[i]);
    wm_context_init(&r->context, &r->reviewed, &r->others, &r->labels);
    r->tally = (struct wm_tally){.files = r->reviewed.n_files,
                                 .has_context = a->n_contexts > 0,
                                 .input = &r->reviewed,
                                 .cwd = r->cwd ? r->cwd : ""};
}

/* --- reviewing --- */

/* With -o yaml the findings leave through stderr, so that stdout can be applied. */
static int print_object(struct run *r, const struct wm_reviewed *o, struct wm_buf *out, struct wm_error *err)
{
    int rc;

    r->printer->object(&r->tally, o, out);
    if ((rc = say(r, stdout, out, err)) < 0 || r->printer != &wm_yaml_printer)
        return rc;
    wm_text_printer.object(&r->tally, o, out);
    return say(r, stderr, out, err);
}

static int review_all(struct run *r, struct wm_buf *out, struct wm_error *err)
{
    const struct wm_reviewer reviewer = {&r->labels, &r->policy, &r->context, r->now_s};
    int rc = WM_OK;

    for (size_t i = 0; rc == WM_OK && i < r->reviewed.n; i++) {
        struct wm_reviewed o = {0};
        struct wm_error why = {0};

        if (wm_ticker_due(&r->ticker))
            fprintf(stderr, WM_TICKER_LINE "reviewing %zu of %zu objects", i + 1, r->reviewed.n);
        if (wm_reviewer_run(&reviewer, &r->reviewed.list[i], &o, &why) < 0) {
            wm_input_refuse(&r->reviewed, &r->reviewed.list[i], why.msg);
            continue;
        }
        rc = print_object(r, &o, out, err);
        wm_tally_add(&r->tally, &o);
        wm_reviewed_done(&o);
    }
    return rc;
}

static int report(struct run *r, struct wm_error *err)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(OUT_MAX);
    int rc;

    r->printer->begin(&r->tally, &out);
    if ((rc = review_all(r, &out, err)) < 0)
        return rc;
    r->printer->end(&r->tally, &out);
    if ((rc = say(r, stdout, &out, err)) < 0)
        return rc;
    if (fflush(stdout) != 0)
        return wm_fail_errno(err, WM_E_IO, "output", "cannot write");
    wm_ticker_erase(&r->ticker);
    for (size_t i = 0; i < r->reviewed.n_errors && i < WM_INPUT_MAX_ERRORS; i++)
        complain(&r->reviewed.errors[i]);
    if (!r->args.quiet)
        wm_summary_print(&r->tally, &out);
    return say(r, stderr, &out, err);
}

static int run(struct run *r, int argc, char *argv[], struct wm_error *err)
{
    int rc = wm_review_args_parse(argc, argv, &r->args, err);

    if (rc < 0)
        return rc;
    if (r->args.help) {
        wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 16);

        wm_review_help(&text);
        return say(r, stdout, &text, err);
    }
    if ((rc = prepare(r, err)) < 0)
        return rc;
    read_inputs(r);
    return report(r, err);
}

int wm_review_command(int argc, char *argv[])
{
    struct run r = {0};
    struct wm_error err = {0};
    int status = STATUS_UNREAD;

    if (run(&r, argc, argv, &err) < 0)
        complain(&err);
    else if (r.reviewed.n_errors == 0)
        status = r.tally.denied ? STATUS_DENIED : STATUS_ALLOWED;
    wm_context_done(&r.context);
    wm_input_done(&r.reviewed);
    wm_input_done(&r.others);
    wm_policy_done(&r.policy);
    wm_options_done(&wm_serve_options, &r.settings);
    wm_review_args_done(&r.args);
    free(r.cwd);
    return status;
}
