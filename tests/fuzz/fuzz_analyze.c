/* A text of any shape as a dump: every migration in it can be judged and told of, in every format. */
#include "fuzz.h"

#include <string.h>

#include "aggregator/analyze_print.h"

enum { OUT_MAX = 64 << 20 };

/* The input's parts are of one cluster each, in turns: a line of three '=' begins the next. */
static const char SEAM[] = "\n===\n";
static const char *const paths[] = {"dump/host.yaml", "dump/source.yaml", "dump/target.yaml",
                                    "clusters/other/all.json"};

static void add_parts(struct wm_dump *d, const char *text, size_t size)
{
    const char *end = text + size;

    for (size_t i = 0; text <= end; i++) {
        const char *seam = memmem(text, (size_t)(end - text), SEAM, strlen(SEAM));
        const char *path = paths[i % (sizeof paths / sizeof paths[0])];

        wm_dump_add_text(d, (struct wm_str){text, (size_t)((seam ? seam : end) - text)}, path, path, NULL);
        if (!seam)
            return;
        text = seam + strlen(SEAM);
    }
}

static void check(const char *format, const struct wm_str out)
{
    wm_auto_json cJSON *tree = NULL;

    if (strcmp(format, "json") == 0 && out.n <= WM_JSON_MAX_TREE_BYTES)
        MUST(wm_json_parse(out, &tree, NULL) == WM_OK, "what is said in JSON is JSON");
    for (size_t i = 0; i < out.n; i++)
        MUST((unsigned char)out.p[i] >= 0x20 || out.p[i] == '\n', "nothing drives the terminal");
}

static void print(const char *format, const struct wm_dump *d, struct wm_analysis *a)
{
    const struct wm_analysis_printer *p = wm_analysis_printer(format);
    const struct wm_analysis_head head = {d, d->youngest_s, false};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(OUT_MAX);

    p->begin(&head, a, &out);
    for (size_t i = 0; i < a->n; i++)
        p->one(a, i, &out);
    p->end(a, &out);
    check(format, wm_buf_text(&out));
}

static void check_screens(struct wm_analysis *a)
{
    for (size_t i = 0; i < a->n; i++) {
        wm_auto_buf struct wm_buf out = WM_BUF_MAX(OUT_MAX);
        struct wm_case c = wm_analysis_case(a, i);
        int lines = 0;

        wm_case_screen(&c, &out);
        for (size_t k = 0; k < out.n; k++)
            lines += out.p[k] == '\n';
        MUST(lines <= WM_SCREEN_LINES, "a first screen is short");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wm_dump d;
    static struct wm_analysis a;

    wm_dump_begin(&d, "host");
    add_parts(&d, (const char *)data, size);
    wm_dump_end(&d);
    const struct wm_world w = {d.model, d.views, d.n_clusters, d.youngest_s + (int64_t)(size % 7200), 3600};

    wm_analyze(&a, &w, NULL);
    check_screens(&a);
    print("text", &d, &a);
    print("json", &d, &a);
    print("yaml", &d, &a);
    wm_analysis_done(&a);
    wm_dump_done(&d);
    return 0;
}
