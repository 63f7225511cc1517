#include "analyze_print.h"

#include "waymark/time.h"
#include "waymark/yaml.h"

enum { REPORT_MAX = 2 << 20 };

static void nothing(const struct wm_analysis *a, struct wm_buf *out)
{
    (void)a;
    (void)out;
}

/* --- text --- */

static void text_begin(const struct wm_analysis_head *h, struct wm_analysis *a, struct wm_buf *out)
{
    char now[WM_TIME_SIZE];

    wm_time_print(h->now_s, now);
    wm_buf_printf(out, "%zu migration%s, %zu of them held up or threatened; now is %s, %s\n\n", a->n,
                  a->n == 1 ? "" : "s", a->n_alarms, now,
                  h->now_given ? "as --now says" : "the youngest time in the dump");
    for (size_t i = 0; i < a->n; i++) {
        struct wm_case c = wm_analysis_case(a, i);

        wm_case_screen(&c, out);
        wm_buf_puts(out, "\n");
    }
}

static void text_one(struct wm_analysis *a, size_t i, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf details = WM_BUF_MAX(out->max);
    struct wm_case c = wm_analysis_case(a, i);

    wm_case_details(&c, &details);
    if (details.n)
        wm_buf_printf(out, "--- %s %s/%s, in detail\n", wm_kinds[a->s.migration->kind].kind,
                      a->s.state->namespace_, a->s.state->name);
    wm_buf_str(out, wm_buf_text(&details));
    wm_buf_puts(out, details.n ? "\n" : "");
}

/* --- JSON --- */

static void put_place(const struct wm_error *e, struct wm_buf *out)
{
    wm_buf_puts(out, "{\"where\":");
    wm_json_quote(out, wm_str_of(e->where));
    wm_buf_puts(out, ",\"message\":");
    wm_json_quote(out, wm_str_of(e->msg));
    wm_buf_puts(out, "}");
}

static void json_begin(const struct wm_analysis_head *h, struct wm_analysis *a, struct wm_buf *out)
{
    const struct wm_dump *d = h->dump;
    char now[WM_TIME_SIZE];

    wm_time_print(h->now_s, now);
    wm_buf_printf(out,
                  "{\"now\":\"%s\",\"nowFrom\":\"%s\",\"objects\":%zu,\"files\":%zu,\"notFollowed\":%zu,"
                  "\"heldUp\":%zu,\"clusters\":[",
                  now, h->now_given ? "argument" : "dump", d->n_objects, d->n_files, d->n_ignored,
                  a->n_alarms);
    for (size_t i = 0; i < d->n_clusters; i++) {
        wm_buf_puts(out, i ? ",{\"name\":" : "{\"name\":");
        wm_json_quote(out, wm_str_of(d->names[i]));
        wm_buf_printf(out, ",\"sight\":\"%s\"}", wm_sight_name(d->views[i].sight));
    }
    wm_buf_puts(out, "],\"unread\":[");
    for (size_t i = 0; i < d->n_errors && i < WM_DUMP_ERRORS_MAX; i++) {
        wm_buf_puts(out, i ? "," : "");
        put_place(&d->errors[i], out);
    }
    wm_buf_puts(out, "],\"migrations\":[");
}

static void json_one(struct wm_analysis *a, size_t i, struct wm_buf *out)
{
    struct wm_case c = wm_analysis_case(a, i);

    wm_buf_puts(out, i ? ",\n" : "\n");
    size_t from = out->n;

    wm_buf_puts(out, "[");
    wm_case_object(&c, out);
    if (out->bad == WM_OK)
        out->p[from] = ' ';
}

static void json_end(const struct wm_analysis *a, struct wm_buf *out)
{
    (void)a;
    wm_buf_puts(out, "\n]}\n");
}

/* --- MigrationReports --- */

static void no_head(const struct wm_analysis_head *h, struct wm_analysis *a, struct wm_buf *out)
{
    (void)h;
    nothing(a, out);
}

static void yaml_one(struct wm_analysis *a, size_t i, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf report = WM_BUF_MAX(REPORT_MAX);
    wm_auto_json cJSON *tree = NULL;

    wm_analysis_report(a, i, &report);
    if (wm_json_parse(wm_buf_text(&report), &tree, NULL) == WM_OK)
        wm_yaml_print(tree, out, NULL);
}

/* --- which --- */

const struct wm_analysis_printer *wm_analysis_printer(const char *name)
{
    static const struct wm_analysis_printer printers[] = {
        {"text", text_begin, text_one, nothing},
        {"json", json_begin, json_one, json_end},
        {"yaml", no_head, yaml_one, nothing},
    };

    for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++)
        if (strcmp(printers[i].name, name) == 0)
            return &printers[i];
    return NULL;
}
