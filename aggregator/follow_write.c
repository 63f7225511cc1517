/* Writing our words into the migration, in its quiet slot. */
#include <stdio.h>
#include <stdlib.h>

#include "follow_impl.h"
#include "repair_look.h"
#include "waymark/clock.h"
#include "waymark/log.h"
#include "waymark/patch.h"

/* SLOT_MS: with the rules' quiet_ms and the delays of both watches well under mig-controller's sleep of 3 s.
 */
enum { CALL_MS = 5000, SLOT_MS = 1000, RETRY_MS = 10000, UNANSWERED_MS = 2000, PATCH_MAX = 64 << 10 };

static const char JSON_PATCH[] = "application/json-patch+json";

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
    bool unanswered = err->code == WM_E_IO || err->code == WM_E_TIMEOUT;

    f->failed++;
    t->retry_ms = wm_mono_ms() + (unanswered ? UNANSWERED_MS : RETRY_MS);
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

/* Its owner never writes it again. */
static bool is_left_alone(const struct tracked *t)
{
    return t->ended && !t->kind->goes_on;
}

static const struct wm_slot_rules *rules_of(const struct wm_follow *f, const struct tracked *t)
{
    return f->opts.meta_rules && t->kind->rules == &wm_slot_rules_meta ? f->opts.meta_rules : t->kind->rules;
}

/* What we wrote may be there already: what the watch tells may be older, or half of two requests. */
static bool may_come_yet(const struct wm_follow *f, const struct tracked *t, int64_t now_ms)
{
    return t->written == t->wanted && !is_left_alone(t) &&
           now_ms - t->slot.written_ms < rules_of(f, t)->echo_ms;
}

/* They are not kept where they stood in the object: somebody took them away long after. */
static bool has_words(struct wm_follow *f, struct tracked *t)
{
    if (t->said)
        return true;
    pthread_mutex_lock(&f->lock);
    bool unsaid = wm_follow_is_unsaid(t);

    pthread_mutex_unlock(&f->lock);
    if (unsaid)
        wm_follow_changed(f, t->id);
    return false;
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
    } else if (!may_come_yet(f, t, now_ms)) {
        if (t->written == t->wanted) {
            wm_slot_lost(&t->slot, rules_of(f, t), now_ms);
            f->lost++;
            t->written = 0;
        }
        t->slot.urgent = is_urgent(t);
        answer = wm_slot_ask(&t->slot, rules_of(f, t), is_left_alone(t), t->polls, now_ms, &again_ms);
    }
    pthread_mutex_unlock(&f->lock);
    return answer;
}

/* The labels of a running migration ride along: a write of their own could cost its owner a conflict. */
static int add_labels(const struct wm_follow *f, enum wm_kind kind, struct wm_str object,
                      struct wm_buf *patch)
{
    struct wm_lack_look look = {.conf = f->opts.labels, .quiet = true};
    wm_auto_reading struct wm_reading reading = {0};
    wm_uid missing;

    return f->opts.labels && wm_reading_of(&reading, kind, object, NULL) == WM_OK &&
           wm_lack_of(&look, &reading, patch, missing) == WM_LACKS_LABELS;
}

/* The phase decides whether it may be written at all. */
static void rely_on_phase(struct wm_str object, struct wm_buf *patch)
{
    static const char *const pointers[] = {"/status/phase"};
    struct wm_json_span phase;

    if (wm_json_pick(object, 1, pointers, &phase, NULL) < 0 || phase.kind != WM_JSON_STRING)
        return;
    struct wm_patch p = wm_patch_to(patch);

    wm_patch_json(&p, "test", "/status/phase", NULL, phase.text);
    wm_patch_end(&p);
}

/* What goes into one request: all, or where the conditions are written through /status the one and the other.
 */
enum { CONDITIONS = 1, NOTES = 2 };

/* The patch from the object as it is now; its number of changes, or an error. */
static int make_patch(struct wm_follow *f, const struct tracked *t, unsigned parts, struct wm_str object,
                      struct wm_buf *patch, struct wm_error *err)
{
    int conditions = 0, notes = 0;

    if ((parts & CONDITIONS) && f->opts.conditions)
        conditions = wm_conditions_patch(object, t->kind->style, t->said, WM_SAID_COUNT,
                                         wm_wall_s() + t->offset_s, patch, err);
    if (conditions >= 0 && (parts & NOTES) && f->opts.verdicts)
        notes = wm_annotation_patch(object, WM_VERDICT_KEY, t->verdict, patch, err);
    if (conditions < 0 || notes < 0)
        return conditions < 0 ? conditions : notes;
    int n = conditions + notes + (parts & NOTES ? add_labels(f, t->kind->kind, object, patch) : 0);

    if (n > 0 && t->kind->has_status && conditions == 0) /* their patch tests it */
        rely_on_phase(object, patch);
    return n;
}

static void came_of_it(struct wm_follow *f, struct tracked *t, bool taken)
{
    pthread_mutex_lock(&f->lock);
    if (taken)
        wm_slot_wrote(&t->slot, rules_of(f, t), wm_mono_ms());
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

/* The write of one migration's words. */
struct round {
    struct wm_follow *f;
    const struct tracked *t;
    struct wm_kube *host;
    int64_t until_ms; /* its owner may be at work again */
    int status;       /* of the last request */
};

/* WM_E_BUSY = nothing was sent, since the slot was over: the limit on writes is everybody's, and a patch that
 * waits for it, or is tried again, would arrive when the owner works on its object. */
static int send_patch(struct round *r, const char *path, struct wm_str patch, struct wm_buf *ret_object,
                      struct wm_error *err)
{
    int64_t left_ms = r->until_ms - wm_mono_ms();

    if (is_left_alone(r->t))
        return wm_follow_call(r->f, r->host, "PATCH", path, patch, ret_object, &r->status, err);
    if (left_ms <= 0)
        return wm_fail(err, WM_E_BUSY, NULL, "its owner may be at work again");
    struct wm_kube_request request = {.method = "PATCH",
                                      .path = path,
                                      .content_type = JSON_PATCH,
                                      .body = patch,
                                      .timeout_ms = CALL_MS,
                                      .max_body = WM_FOLLOW_OBJECT_MAX,
                                      .start_ms = (int)left_ms,
                                      .once = true};

    return send(r->f, r->host, &request, ret_object, &r->status, err);
}

/* `object` becomes what the API server made of it. */
static int put_parts(struct round *r, unsigned parts, const char *subresource, struct wm_buf *object,
                     struct wm_error *err)
{
    char path[WM_FOLLOW_PATH_MAX];
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(PATCH_MAX);
    int n = make_patch(r->f, r->t, parts, wm_buf_text(object), &patch, err);

    if (n <= 0)
        return n;
    wm_buf_clear(object);
    wm_follow_path(r->t, subresource, path);
    return send_patch(r, path, wm_buf_text(&patch), object, err);
}

/* The conditions first: what the owner does on their account has them in its copy already. */
static int put_words(struct round *r, struct wm_error *err)
{
    char path[WM_FOLLOW_PATH_MAX];
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(WM_FOLLOW_OBJECT_MAX);

    wm_follow_path(r->t, "", path);
    int rc = wm_follow_call(r->f, r->host, "GET", path, (struct wm_str){0}, &object, &r->status, err);

    if (rc < 0 || !r->t->kind->has_status)
        return rc < 0 ? rc : put_parts(r, CONDITIONS | NOTES, "", &object, err);
    rc = put_parts(r, CONDITIONS, "/status", &object, err);
    return rc < 0 ? rc : put_parts(r, NOTES, "", &object, err);
}

bool wm_follow_write_words(struct wm_follow *f, struct tracked *t, struct wm_kube *host)
{
    struct wm_error err = {0};

    if (t->gone || t->held || wm_mono_ms() < t->retry_ms || !has_words(f, t))
        return false;
    enum wm_slot_answer answer = ask_slot(f, t);

    if (answer == WM_SLOT_GIVE_UP)
        wm_log(WM_LOG_WARN, "words_taken_away", WM_F("ns", t->namespace_), WM_F("name", t->name));
    if (answer != WM_SLOT_NOW)
        return false;
    struct round r = {f, t, host, wm_mono_ms() + SLOT_MS, 0};
    int rc = put_words(&r, &err);

    if (rc == WM_E_BUSY && r.status != 429)
        f->refused++; /* the next slot comes by itself */
    else if (rc < 0 && r.status != 404 && r.status != 409 && r.status != 422)
        wm_follow_failed(f, t, "conditions", &err);
    else
        came_of_it(f, t, rc == WM_OK);
    return true;
}
