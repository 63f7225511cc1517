/* What is kept of MTC's conditions, and of what copies volumes and images directly. */
#include <stddef.h>
#include <stdio.h>

#include "details_impl.h"
#include "waymark/evidence.h"

/* --- conditions --- */

static enum wm_category category_of(struct wm_json_value condition)
{
    static const struct {
        const char *name;
        enum wm_category category;
    } names[] = {
        {"Critical", WM_CATEGORY_CRITICAL}, {"Error", WM_CATEGORY_ERROR}, {"Warn", WM_CATEGORY_WARN}};
    struct wm_json_span s = wm_get_span(condition, "category");

    if (!wm_json_span_is(wm_get_span(condition, "status"), "True"))
        return WM_CATEGORY_NONE;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (wm_json_span_is(s, names[i].name))
            return names[i].category;
    return WM_CATEGORY_NONE;
}

static void read_note(struct wm_json_value condition, enum wm_category category, struct wm_note *n)
{
    n->category = category;
    n->since_s = wm_time_at(condition, "lastTransitionTime");
    wm_span_copy(wm_get_span(condition, "type"), n->type, sizeof n->type);
    wm_span_copy(wm_get_span(condition, "reason"), n->reason, sizeof n->reason);
    wm_json_line(wm_get_span(condition, "message"), n->message, sizeof n->message);
}

void wm_notes_read(struct wm_json_value status, struct wm_notes *ret)
{
    ret->n = 0;
    for (int category = WM_CATEGORY_CRITICAL; category > WM_CATEGORY_NONE; category--)
        for (struct wm_json_value c = wm_json_first(wm_json_get(status, "conditions"));
             c.node && ret->n < WM_NOTES_MAX; c = wm_json_after(c))
            if ((int)category_of(c) == category)
                read_note(c, (enum wm_category)category, &ret->list[ret->n++]);
}

const struct wm_note *wm_note_of(const struct wm_notes *notes, const char *const types[])
{
    for (size_t i = 0; i < notes->n; i++)
        for (size_t k = 0; types[k]; k++)
            if (strcmp(notes->list[i].type, types[k]) == 0)
                return &notes->list[i];
    return NULL;
}

const struct wm_note *wm_note_blocking(const struct wm_notes *notes)
{
    return notes->n && notes->list[0].category >= WM_CATEGORY_ERROR ? &notes->list[0] : NULL;
}

/* --- plans --- */

/* The kinds that the target cluster does not know (MigPlan, status.incompatibleNamespaces). */
void wm_incompatible_read(struct wm_json_value status, char *out, size_t size)
{
    struct wm_json_value first = wm_json_first(wm_json_get(status, "incompatibleNamespaces"));
    struct wm_json_value gvk = wm_json_first(wm_json_get(first, "gvks"));
    wm_word kind = "", version = "";
    wm_name group = "";

    out[0] = '\0';
    if (!gvk.node)
        return;
    wm_span_copy(wm_get_span(gvk, "kind"), kind, sizeof kind);
    wm_span_copy(wm_get_span(gvk, "version"), version, sizeof version);
    wm_span_copy(wm_get_span(gvk, "group"), group, sizeof group);
    snprintf(out, size, "%s.%s.%s", kind, version, group);
}

/* --- volumes --- */

enum { ATTEMPTS_DEFAULT = 20 }; /* mig-controller pkg/controller/directvolumemigration, RSYNC_BACKOFF_LIMIT */

void wm_attempts_read(const struct wm_parts *p, struct wm_dvm_state *d)
{
    int limit = wm_number_at(p->spec, "backOffLimit");

    d->attempts = limit > 0 ? limit : ATTEMPTS_DEFAULT;
    for (struct wm_json_value o = wm_json_first(wm_json_get(p->status, "rsyncOperations")); o.node;
         o = wm_json_after(o)) {
        struct wm_json_value claim = wm_json_get(o, "pvcReference");
        int attempt = wm_number_at(o, "currentAttempt");

        if (attempt <= d->attempt || wm_is_true(o, "succeeded") || wm_is_true(o, "failed"))
            continue;
        d->attempt = attempt;
        wm_span_copy(wm_get_span(claim, "namespace"), d->claim_namespace, sizeof d->claim_namespace);
        wm_span_copy(wm_get_span(claim, "name"), d->claim, sizeof d->claim);
    }
}

/* The youngest entry that ended badly of those that former pods left. */
static struct wm_json_value last_failure(struct wm_json_value status)
{
    struct wm_json_value found = {0};

    for (struct wm_json_value s = wm_json_first(wm_json_get(status, "rsyncPodStatuses")); s.node;
         s = wm_json_after(s))
        if (wm_number_at(s, "exitCode") > 0)
            found = s;
    return found;
}

/* They are texts: "45%", "12.5MB/s". */
static uint64_t progress_of(struct wm_json_value status)
{
    static const char *const keys[] = {"totalProgressPercentage", "lastObservedProgressPercent",
                                       "lastObservedTransferRate"};
    uint64_t digest = 0;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (wm_is_set(status, keys[i]))
            digest = wm_str_digest(wm_get_span(status, keys[i]).text, digest + i + 1);
    return digest;
}

static bool has_exit_code(struct wm_json_value status)
{
    return wm_get_span(status, "exitCode").kind == WM_JSON_NUMBER;
}

void *wm_rsync_make(const struct wm_parts *p)
{
    struct wm_json_value pod = wm_json_get(p->spec, "podRef"), ended = p->status;
    struct wm_texts t;
    struct wm_rsync_state r;

    wm_texts_begin(&t, &r, sizeof r);
    if (!has_exit_code(p->status)) {
        struct wm_json_value former = last_failure(p->status);

        ended = former.node ? former : ended;
    }
    r.progress = progress_of(p->status);
    r.exit_code = has_exit_code(ended) ? wm_number_at(ended, "exitCode") : -1;
    /* There are thousands that ended well. */
    wm_texts_line(&t, offsetof(struct wm_rsync_state, log),
                  r.exit_code > 0 ? wm_get_span(ended, "logMessage") : (struct wm_json_span){0}, WM_NOTE_MAX);
    wm_texts_line(&t, offsetof(struct wm_rsync_state, pod),
                  wm_is_set(p->status, "podName") ? wm_get_span(p->status, "podName")
                                                  : wm_get_span(pod, "name"),
                  WM_NAME_MAX);
    wm_texts_line(&t, offsetof(struct wm_rsync_state, pod_namespace),
                  wm_is_set(p->spec, "podNamespace") ? wm_get_span(p->spec, "podNamespace")
                                                     : wm_get_span(pod, "namespace"),
                  WM_WORD_MAX);
    wm_texts_line(&t, offsetof(struct wm_rsync_state, cluster),
                  wm_get_span(wm_json_get(p->spec, "clusterRef"), "name"), WM_NAME_MAX);
    return wm_texts_close(&t, &r, sizeof r);
}

/* --- images --- */

void *wm_image_make(const struct wm_parts *p)
{
    static const char failed[] = "Failed";
    struct wm_json_value errors = wm_json_get(p->status, "errors"), blocker = {0};
    struct wm_texts t;
    struct wm_image_state i;
    wm_word phase = "";

    wm_texts_begin(&t, &i, sizeof i);
    for (struct wm_json_value c = wm_json_first(wm_json_get(p->status, "conditions"));
         c.node && !blocker.node; c = wm_json_after(c))
        if (category_of(c) >= WM_CATEGORY_ERROR)
            blocker = c;
    wm_span_copy(wm_get_span(p->status, "phase"), phase, sizeof phase);
    size_t n = strlen(phase), m = strlen(failed);

    i.failed = wm_json_count(errors) || (n >= m && strcmp(phase + n - m, failed) == 0);
    i.blocked_s = wm_time_at(blocker, "lastTransitionTime");
    wm_texts_line(&t, offsetof(struct wm_image_state, blocker), wm_get_span(blocker, "type"), WM_WORD_MAX);
    wm_texts_line(&t, offsetof(struct wm_image_state, why), wm_get_span(blocker, "message"), WM_TEXT_MAX);
    wm_texts_line(&t, offsetof(struct wm_image_state, error), wm_json_span_of(wm_json_first(errors)),
                  WM_TEXT_MAX);
    return wm_texts_close(&t, &i, sizeof i);
}

const struct wm_rsync_state *wm_rsync_of(const struct wm_record *r)
{
    static const struct wm_rsync_state nothing = {
        .exit_code = -1, .pod_namespace = "", .pod = "", .cluster = "", .log = ""};

    return r->detail && r->kind == WM_KIND_DVMP ? r->detail : &nothing;
}

const struct wm_image_state *wm_image_of(const struct wm_record *r)
{
    static const struct wm_image_state nothing = {.blocker = "", .why = "", .error = ""};

    return r->detail && (r->kind == WM_KIND_DIM || r->kind == WM_KIND_DISM) ? r->detail : &nothing;
}
