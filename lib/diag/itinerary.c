/* Looking things up in the table of phases. */
#include <string.h>

#include "itinerary_table.h"

const struct wm_route wm_routes[WM_ITINERARY_COUNT] = {
    [WM_ITINERARY_STAGE] = {"Stage", wm_migration_phases, wm_stage_stops},
    [WM_ITINERARY_FINAL] = {"Final", wm_migration_phases, wm_final_stops},
    [WM_ITINERARY_CANCEL] = {"Cancel", wm_migration_phases, wm_cancel_stops},
    [WM_ITINERARY_FAILED] = {"Failed", wm_migration_phases, wm_failed_stops},
    [WM_ITINERARY_ROLLBACK] = {"Rollback", wm_migration_phases, wm_rollback_stops},
    [WM_ITINERARY_VOLUMES] = {"VolumeMigration", wm_volume_phases, wm_volume_stops},
    [WM_ITINERARY_VOLUMES_FAILED] = {"VolumeMigrationFailed", wm_volume_phases, wm_volume_failed_stops},
    [WM_ITINERARY_VOLUMES_ROLLBACK] = {"VolumeMigrationRollback", wm_volume_phases, wm_volume_rollback_stops},
    [WM_ITINERARY_VM] = {"VirtualMachine", wm_vm_phases, wm_vm_stops},
};

static const char *const wait_texts[WM_WAIT_COUNT] = {
    [WM_WAIT_NOTHING] = "",
    [WM_WAIT_REFRESH] = "the MigPlan, MigStorage and MigClusters to be refreshed",
    [WM_WAIT_STAGE_PODS] = "the stage pods to run",
    [WM_WAIT_STAGE_PODS_GONE] = "the stage pods to be gone",
    [WM_WAIT_REGISTRIES] = "the migration registries to be ready",
    [WM_WAIT_VELERO] = "the Velero pods to be ready",
    [WM_WAIT_NODE_AGENT] = "the node-agent (formerly restic) pods to be ready",
    [WM_WAIT_CREDENTIALS] = "the Velero pods to see the storage credentials",
    [WM_WAIT_HOOK] = "the hook's Job to end",
    [WM_WAIT_QUIESCED] = "the application's pods to be gone",
    [WM_WAIT_BACKUP] = "the Velero Backup to end",
    [WM_WAIT_BACKUP_COPY] = "the Velero Backup to appear on the target cluster",
    [WM_WAIT_RESTORE] = "the Velero Restore to end",
    [WM_WAIT_IMAGES] = "the DirectImageMigration to end",
    [WM_WAIT_VOLUMES] = "the DirectVolumeMigration to end",
    [WM_WAIT_HEALTH] = "the migrated workloads to be healthy",
    [WM_WAIT_MIGRATED_GONE] = "the migrated objects to be gone",
    [WM_WAIT_ROUTE] = "the rsync Routes to be admitted",
    [WM_WAIT_RSYNC_SERVER] = "the rsync server pods to run",
    [WM_WAIT_RSYNC] = "rsync to copy the volumes",
    [WM_WAIT_RSYNC_GONE] = "the rsync pods and their objects to be gone",
    [WM_WAIT_VM_WORKER] = "a worker of VirtRigaud's manager",
    [WM_WAIT_VM_PROVIDERS] = "its providers to be ready for it",
    [WM_WAIT_VM_SNAPSHOT] = "the snapshot of the source machine",
    [WM_WAIT_VM_EXPORT] = "the source's provider to export the disk",
    [WM_WAIT_VM_IMPORT] = "the target's provider to import the disk",
    [WM_WAIT_VM_TARGET] = "the new VirtualMachine to be ready",
};

static const char *const end_texts[WM_END_COUNT] = {
    [WM_END_AT_ONCE] = "It waits for nothing.",
    [WM_END_NEVER] = "Nothing ends this wait: without help it lasts forever.",
    [WM_END_POD_VOLUME_TIMEOUT] =
        "Velero's timeout for pod volumes (1 hour with MTC's operator) ends the copying "
        "of volumes, not the wait for anything else.",
    [WM_END_HOOK_DEADLINE] =
        "The Job's activeDeadlineSeconds (1800 by default) ends the Job, but the controller "
        "does not notice that and goes on waiting.",
    [WM_END_RSYNC_RETRIES] = "A volume is given up after 20 attempts (or spec.backOffLimit); pods that never "
                             "start are waited for forever.",
    [WM_END_VM_MOUNT] = "VirtRigaud gives up five minutes after the PVC was made, where that is not mounted; "
                        "everything else is waited for forever.",
    [WM_END_VM_COPY] = "VirtRigaud's client gives up after half an hour.",
};

const char *wm_wait_text(enum wm_wait w)
{
    return wait_texts[w];
}

const char *wm_wait_end_text(enum wm_wait_end e)
{
    return end_texts[e];
}

const char *wm_itinerary_name(enum wm_itinerary it)
{
    return wm_routes[it].name ? wm_routes[it].name : "";
}

enum wm_itinerary wm_itinerary_of(const char *name)
{
    for (int it = 1; it < WM_ITINERARY_COUNT; it++)
        if (strcmp(wm_routes[it].name, name) == 0)
            return (enum wm_itinerary)it;
    return WM_ITINERARY_NONE;
}

enum wm_itinerary wm_itinerary_choose(const struct wm_itinerary_choice *c)
{
    return c->failed     ? WM_ITINERARY_FAILED
           : c->canceled ? WM_ITINERARY_CANCEL
           : c->rollback ? WM_ITINERARY_ROLLBACK
           : c->stage    ? WM_ITINERARY_STAGE
                         : WM_ITINERARY_FINAL;
}

/* --- phases --- */

static const struct wm_phase *find_in(const struct wm_phase *table, const char *name)
{
    for (const struct wm_phase *p = table; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static const struct wm_phase *nth_of(const struct wm_phase *p, size_t i)
{
    while (i-- && p->name)
        p++;
    return p->name ? p : NULL;
}

const struct wm_phase *wm_phase_find(const char *name)
{
    return find_in(wm_migration_phases, name);
}

const struct wm_phase *wm_dvm_phase_find(const char *name)
{
    return find_in(wm_volume_phases, name);
}

const struct wm_phase *wm_vm_phase_find(const char *name)
{
    return find_in(wm_vm_phases, name);
}

const struct wm_phase *wm_phase_at(size_t i)
{
    return nth_of(wm_migration_phases, i);
}

const struct wm_phase *wm_vm_phase_at(size_t i)
{
    return nth_of(wm_vm_phases, i);
}

const struct wm_phase *wm_dvm_phase_at(size_t i)
{
    return nth_of(wm_volume_phases, i);
}

/* --- places --- */

int wm_itinerary_steps(enum wm_itinerary it)
{
    const struct wm_stop *s = wm_routes[it].stops;
    int n = 0;

    while (s && s[n].phase)
        n++;
    return n;
}

static bool is_listed(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = words; at && n && (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

int wm_phase_step(enum wm_itinerary it, const char *phase)
{
    const struct wm_stop *s = wm_routes[it].stops;

    for (int i = 0; s && s[i].phase; i++)
        if (strcmp(s[i].phase, phase) == 0 || is_listed(s[i].formerly, phase))
            return i + 1;
    return 0;
}

const struct wm_phase *wm_itinerary_phase(enum wm_itinerary it, int step)
{
    if (step < 1 || step > wm_itinerary_steps(it))
        return NULL;
    return find_in(wm_routes[it].phases, wm_routes[it].stops[step - 1].phase);
}

const struct wm_phase *wm_phase_next(enum wm_itinerary it, const char *phase)
{
    int step = wm_phase_step(it, phase);

    return step ? wm_itinerary_phase(it, step + 1) : NULL;
}

unsigned wm_phase_needs(enum wm_itinerary it, const char *phase)
{
    int step = wm_phase_step(it, phase);

    return step ? wm_routes[it].stops[step - 1].needs : 0;
}

int wm_phases_next(enum wm_itinerary it, const char *phase, const struct wm_needs *known,
                   const struct wm_phase *ret[static WM_NEXT_PHASES_MAX], bool *ret_more)
{
    int n = 0, at = wm_phase_step(it, phase);
    unsigned unmet = known->unmet;
    bool certain = at == 0;

    for (*ret_more = false; !certain && !*ret_more && wm_routes[it].stops[at].phase; at++) {
        unsigned needs = wm_routes[it].stops[at].needs, open = needs & ~known->met;

        if (needs & unmet)
            continue;
        certain = open == 0;
        /* what depends on the same one thing is not next either when this is skipped */
        if ((open & (open - 1)) == 0)
            unmet |= open;
        if (n < WM_NEXT_PHASES_MAX)
            ret[n++] = wm_itinerary_phase(it, at + 1);
        else
            *ret_more = true;
    }
    return n;
}

const char *wm_phase_pipeline_step(enum wm_itinerary it, const char *phase)
{
    int step = wm_phase_step(it, phase);

    return step ? wm_routes[it].stops[step - 1].step : NULL;
}
