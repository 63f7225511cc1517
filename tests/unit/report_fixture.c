#include "report_fixture.h"

#include <stdio.h>

#include "tests/support/golden.h"
#include "tests/support/state_read.h"
#include "unit.h"

static void read_state(struct fixture *f, const cJSON *object)
{
    wm_auto_free char *text = cJSON_PrintUnformatted(object);
    bool is_vm = strcmp(wm_json_str(object, "/kind"), "VMMigration") == 0;
    enum wm_kind kind = is_vm ? WM_KIND_VMMIGRATION : WM_KIND_MIGMIGRATION;
    void *state = is_vm ? (void *)&f->vm : &f->st;
    struct wm_error err = {0};
    int rc = state_read(kind, wm_str_of(text), state, is_vm ? sizeof f->vm : sizeof f->st, &err);

    if (rc < 0 || !model_put(&f->sources, f->model, 0, kind, text))
        fail_msg("%s", err.msg);
    if (is_vm)
        f->st = f->vm.m;
}

void fixture_begin(struct fixture *f, const char *state)
{
    char path[128];
    struct golden g = {(char *)(uintptr_t)state, path};

    snprintf(path, sizeof path, "tests/golden/state/%s.json", state);
    wm_auto_json cJSON *root = golden_read(&g);

    *f = (struct fixture){.model = wm_model_new(&(struct wm_model_conf){0})};
    read_state(f, wm_json_at(root, "/object"));
    f->clusters[0] = (struct wm_cluster_view){"host", WM_SIGHT_GOOD, "", FIXTURE_NOW - 7200};
    f->clusters[1] = (struct wm_cluster_view){"old-cluster", WM_SIGHT_GOOD, "", FIXTURE_NOW - 7100};
    f->clusters[2] = (struct wm_cluster_view){"new-cluster", WM_SIGHT_GOOD, "", FIXTURE_NOW - 7000};
    f->w = (struct wm_world){f->model, f->clusters, 3, FIXTURE_NOW, 3600};
    f->s = (struct wm_situation){
        .migration = wm_model_find(f->model, 0, wm_id_of(wm_str_of(f->st.uid))),
        .state = &f->st,
        .source = 1,
        .target = 2,
        .source_name = "old-cluster",
        .target_name = "new-cluster",
        .awaited_on = WM_NO_CLUSTER,
        .awaited_kind = "",
        .next = "",
        .ends_by = "",
        .blind = {WM_NO_CLUSTER, WM_NO_CLUSTER},
    };
    if (f->st.kind != WM_RUN_VM)
        return;
    f->s.vm = &f->vm;
    f->s.source = f->s.target = 0;
    f->s.source_name = f->s.target_name = "";
}

void fixture_end(struct fixture *f)
{
    wm_model_free(f->model);
}

const struct wm_record *fixture_add(struct fixture *f, uint8_t cluster, enum wm_kind kind, int depth,
                                    const char *json)
{
    const struct wm_record *r = model_put(&f->sources, f->model, cluster, kind, json);

    assert_non_null(r);
    if (f->s.n_twigs < WM_TWIGS_MAX)
        f->s.tree[f->s.n_twigs++] = (struct wm_twig){.record = r, .depth = depth};
    else
        f->s.n_twigs_more++;
    return r;
}

#define OBJECT(name, uid)                                                                                    \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"openshift-migration\",\"uid\":\"" uid              \
    "\",\"creationTimestamp\":\"2026-01-02T03:00:00Z\"},\"status\":"

void fixture_add_volumes(struct fixture *f)
{
    fixture_add(
        f, 1, WM_KIND_BACKUP, 1,
        OBJECT(
            "migration-aaaaa-stage-4k2fz",
            "b-1") "{\"phase\":\"Completed\",\"startTimestamp\":"
                   "\"2026-01-02T03:00:01Z\",\"completionTimestamp\":\"2026-01-02T03:01:40Z\",\"progress\":{"
                   "\"itemsBackedUp\":12,\"totalItems\":12}}}");
    f->s.awaited = fixture_add(
        f, 2, WM_KIND_RESTORE, 1,
        OBJECT("migration-aaaaa-stage-rw2w6",
               "r-1") "{\"phase\":\"InProgress\",\"startTimestamp\":"
                      "\"2026-01-02T03:04:06Z\",\"progress\":{\"itemsRestored\":12,\"totalItems\":12}}}");
    fixture_add(
        f, 2, WM_KIND_PVR, 2,
        OBJECT("migration-aaaaa-stage-rw2w6-9xkzq",
               "v-1") "{\"phase\":\"InProgress\","
                      "\"startTimestamp\":\"2026-01-02T03:04:20Z\",\"progress\":{\"bytesDone\":1073741824,"
                      "\"totalBytes\":3221225472}}}");
    fixture_add(f, 2, WM_KIND_PVR, 2, OBJECT("migration-aaaaa-stage-rw2w6-h5k5l", "v-2") "{}}");
    f->s.progress[WM_KIND_BACKUP] = (struct wm_progress){1, 1, 0, 12, 12};
    f->s.progress[WM_KIND_RESTORE] = (struct wm_progress){1, 0, 0, 12, 12};
    f->s.progress[WM_KIND_PVR] = (struct wm_progress){2, 0, 0, 1073741824, 3221225472};
    f->s.awaited_on = 2;
    f->s.awaited_kind = "Restore";
    snprintf(f->s.next, sizeof f->s.next, "EnsureStagePodsDeleted");
    f->s.ends_s = FIXTURE_NOW + 2701;
    f->s.ends_by = "Velero";
}

void fixture_phase(struct fixture *f, const char *phase, int64_t since_s)
{
    snprintf(f->st.phase, sizeof f->st.phase, "%s", phase);
    f->st.since_s = since_s;
}

bool fixture_update(struct fixture *f, const char *verdict, int64_t now_s)
{
    f->w.now_s = now_s;
    return wm_history_update(&f->h, &f->w, &f->s, verdict);
}

void fixture_report(const struct fixture *f, struct wm_buf *out)
{
    wm_report_object(&f->s, out);
    out->n--; /* its last bracket comes behind the status */
    wm_buf_puts(out, ",\"status\":");
    wm_report_status(&f->w, &f->s, &f->h, NULL, out);
    wm_buf_puts(out, "}");
}
