/* Writing our words into the MigMigration, in its quiet slot. */
#include <stdio.h>
#include <stdlib.h>

#include "follow_impl.h"
#include "repair_look.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* SLOT_MS: with the rules' quiet_ms and the delays of both watches well under mig-controller's sleep of 3 s.
 */
enum { CALL_MS = 5000, SLOT_MS = 1000, RETRY_MS = 10000, PATCH_MAX = 64 << 10 };

static const char JSON_PATCH[] = "application/json-patch+json";
static const char MIGRATIONS[] = "/apis/migration.openshift.io/v1alpha1/namespaces/%s/migmigrations/%s";

/* Another replica may have begun to lead while the call before this one was under way. */
static int send(const struct wm_follow *f, struct wm_kube *host, const struct wm_kube_request *r,
                struct wm_buf *ret_body, int *ret_status, struct wm_error *err)
{
    if (strcmp(r->method, "GET") != 0 && !wm_follow_may_write(f))
        return wm_fail(err, WM_E_CONFLICT, NULL, "this replica does not lead any more");
    return wm_kube_call(host, r, ret_body, ret_status, err);
}

int wm_follow_call(const struct wm_follow *f, struct wm_kube *host, const char *method, const char *path,
                   struct wm_str body, struct wm_buf *ret_body, int *ret_status, struct wm_error *err)
{
    struct wm_kube_request r = {
        .method = method,
        .path = path,
        .content_type = strcmp(method, "PATCH") == 0 ? JSON_PATCH : NULL,
        .body = body,
        .timeout_ms = CALL_MS,
        .max_body = WM_FOLLOW_OBJECT_MAX,
    };

    return send(f, host, &r, ret_body, ret_status, err);
}

void wm_follow_failed(struct wm_follow *f, struct tracked *t, const char *what, const struct wm_error *err)
{
    f->failed++;
    t->retry_ms = wm_mono_ms() + RETRY_MS;
    wm_log(WM_LOG_WARN, "not_written", WM_F("what", what), WM_F("ns", t->namespace_), WM_F("name", t->name),
           WM_F("error", err->msg));
}

/* --- our words --- */

/* The cause that stands to be written; "" = none. */
static const char *cause_of(const struct tracked *t)
{
    const struct wm_said *said = &t->said[WM_SAID_STALLED];

    return said->wanted && said->status ? said->reason : "";
}

/* People wait for a new cause; that one is gone can wait. */
static bool is_urgent(const struct tracked *t)
{
    return cause_of(t)[0] && strcmp(cause_of(t), t->written_cause) != 0;
}

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
        t->slot.urgent = is_urgent(t);
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
        wm_slot_wrote(&t->slot, &wm_slot_rules_mtc, wm_mono_ms());
    else
        wm_slot_refused(&t->slot, wm_mono_ms());
    if (taken) {
        t->live = t->wanted; /* until the watch says otherwise */
        t->written = t->wanted;
        snprintf(t->written_cause, sizeof t->written_cause, "%s", cause_of(t));
    }
    pthread_mutex_unlock(&f->lock);
    *(taken ? &f->writes : &f->refused) += 1;
}

/* WM_E_BUSY = nothing was sent, since the slot was over: the limit on writes is everybody's, and a patch that
 * waits for it, or is tried again, would arrive when the owner works on its object. */
static int put_words(struct wm_follow *f, const struct tracked *t, struct wm_kube *host, int *ret_status,
                     struct wm_error *err)
{
    char path[WM_FOLLOW_PATH_MAX];
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(WM_FOLLOW_OBJECT_MAX), patch = WM_BUF_MAX(PATCH_MAX);
    int64_t until_ms = wm_mono_ms() + SLOT_MS;

    snprintf(path, sizeof path, MIGRATIONS, t->namespace_, t->name);
    int n = wm_follow_call(f, host, "GET", path, (struct wm_str){0}, &object, ret_status, err);

    if (n == WM_OK)
        n = make_patch(f, t, wm_buf_text(&object), &patch, err);
    if (n <= 0)
        return n;
    int64_t left_ms = until_ms - wm_mono_ms();

    if (t->ended)
        return wm_follow_call(f, host, "PATCH", path, wm_buf_text(&patch), NULL, ret_status, err);
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
        wm_follow_failed(f, t, "conditions", &err);
    else
        came_of_it(f, t, rc == WM_OK);
    return true;
}
