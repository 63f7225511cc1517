/* The report of one migration: reading the stored one, and storing what is new. */
#include <stdio.h>
#include <stdlib.h>

#include "follow_impl.h"
#include "waymark/clock.h"
#include "waymark/log.h"

enum { PATCH_MAX = 64 << 10 };

static const char REPORTS[] = "/apis/waymark.io/v1alpha1/namespaces/%s/migrationreports";

static void report_path(const struct tracked *t, bool one, bool status, char path[static WM_FOLLOW_PATH_MAX])
{
    char name[WM_NAME_MAX + 1];
    int n = snprintf(path, WM_FOLLOW_PATH_MAX, REPORTS, t->namespace_);

    wm_report_name(wm_kinds[t->kind->kind].kind, t->name, t->uid, name);
    if (one)
        snprintf(path + n, WM_FOLLOW_PATH_MAX - (size_t)n, "/%s%s", name, status ? "/status" : "");
}

static void read_uid(struct wm_str object, wm_uid ret)
{
    static const char *const pointers[] = {"/metadata/uid"};
    struct wm_json_span s;

    if (wm_json_pick(object, 1, pointers, &s, NULL) == WM_OK)
        wm_span_copy(s, ret, sizeof(wm_uid));
}

static uint64_t version_of(struct wm_str object)
{
    static const char *const pointers[] = {"/metadata/resourceVersion"};
    struct wm_json_span s;

    return wm_json_pick(object, 1, pointers, &s, NULL) == WM_OK ? wm_follow_version(wm_span_plain(s)) : 0;
}

/* The report of a phase is written when its event is told: what came after it is still to be told. */
static void recall(struct tracked *t)
{
    const struct wm_history *h = t->history;

    if (t->told[0] || h->n == 0)
        return;
    memcpy(t->told, h->moments[h->n - 1].phase, sizeof t->told);
    t->recalled = true;
    if (!h->stall.to_s)
        memcpy(t->warned, h->stall.cause, sizeof t->warned);
}

/* What we know to have written holds until it is made anew; else what is there is as good. */
static void accept_stored(const struct wm_follow *f, struct tracked *t, struct wm_str object)
{
    if (t->stored.content)
        return;
    t->stored.content = wm_report_stored_digest(object);
    t->stored.ours = version_of(object);
    wm_slot_wrote(&t->stored.slot, wm_follow_report_rules(f), wm_mono_ms());
}

static void accept_report(const struct wm_follow *f, struct tracked *t, struct wm_str object,
                          struct wm_fleet *fleet)
{
    if (!wm_history_read(t->history, object, t->uid)) {
        read_uid(object, t->foreign);
        return;
    }
    accept_stored(f, t, object);
    if (t->kind->kind == WM_KIND_VMMIGRATION)
        wm_fleet_recall(fleet, object);
}

void wm_follow_read_report(struct wm_follow *f, struct tracked *t, struct wm_fleet *fleet)
{
    char path[WM_FOLLOW_PATH_MAX];
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(WM_FOLLOW_OBJECT_MAX);
    struct wm_error err = {0};
    int status = 0;

    if (!t->name[0]) { /* it is judged once before its name is known */
        wm_follow_changed(f, t->id);
        return;
    }
    if (wm_mono_ms() < t->retry_ms)
        return;
    wm_follow_report_expected(f, t);
    report_path(t, true, false, path);
    int rc =
        wm_follow_call(f, wm_fleet_kube(fleet, 0), "GET", path, (struct wm_str){0}, &object, &status, &err);

    if (rc < 0 && status == 404)
        wm_follow_report_missed(f, t);
    t->report_unread = rc < 0 && status != 404;
    if (t->report_unread) {
        wm_follow_failed(f, t, "report, not even read", &err);
        return;
    }
    t->report_known = true;
    if (!t->history)
        t->history = wm_xcalloc(1, sizeof *t->history);
    t->pulse = (struct wm_pulse){0};
    if (rc == WM_OK)
        accept_report(f, t, wm_buf_text(&object), fleet);
    recall(t);
}

int wm_follow_is_ours(struct wm_follow *f, struct tracked *t, struct wm_kube *host)
{
    char path[WM_FOLLOW_PATH_MAX];
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(WM_FOLLOW_OBJECT_MAX);
    struct wm_error err = {0};
    int status = 0;

    report_path(t, true, false, path);
    int rc = wm_follow_call(f, host, "GET", path, (struct wm_str){0}, &object, &status, &err);

    if (rc < 0 && status != 404) {
        wm_follow_failed(f, t, "report, not even read", &err);
        return rc;
    }
    if (rc < 0 || wm_report_stored_digest(wm_buf_text(&object)) != t->stored.content)
        return false;
    t->stored.ours = version_of(wm_buf_text(&object));
    return true;
}

/* Its owner is gone; the garbage collector would take it, and our words in it, sooner or later. */
static int drop_foreign(const struct wm_follow *f, struct tracked *t, struct wm_kube *host,
                        struct wm_error *err)
{
    wm_auto_buf struct wm_buf options = WM_BUF_MAX(PATCH_MAX);
    char path[WM_FOLLOW_PATH_MAX];
    int status = 0;

    if (!t->foreign[0])
        return WM_OK;
    wm_buf_puts(&options, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":");
    wm_json_quote(&options, wm_str_of(t->foreign));
    wm_buf_puts(&options, "}}");
    report_path(t, true, false, path);
    int rc = wm_follow_call(f, host, "DELETE", path, wm_buf_text(&options), NULL, &status, err);

    if (rc < 0 && status != 404 && status != 409)
        return rc;
    t->foreign[0] = '\0';
    return WM_OK;
}

static int create_report(const struct wm_follow *f, const struct tracked *t, struct wm_kube *host,
                         int *ret_status, struct wm_error *err)
{
    struct wm_vm_state vm = {0};
    struct wm_migration_state *m = &vm.m;
    struct wm_situation s = {.state = m};
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(PATCH_MAX);
    char path[WM_FOLLOW_PATH_MAX];

    memcpy(m->namespace_, t->namespace_, sizeof m->namespace_);
    memcpy(m->name, t->name, sizeof m->name);
    memcpy(m->uid, t->uid, sizeof m->uid);
    memcpy(m->plan_namespace, t->plan_namespace, sizeof m->plan_namespace);
    memcpy(m->plan, t->plan, sizeof m->plan);
    if (t->kind->kind == WM_KIND_VMMIGRATION) {
        m->kind = WM_RUN_VM;
        memcpy(vm.project, t->project, sizeof vm.project);
        s.vm = &vm;
    }
    wm_report_object(&s, &object);
    report_path(t, false, false, path);
    return wm_follow_call(f, host, "POST", path, wm_buf_text(&object), NULL, ret_status, err);
}

static int put_status(const struct wm_follow *f, struct tracked *t, struct wm_kube *host, int *ret_status,
                      struct wm_error *err)
{
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(WM_REPORT_MAX + PATCH_MAX),
                              object = WM_BUF_MAX(WM_FOLLOW_OBJECT_MAX);
    char path[WM_FOLLOW_PATH_MAX];

    wm_buf_puts(&patch, "[{\"op\":\"add\",\"path\":\"/status\",\"value\":");
    wm_buf_puts(&patch, t->report_due);
    wm_buf_puts(&patch, "}]");
    report_path(t, true, true, path);
    int rc = wm_follow_call(f, host, "PATCH", path, wm_buf_text(&patch), &object, ret_status, err);

    if (rc == WM_OK)
        t->stored.ours = version_of(wm_buf_text(&object));
    return rc;
}

void wm_follow_forget(struct tracked *t)
{
    free(t->history);
    t->history = NULL;
    t->report_known = false;
}

static int store(const struct wm_follow *f, struct tracked *t, struct wm_kube *host, struct wm_error *err)
{
    int status = 0, rc = drop_foreign(f, t, host, err);

    if (rc == WM_OK)
        rc = put_status(f, t, host, &status, err);
    if (rc == WM_OK || status != 404)
        return rc;
    if (t->going) /* the garbage collector took it, and waits for nothing else before the migration goes, too
                   */
        return WM_OK;
    rc = create_report(f, t, host, &status, err);
    return rc == WM_OK || status == 409 ? put_status(f, t, host, &status, err) : rc;
}

bool wm_follow_write_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host)
{
    struct wm_error err = {0};

    if (!t->report_due || t->gone || wm_mono_ms() < t->retry_ms)
        return false;
    wm_follow_report_expected(f, t);
    if (store(f, t, host, &err) < 0) {
        wm_follow_failed(f, t, "report", &err);
        return true;
    }
    f->writes++;
    t->report = wm_str_digest(wm_str_of(t->report_due), strlen(t->report_due));
    t->stored.content = wm_report_digest(wm_str_of(t->report_due));
    t->stored.anew = false;
    wm_slot_wrote(&t->stored.slot, wm_follow_report_rules(f), wm_mono_ms());
    free(t->report_due);
    t->report_due = NULL;
    if (t->settled)
        wm_follow_forget(t);
    return true;
}
