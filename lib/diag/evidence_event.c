/* Events: which of them matter, and what is kept of them. */
#include <stddef.h>

#include "details_impl.h"
#include "waymark/time.h"

#define AT(member) offsetof(struct wm_event_state, member)

/* --- which matter --- */

static const char OURS[] = "waymark.io/";

static const char *const kinds[] = {"Pod", "PersistentVolumeClaim", "Job", "Deployment", "DaemonSet",
                                    "StatefulSet", "ReplicaSet", "ReplicationController", "Node", "Route",
                                    /* Velero's */
                                    "Backup", "Restore", "PodVolumeBackup", "PodVolumeRestore", "DataUpload",
                                    "DataDownload", "BackupStorageLocation", "BackupRepository",
                                    /* MTC's */
                                    "MigPlan", "MigMigration", "MigCluster", "MigStorage", "MigHook",
                                    "DirectVolumeMigration", "DirectVolumeMigrationProgress",
                                    "DirectImageMigration", "DirectImageStreamMigration",
                                    /* VirtRigaud's */
                                    "VMMigration", "VirtualMachine", "Provider"};

/* What every pod and every volume that is well says of itself: most Events are of these. */
static const char *const well[] = {"Scheduled",
                                   "Pulled",
                                   "Created",
                                   "Started",
                                   "Killing",
                                   "AddedInterface",
                                   "SuccessfulCreate",
                                   "SuccessfulDelete",
                                   "SuccessfulAttachVolume",
                                   "SuccessfulMountVolume",
                                   "ScalingReplicaSet",
                                   "ProvisioningSucceeded",
                                   "Completed",
                                   "SawCompletedJob"};

static bool is_one_of(struct wm_json_span s, const char *const list[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (wm_json_span_is(s, list[i]))
            return true;
    return false;
}
#define IS_ONE_OF(span, list) is_one_of(span, list, sizeof(list) / sizeof(list)[0])

static bool is_ours(struct wm_json_span component)
{
    size_t n = sizeof OURS - 1;

    return component.kind == WM_JSON_STRING && component.text.n > n + 2 &&
           memcmp(component.text.p + 1, OURS, n) == 0;
}

bool wm_event_matters(struct wm_str object)
{
    enum { KIND, REASON, TYPE, REPORTING, SOURCE, N };
    static const char *const pointers[N] = {"/involvedObject/kind", "/reason", "/type", "/reportingComponent",
                                            "/source/component"};
    struct wm_json_span at[N];

    return wm_json_pick(object, N, pointers, at, NULL) == WM_OK && IS_ONE_OF(at[KIND], kinds) &&
           !(wm_json_span_is(at[TYPE], "Normal") && IS_ONE_OF(at[REASON], well)) && !is_ours(at[REPORTING]) &&
           !is_ours(at[SOURCE]);
}

/* --- what is kept --- */

/* Old writers tell the first and the last time and a count; new ones tell a time, and of a series the count
 * and the last time.  Who writes the new way leaves the old members null, and some fill in both. */
static void read_times(struct wm_json_value event, struct wm_event_state *e)
{
    struct wm_json_value series = wm_json_get(event, "series");
    int64_t at_s = wm_time_at(event, "eventTime"), first_s = wm_time_at(event, "firstTimestamp");
    int64_t created_s = wm_time_at(wm_json_get(event, "metadata"), "creationTimestamp");

    e->first_s = first_s ? first_s : at_s ? at_s : created_s;
    e->last_s = wm_later(wm_later(wm_time_at(event, "lastTimestamp"), wm_time_at(series, "lastObservedTime")),
                         wm_later(at_s, e->first_s));
    e->count = (int)wm_later(1, wm_later(wm_number_at(event, "count"), wm_number_at(series, "count")));
}

void *wm_event_make(const struct wm_parts *p)
{
    struct wm_json_value regarding = wm_json_get(p->self, "involvedObject");
    struct wm_json_value source = wm_json_get(p->self, "source");
    struct wm_texts t;
    struct wm_event_state e;

    wm_texts_begin(&t, &e, sizeof e);
    read_times(p->self, &e);
    e.warning = wm_json_span_is(wm_get_span(p->self, "type"), "Warning");
    wm_texts_line(&t, AT(reason), wm_get_span(p->self, "reason"), 2 * WM_WORD_MAX + 2);
    wm_texts_line(&t, AT(message), wm_get_span(p->self, "message"), WM_NOTE_MAX);
    wm_texts_line(&t, AT(kind), wm_get_span(regarding, "kind"), WM_WORD_MAX);
    wm_texts_line(&t, AT(namespace_), wm_get_span(regarding, "namespace"), WM_WORD_MAX);
    wm_texts_line(&t, AT(name), wm_get_span(regarding, "name"), WM_NAME_MAX);
    wm_texts_line(&t, AT(component),
                  wm_is_set(p->self, "reportingComponent") ? wm_get_span(p->self, "reportingComponent")
                                                           : wm_get_span(source, "component"),
                  2 * WM_WORD_MAX + 2);
    return wm_texts_close(&t, &e, sizeof e);
}
