/* spec.persistentVolumes of a MigPlan.  mig-controller fills the list, and its wizard lets users choose step
 * by step: what is not chosen yet is nobody's fault. */
#include <stdlib.h>

#include "plan_impl.h"

/* Access modes of one storage class that are looked at; there are four in Kubernetes, for two volume modes.
 */
enum { CLASS_MODES_MAX = 16, FIRST_ROW = PLAN_STORAGE_CONVERSION };

/* What is read of a volume; tables below say where. */
enum selection { ACTION, STORAGE_CLASS, ACCESS_MODE, COPY_METHOD, N_SELECTION };
enum supported { ACTIONS, COPY_METHODS, N_SUPPORTED };
enum claim { NAMESPACE, NAME, ACCESS_MODES, VOLUME_MODE, N_CLAIM };

struct volume {
    struct wm_json_value selection[N_SELECTION], supported[N_SUPPORTED], pvc[N_CLAIM];
};

struct walk {
    struct wm_check *c;
    bool on[PLAN_N_ROWS]; /* once for all volumes */
    bool converts;
    struct wm_plan_texts classes;
    size_t n, skipped;
};

/* --- reading: each object's members in one pass --- */

static struct volume volume_of(struct wm_json_value item)
{
    static const struct wm_str parts[] = {WM_STR("selection"), WM_STR("supported"), WM_STR("pvc")};
    static const struct wm_str selection[N_SELECTION] = {
        [ACTION] = WM_STR("action"),
        [STORAGE_CLASS] = WM_STR("storageClass"),
        [ACCESS_MODE] = WM_STR("accessMode"),
        [COPY_METHOD] = WM_STR("copyMethod"),
    };
    static const struct wm_str supported[N_SUPPORTED] = {
        [ACTIONS] = WM_STR("actions"),
        [COPY_METHODS] = WM_STR("copyMethods"),
    };
    static const struct wm_str pvc[N_CLAIM] = {
        [NAMESPACE] = WM_STR("namespace"),
        [NAME] = WM_STR("name"),
        [ACCESS_MODES] = WM_STR("accessModes"),
        [VOLUME_MODE] = WM_STR("volumeMode"),
    };
    struct wm_json_value part[3];
    struct volume v;

    wm_json_collect(item, parts, part, 3);
    wm_json_collect(part[0], selection, v.selection, N_SELECTION);
    wm_json_collect(part[1], supported, v.supported, N_SUPPORTED);
    wm_json_collect(part[2], pvc, v.pvc, N_CLAIM);
    return v;
}

static struct wm_str class_name_of(struct wm_json_value item)
{
    return wm_json_plain(wm_json_get(item, "name"));
}

static bool has_text(struct wm_json_value list, struct wm_str text)
{
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v))
        if (wm_str_eq(wm_json_plain(v), text))
            return true;
    return false;
}

static void report(const struct walk *w, enum wm_plan_row row, const struct volume *v, const char *member,
                   struct wm_json_value value, const char *why)
{
    if (w->on[row])
        wm_report(w->c, &wm_plan_rows[row], wm_plan_field("persistentVolumes", w->n, member).z,
                  wm_json_span_of(value), "%s (claim " WM_STR_FMT "/" WM_STR_FMT ")", why,
                  WM_STR_ARG(wm_json_plain(v->pvc[NAMESPACE])), WM_STR_ARG(wm_json_plain(v->pvc[NAME])));
}

/* --- one volume --- */

static bool is_mode_of(struct wm_json_value list, struct wm_str mode, size_t *left)
{
    for (struct wm_json_value v = wm_json_first(list); v.node && *left; v = wm_json_after(v), --*left)
        if (wm_str_eq(wm_json_plain(v), mode))
            return true;
    return false;
}

/* Whether claims of this class can have the mode, as far as the class tells: newer ones tell it for each
 * volume mode, older ones for all.  One that tells nothing, or more than is looked at, is trusted. */
static bool class_offers(struct wm_json_value class_, const struct volume *v, struct wm_str mode)
{
    struct wm_json_value by_volume_mode = wm_json_first(wm_json_get(class_, "volumeAccessModes"));
    struct wm_str volume_mode = wm_json_plain(v->pvc[VOLUME_MODE]);
    size_t left = CLASS_MODES_MAX;
    bool found = is_mode_of(wm_json_get(class_, "accessModes"), mode, &left);

    for (; by_volume_mode.node && left && !found; by_volume_mode = wm_json_after(by_volume_mode)) {
        struct wm_str of = wm_json_plain(wm_json_get(by_volume_mode, "volumeMode"));

        if (!of.n || !volume_mode.n || wm_str_eq(of, volume_mode))
            found = is_mode_of(wm_json_get(by_volume_mode, "accessModes"), mode, &left);
        left -= left > 0;
    }
    return found || left == CLASS_MODES_MAX || left == 0;
}

/* One of the claim's own modes is kept when none is chosen. */
static bool class_suits(struct wm_json_value class_, const struct volume *v)
{
    struct wm_str chosen = wm_json_plain(v->selection[ACCESS_MODE]);
    struct wm_json_value own = wm_json_first(v->pvc[ACCESS_MODES]);

    if (chosen.n)
        return wm_str_is(chosen, "auto") || class_offers(class_, v, chosen);
    while (own.node && !class_offers(class_, v, wm_json_plain(own)))
        own = wm_json_after(own);
    return own.node || !wm_json_first(v->pvc[ACCESS_MODES]).node;
}

static bool is_access_mode(struct wm_str mode)
{
    static const char *const modes[] = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "auto"};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (wm_str_is(mode, modes[i]))
            return true;
    return false;
}

static void check_class(const struct walk *w, const struct volume *v)
{
    struct wm_str name = wm_json_plain(v->selection[STORAGE_CLASS]),
                  mode = wm_json_plain(v->selection[ACCESS_MODE]);
    const struct wm_plan_text *class_ = name.n ? wm_plan_find(&w->classes, name) : NULL;
    bool valid = !mode.n || is_access_mode(mode);

    if (!name.n)
        report(w, PLAN_PV_NO_STORAGE_CLASS, v, "selection.storageClass", v->selection[STORAGE_CLASS],
               "no storage class is chosen, so a volume for it must exist on the destination cluster");
    else if (!class_ && w->classes.n)
        report(w, PLAN_PV_STORAGE_CLASS, v, "selection.storageClass", v->selection[STORAGE_CLASS],
               "the destination cluster has no such storage class");
    if (!valid)
        report(w, PLAN_PV_ACCESS_MODE, v, "selection.accessMode", v->selection[ACCESS_MODE],
               "mig-controller knows ReadWriteOnce, ReadOnlyMany, ReadWriteMany and auto");
    else if (class_ && !class_suits(class_->item, v))
        report(w, PLAN_PV_ACCESS_MODE_UNAVAILABLE, v, "selection.accessMode", v->selection[ACCESS_MODE],
               mode.n ? "the chosen storage class does not offer this access mode"
                      : "the chosen storage class offers none of the claim's access modes");
}

static void check_copy_method(const struct walk *w, const struct volume *v)
{
    struct wm_str method = wm_json_plain(v->selection[COPY_METHOD]);

    if (!method.n)
        report(w, PLAN_PV_NO_COPY_METHOD, v, "selection.copyMethod", v->selection[COPY_METHOD],
               "the volume is to be copied, and no copy method is chosen");
    else if (!has_text(v->supported[COPY_METHODS], method))
        report(w, PLAN_PV_COPY_METHOD, v, "selection.copyMethod", v->selection[COPY_METHOD],
               "this is not among the volume's supported.copyMethods");
    else if (wm_str_is(method, "snapshot"))
        report(w, PLAN_PV_SNAPSHOT, v, "selection.copyMethod", v->selection[COPY_METHOD],
               "a snapshot can only be restored into storage of the same type as the source volume's");
}

static void check_volume(struct walk *w, struct wm_json_value item)
{
    struct volume v = volume_of(item);
    struct wm_str action = wm_json_plain(v.selection[ACTION]);

    w->skipped += wm_str_is(action, "skip");
    if (!wm_json_first(v.supported[ACTIONS]).node) {
        report(w, PLAN_PV_NO_ACTION, &v, "supported.actions", (struct wm_json_value){0},
               "nothing can be done with this volume");
        return;
    }
    if (action.n && !has_text(v.supported[ACTIONS], action))
        report(w, PLAN_PV_ACTION, &v, "selection.action", v.selection[ACTION],
               "this is not among the volume's supported.actions");
    if (!wm_str_is(action, "copy") || !has_text(v.supported[ACTIONS], action))
        return;
    check_class(w, &v);
    check_copy_method(w, &v);
    if (w->converts && !wm_plan_is_mapped(wm_plan_mapping_of(v.pvc[NAME])))
        report(w, PLAN_PV_NAME_CONFLICT, &v, "pvc.name", v.pvc[NAME],
               "storage is converted within one cluster, where the new claim needs a name of its own");
}

/* --- all of them --- */

static bool wants_any(struct walk *w)
{
    bool any = false;

    for (int row = FIRST_ROW; row < PLAN_N_ROWS; row++)
        any |= w->on[row] = wm_plan_wants(w->c, (enum wm_plan_row)row);
    return any;
}

/* Lists that mig-controller has not filled yet tell nothing. */
static void check_conversion(const struct walk *w)
{
    if (!w->converts)
        return;
    if (w->n && w->skipped == w->n)
        wm_report(w->c, &wm_plan_rows[PLAN_STORAGE_CONVERSION], "spec.persistentVolumes",
                  (struct wm_json_span){0}, "all volumes are skipped, so there is nothing to convert");
    if (w->classes.n == 1)
        wm_report(w->c, &wm_plan_rows[PLAN_STORAGE_CONVERSION], "status.destStorageClasses",
                  wm_json_span_of(wm_json_get(w->classes.list[0].item, "name")),
                  "this is the cluster's only storage class, so there is none to convert to");
}

void wm_plan_check_volumes(struct wm_check *c)
{
    struct wm_json_value list = wm_json_first(wm_spec(c, "persistentVolumes"));
    struct walk w = {.c = c, .converts = wm_plan_is_identified_as(c, "StorageConversionPlan")};

    if (!list.node || !wants_any(&w))
        return;
    w.classes = wm_plan_texts(wm_json_get(c->s->status, "destStorageClasses"), class_name_of);
    for (; list.node; list = wm_json_after(list), w.n++)
        check_volume(&w, list);
    check_conversion(&w);
    free(w.classes.list);
}
