/* Writing what is due: our words into the MigMigration in its quiet slot, the report whenever it is new. */
#include <stdio.h>
#include <stdlib.h>

#include "follow_impl.h"
#include "repair_look.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* SLOT_MS: with the rules' quiet_ms and the delays of both watches well under mig-controller's sleep of 3 s.
 */
enum {
    CALL_MS = 5000,
    SLOT_MS = 1000,
    RETRY_MS = 10000,
    PATH_MAX_N = 1024,
    OBJECT_MAX = 4 << 20,
    PATCH_MAX = 64 << 10
};

static const char JSON_PATCH[] = "application/json-patch+json";
static const char MIGRATIONS[] = "/apis/migration.openshift.io/v1alpha1/namespaces/%s/migmigrations/%s";
static const char REPORTS[] = "/apis/waymark.io/v1alpha1/namespaces/%s/migrationreports";

/* Another replica may have begun to lead while the call before this one was under way. */
static int send(const struct wm_follow *f, struct wm_kube *host, const struct wm_kube_request *r,
                struct wm_buf *ret_body, int *ret_status, struct wm_error *err)
{
    if (strcmp(r->method, "GET") != 0 && !wm_follow_may_write(f))
        return wm_fail(err, WM_E_CONFLICT, NULL, "this replica does not lead any more");
    return wm_kube_call(host, r, ret_body, ret_status, err);
}

static int call(const struct wm_follow *f, struct wm_kube *host, const char *method, const char *path,
                const char *type, struct wm_str body, struct wm_buf *ret_body, int *ret_status,
                struct wm_error *err)
{
    struct wm_kube_request r = {
        .method = method,
        .path = path,
        .content_type = type,
        .body = body,
        .timeout_ms = CALL_MS,
        .max_body = OBJECT_MAX,
    };

    return send(f, host, &r, ret_body, ret_status, err);
}

static void failed(struct wm_follow *f, struct tracked *t, const char *what, const struct wm_error *err)
{
    f->failed++;
    t->retry_ms = wm_mono_ms() + RETRY_MS;
    wm_log(WM_LOG_WARN, "not_written", WM_F("what", what), WM_F("ns", t->namespace_), WM_F("name", t->name),
           WM_F("error", err->msg));
}

/* --- our words --- */

static enum wm_slot_answer ask_slot(struct wm_follow *f, struct tracked *t)
{
    int64_t again_ms, now_ms = wm_mono_ms();
    enum wm_slot_answer answer = WM_SLOT_WAIT;

    pthread_mutex_lock(&f->lock);
    if (!t->seen || t->wanted == 0) {
        /* not judged, or not seen yet */
    } else if (t->live == t->wanted) {
        wm_slot_idle(&t->slot);
    } else {
        if (t->written == t->wanted) {
            wm_slot_lost(&t->slot, &wm_slot_rules_mtc, now_ms);
            f->lost++;
            t->written = 0;
        }
        answer = wm_slot_ask(&t->slot, &wm_slot_rules_mtc, t->ended, t->polls, now_ms, &again_ms);
    }
    pthread_mutex_unlock(&f->lock);
    return answer;
}

/* The labels of a running migration ride along: a write of their own could cost mig-controller a conflict. */
static int add_labels(const struct wm_follow *f, struct wm_str object, struct wm_buf *patch)
{
    struct wm_lack_look look = {
        .conf = f->opts.labels, .kind = WM_KIND_MIGMIGRATION, .object = object, .quiet = true};
    wm_uid missing;

    return f->opts.labels && wm_lack_of(&look, patch, missing) == WM_LACKS_LABELS;
}

/* The patch from the object as it is now; its number of changes, or an error. */
static int make_patch(struct wm_follow *f, const struct tracked *t, struct wm_str object,
                      struct wm_buf *patch, struct wm_error *err)
{
    int conditions = 0, notes = 0;

    if (f->opts.conditions)
        conditions = wm_conditions_patch(object, WM_CONDITIONS_MTC, t->said, WM_SAID_COUNT,
                                         wm_wall_s() + t->offset_s, patch, err);
    if (conditions >= 0 && f->opts.verdicts)
        notes = wm_annotation_patch(object, WM_VERDICT_KEY, t->verdict, patch, err);
    if (conditions < 0 || notes < 0)
        return conditions < 0 ? conditions : notes;
    return conditions + notes + add_labels(f, object, patch);
}

static void came_of_it(struct wm_follow *f, struct tracked *t, bool taken)
{
    pthread_mutex_lock(&f->lock);
    if (taken)
        wm_slot_wrote(&t->slot, wm_mono_ms());
    else
        wm_slot_refused(&t->slot, wm_mono_ms());
    if (taken) {
        t->live = t->wanted; /* until the watch says otherwise */
        t->written = t->wanted;
    }
    pthread_mutex_unlock(&f->lock);
    *(taken ? &f->writes : &f->refused) += 1;
}

/* WM_E_BUSY = nothing was sent, since the slot was over: the limit on writes is everybody's, and a patch that
 * waits for it, or is tried again, would arrive when the owner works on its object. */
static int put_words(struct wm_follow *f, const struct tracked *t, struct wm_kube *host, int *ret_status,
                     struct wm_error *err)
{
    char path[PATH_MAX_N];
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(OBJECT_MAX), patch = WM_BUF_MAX(PATCH_MAX);
    int64_t until_ms = wm_mono_ms() + SLOT_MS;

    snprintf(path, sizeof path, MIGRATIONS, t->namespace_, t->name);
    int n = call(f, host, "GET", path, NULL, (struct wm_str){0}, &object, ret_status, err);

    if (n == WM_OK)
        n = make_patch(f, t, wm_buf_text(&object), &patch, err);
    if (n <= 0)
        return n;
    int64_t left_ms = until_ms - wm_mono_ms();

    if (t->ended)
        return call(f, host, "PATCH", path, JSON_PATCH, wm_buf_text(&patch), NULL, ret_status, err);
    if (left_ms <= 0)
        return wm_fail(err, WM_E_BUSY, NULL, "its owner may be at work again");
    struct wm_kube_request r = {.method = "PATCH",
                                .path = path,
                                .content_type = JSON_PATCH,
                                .body = wm_buf_text(&patch),
                                .timeout_ms = CALL_MS,
                                .start_ms = (int)left_ms,
                                .once = true};

    return send(f, host, &r, NULL, ret_status, err);
}

bool wm_follow_write_words(struct wm_follow *f, struct tracked *t, struct wm_kube *host)
{
    struct wm_error err = {0};
    int status = 0;

    if (t->gone || wm_mono_ms() < t->retry_ms)
        return false;
    enum wm_slot_answer answer = ask_slot(f, t);

    if (answer == WM_SLOT_GIVE_UP)
        wm_log(WM_LOG_WARN, "words_taken_away", WM_F("ns", t->namespace_), WM_F("name", t->name));
    if (answer != WM_SLOT_NOW)
        return false;
    int rc = put_words(f, t, host, &status, &err);

    if (rc == WM_E_BUSY && status != 429)
        f->refused++; /* the next slot comes by itself */
    else if (rc < 0 && status != 404 && status != 409 && status != 422)
        failed(f, t, "conditions", &err);
    else
        came_of_it(f, t, rc == WM_OK);
    return true;
}

/* --- the report --- */

static void report_path(const struct tracked *t, bool one, bool status, char path[static PATH_MAX_N])
{
    char name[WM_NAME_MAX + 1];
    int n = snprintf(path, PATH_MAX_N, REPORTS, t->namespace_);

    wm_report_name("MigMigration", t->name, t->uid, name);
    if (one)
        snprintf(path + n, PATH_MAX_N - (size_t)n, "/%s%s", name, status ? "/status" : "");
}

static void read_uid(struct wm_str object, wm_uid ret)
{
    static const char *const pointers[] = {"/metadata/uid"};
    struct wm_json_span s;

    if (wm_json_locate(object, 1, pointers, &s, NULL) == WM_OK)
        wm_span_copy(s, ret, sizeof(wm_uid));
}

/* The report of a phase is written when its event is told: what came after it is still to be told. */
static void recall(struct tracked *t)
{
    const struct wm_history *h = t->history;

    if (t->told[0] || h->n == 0)
        return;
    memcpy(t->told, h->moments[h->n - 1].phase, sizeof t->told);
    t->recalled = true;
}

void wm_follow_read_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host)
{
    char path[PATH_MAX_N];
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(OBJECT_MAX);
    struct wm_error err = {0};
    int status = 0;

    if (!t->name[0]) { /* it is judged once before its name is known */
        wm_follow_changed(f, t->id);
        return;
    }
    if (wm_mono_ms() < t->retry_ms)
        return;
    report_path(t, true, false, path);
    int rc = call(f, host, "GET", path, NULL, (struct wm_str){0}, &object, &status, &err);

    t->report_unread = rc < 0 && status != 404;
    if (t->report_unread) {
        failed(f, t, "report, not even read", &err);
        return;
    }
    t->report_known = true;
    t->history = wm_xcalloc(1, sizeof *t->history);
    if (rc == WM_OK && wm_history_read(t->history, wm_buf_text(&object), t->uid))
        t->stored = wm_buf_take(&object);
    else if (rc == WM_OK)
        read_uid(wm_buf_text(&object), t->foreign);
    recall(t);
}

/* Its owner is gone; the garbage collector would take it, and our words in it, sooner or later. */
static int drop_foreign(const struct wm_follow *f, struct tracked *t, struct wm_kube *host,
                        struct wm_error *err)
{
    wm_auto_buf struct wm_buf options = WM_BUF_MAX(PATCH_MAX);
    char path[PATH_MAX_N];
    int status = 0;

    if (!t->foreign[0])
        return WM_OK;
    wm_buf_puts(&options, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":");
    wm_json_quote(&options, wm_str_of(t->foreign));
    wm_buf_puts(&options, "}}");
    report_path(t, true, false, path);
    int rc = call(f, host, "DELETE", path, NULL, wm_buf_text(&options), NULL, &status, err);

    if (rc < 0 && status != 404 && status != 409)
        return rc;
    t->foreign[0] = '\0';
    return WM_OK;
}

static int create_report(const struct wm_follow *f, const struct tracked *t, struct wm_kube *host,
                         int *ret_status, struct wm_error *err)
{
    struct wm_migration_state m = {0};
    struct wm_situation s = {.state = &m};
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(PATCH_MAX);
    char path[PATH_MAX_N];

    memcpy(m.namespace_, t->namespace_, sizeof m.namespace_);
    memcpy(m.name, t->name, sizeof m.name);
    memcpy(m.uid, t->uid, sizeof m.uid);
    memcpy(m.plan_namespace, t->plan_namespace, sizeof m.plan_namespace);
    memcpy(m.plan, t->plan, sizeof m.plan);
    wm_report_object(&s, &object);
    report_path(t, false, false, path);
    return call(f, host, "POST", path, NULL, wm_buf_text(&object), NULL, ret_status, err);
}

static int put_status(const struct wm_follow *f, const struct tracked *t, struct wm_kube *host,
                      int *ret_status, struct wm_error *err)
{
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(WM_REPORT_MAX + PATCH_MAX);
    char path[PATH_MAX_N];

    wm_buf_puts(&patch, "[{\"op\":\"add\",\"path\":\"/status\",\"value\":");
    wm_buf_puts(&patch, t->report_due);
    wm_buf_puts(&patch, "}]");
    report_path(t, true, true, path);
    return call(f, host, "PATCH", path, JSON_PATCH, wm_buf_text(&patch), NULL, ret_status, err);
}

void wm_follow_forget(struct tracked *t)
{
    free(t->history);
    t->history = NULL;
    t->report_known = false;
}

bool wm_follow_write_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host)
{
    struct wm_error err = {0};
    int status = 0;

    if (!t->report_due || t->gone || wm_mono_ms() < t->retry_ms)
        return false;
    int rc = drop_foreign(f, t, host, &err);

    if (rc == WM_OK)
        rc = put_status(f, t, host, &status, &err);
    if (rc < 0 && status == 404) {
        rc = create_report(f, t, host, &status, &err);
        if (rc == WM_OK || status == 409)
            rc = put_status(f, t, host, &status, &err);
    }
    if (rc < 0) {
        failed(f, t, "report", &err);
        return true;
    }
    f->writes++;
    t->report = wm_str_digest(wm_str_of(t->report_due), strlen(t->report_due));
    free(t->report_due);
    t->report_due = NULL;
    if (t->ended)
        wm_follow_forget(t);
    return true;
}
