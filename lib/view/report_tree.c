/* The objects of a migration in its report: each, and rolled up. */
#include "report_tree.h"

#include "put.h"

const char *wm_report_cluster_name(const struct wm_world *w, uint8_t cluster)
{
    return cluster < w->n_clusters ? w->clusters[cluster].name : "";
}

/* What a kind counts. */
static const char *unit_of(enum wm_kind kind)
{
    static const char *const units[WM_KIND_COUNT] = {
        [WM_KIND_BACKUP] = "items",    [WM_KIND_RESTORE] = "items",    [WM_KIND_PVB] = "bytes",
        [WM_KIND_PVR] = "bytes",       [WM_KIND_DATAUPLOAD] = "bytes", [WM_KIND_DATADOWNLOAD] = "bytes",
        [WM_KIND_DEPLOYMENT] = "pods", [WM_KIND_DAEMONSET] = "pods",   [WM_KIND_JOB] = "pods",
        [WM_KIND_REPLICASET] = "pods",
    };

    return units[kind] ? units[kind] : "";
}

/* --- progress --- */

/* Rounded down: 100 is said of what is done only. */
static int percent_of(int64_t done, int64_t total)
{
    if (done <= 0)
        return 0;
    if (done >= total)
        return 100;
    return (int)(total > INT64_MAX / 100 ? done / (total / 100 + 1) : done * 100 / total);
}

static void put_progress(const struct wm_progress *p, enum wm_kind kind, struct wm_buf *out)
{
    wm_put_open(out, NULL, '{');
    wm_put_text(out, "kind", wm_kinds[kind].kind);
    wm_put_int(out, "objects", p->objects);
    wm_put_int(out, "ended", p->ended);
    wm_put_int(out, "faulty", p->faulty);
    if (p->total > 0) {
        wm_put_int(out, "done", p->done);
        wm_put_int(out, "total", p->total);
        wm_put_text(out, "unit", unit_of(kind));
        wm_put_int(out, "percent", percent_of(p->done, p->total));
    }
    wm_put_close(out, '}');
}

void wm_report_put_progress(const struct wm_situation *s, struct wm_buf *out)
{
    wm_put_open(out, "progress", '[');
    for (enum wm_kind k = WM_KIND_NONE + 1; k < WM_KIND_COUNT; k++)
        if (s->progress[k].objects > 0)
            put_progress(&s->progress[k], k, out);
    wm_put_close(out, ']');
}

/* --- tree --- */

/* Velero writes the first phase of an object late, or never. */
static const char *state_of(const struct wm_world *w, const struct wm_record *r)
{
    const char *phase = wm_model_word(w->model, r->phase);

    return phase[0] ? phase : wm_velero_phase(wm_velero_kind_of((enum wm_kind)r->kind), "")->name;
}

static int64_t since_of(const struct wm_record *r)
{
    return r->completed_s ? r->completed_s : r->started_s ? r->started_s : r->created_s;
}

static void put_twig(const struct wm_world *w, const struct wm_twig *t, struct wm_buf *out)
{
    const struct wm_record *r = t->record;

    wm_put_open(out, NULL, '{');
    wm_put_int(out, "depth", t->depth);
    wm_put_text(out, "cluster", wm_report_cluster_name(w, r->cluster));
    wm_put_text(out, "kind", wm_kinds[r->kind].kind);
    wm_put_text(out, "namespace", wm_model_word(w->model, r->namespace_));
    wm_put_text(out, "name", wm_record_name(r));
    wm_put_text(out, "state", state_of(w, r));
    if (r->going)
        wm_put_true(out, "deleting");
    if (r->done >= 0)
        wm_put_int(out, "done", r->done);
    if (r->total >= 0)
        wm_put_int(out, "total", r->total);
    if (r->done >= 0 || r->total >= 0)
        wm_put_text(out, "unit", unit_of((enum wm_kind)r->kind));
    wm_put_time(out, "since", since_of(r));
    wm_put_text(out, "message", wm_record_message(r));
    wm_put_close(out, '}');
}

/* `out` as it was when it held `n` bytes. */
static void cut(struct wm_buf *out, size_t n)
{
    out->n = n;
    out->bad = WM_OK;
    out->p[n] = '\0';
}

void wm_report_put_tree(const struct wm_world *w, const struct wm_situation *s, size_t end,
                        struct wm_buf *out)
{
    static const char behind[] = "],\"treeOmitted\":18446744073709551615}";
    size_t i = 0, more;

    wm_put_open(out, "tree", '[');
    if (out->bad)
        return;
    for (; i < s->n_twigs; i++) {
        size_t before = out->n;

        put_twig(w, &s->tree[i], out);
        if (out->bad == WM_E_NOMEM)
            return;
        if (out->bad || out->n + sizeof behind > end) {
            cut(out, before);
            break;
        }
    }
    wm_put_close(out, ']');
    more = s->n_twigs - i + s->n_twigs_more;
    if (more)
        wm_put_int(out, "treeOmitted", (int64_t)more);
}
