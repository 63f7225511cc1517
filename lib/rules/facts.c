#include "waymark/facts.h"

#include <stdlib.h>

#define MTC "migration.openshift.io", "v1alpha1"
#define VIRTRIGAUD "infra.virtrigaud.io", "v1beta1"

const struct wm_resource_info wm_resources[WM_RESOURCE_COUNT] = {
    [WM_MIGPLANS] = {MTC, "migplans", "MigPlan", false},
    [WM_MIGMIGRATIONS] = {MTC, "migmigrations", "MigMigration", false},
    [WM_MIGCLUSTERS] = {MTC, "migclusters", "MigCluster", false},
    [WM_MIGSTORAGES] = {MTC, "migstorages", "MigStorage", false},
    [WM_MIGHOOKS] = {MTC, "mighooks", "MigHook", false},
    [WM_SECRETS] = {"", "v1", "secrets", "Secret", false},
    [WM_VMMIGRATIONS] = {VIRTRIGAUD, "vmmigrations", "VMMigration", false},
    [WM_PROVIDERS] = {VIRTRIGAUD, "providers", "Provider", false},
    [WM_VIRTUALMACHINES] = {VIRTRIGAUD, "virtualmachines", "VirtualMachine", false},
    [WM_PVCS] = {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", false},
    [WM_STORAGECLASSES] = {"storage.k8s.io", "v1", "storageclasses", "StorageClass", true},
};

void wm_facts_done(struct wm_facts *f)
{
    for (size_t i = 0; i < f->n; i++) {
        wm_json_index_done(&f->list[i].index);
        free(f->list[i].text);
    }
    *f = (struct wm_facts){0};
}

static bool same_query(const struct wm_query *a, const struct wm_query *b)
{
    return a->resource == b->resource && strcmp(a->namespace_, b->namespace_) == 0 &&
           strcmp(a->name, b->name) == 0;
}

enum wm_fact_state wm_facts_ask(struct wm_facts *f, const struct wm_query *q, struct wm_json_value *ret)
{
    for (size_t i = 0; i < f->n; i++) {
        struct wm_fact *fact = &f->list[i];

        if (!same_query(&fact->query, q))
            continue;
        if (fact->state == WM_FACT_FOUND)
            *ret = wm_json_root(&fact->index, 0);
        return fact->state == WM_FACT_WANTED && f->final ? WM_FACT_UNKNOWN : fact->state;
    }
    if (f->final || f->n == WM_FACTS_MAX)
        return WM_FACT_UNKNOWN;
    f->list[f->n++] = (struct wm_fact){.query = *q, .state = WM_FACT_WANTED};
    return WM_FACT_WANTED;
}

void wm_facts_answer(struct wm_facts *f, size_t i, enum wm_fact_state state, char *text, size_t n)
{
    struct wm_fact *fact = &f->list[i];

    fact->state = state;
    fact->text = text;
    if (state != WM_FACT_FOUND)
        return;
    if (wm_json_index((struct wm_str){text, n}, &fact->index, NULL) < 0 ||
        wm_json_kind_of(wm_json_root(&fact->index, 0)) != WM_JSON_OBJECT)
        fact->state = WM_FACT_UNKNOWN;
}
