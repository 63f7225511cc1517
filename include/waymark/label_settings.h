/* Which label keys are written, as a program's settings say it: the same options for all of them.  Edge. */
#ifndef WAYMARK_LABEL_SETTINGS_H
#define WAYMARK_LABEL_SETTINGS_H

#include "waymark/labels.h"
#include "waymark/options.h"

struct wm_label_settings {
    char *plan, *migration, *uid, *source_provider, *target_provider;
    struct wm_option_list plan_aliases;
};

/* The rows of an option table; `at` is where the struct above lies in the target. */
// clang-format off
#define WM_LABEL_OPTIONS(at)                                                                                 \
    {"label-plan", WM_OPTION_TEXT, (at) + offsetof(struct wm_label_settings, plan),                          \
     "migration.openshift.io/migplan-name", "KEY", NULL, 0, 0, "label with the plan's name"},                \
    {"label-plan-aliases", WM_OPTION_LIST, (at) + offsetof(struct wm_label_settings, plan_aliases),          \
     "migrations.openshift.io/migPlanName", "KEY,...", NULL, 0, 0,                                           \
     "further labels with the plan's name, on MigMigrations only; at most 4"},                               \
    {"label-migration", WM_OPTION_TEXT, (at) + offsetof(struct wm_label_settings, migration),                \
     "migration.openshift.io/migmigration-name", "KEY", NULL, 0, 0, "label with the migration's name"},      \
    {"label-uid", WM_OPTION_TEXT, (at) + offsetof(struct wm_label_settings, uid),                            \
     "migration.openshift.io/migmigration-uid", "KEY", NULL, 0, 0, "label with the migration's uid"},        \
    {"label-source-provider", WM_OPTION_TEXT,                                                                \
     (at) + offsetof(struct wm_label_settings, source_provider), "waymark.io/source-provider", "KEY", NULL,  \
     0, 0, "label with the name of the VirtRigaud Provider that a VMMigration is from"},                     \
    {"label-target-provider", WM_OPTION_TEXT,                                                                \
     (at) + offsetof(struct wm_label_settings, target_provider), "waymark.io/target-provider", "KEY", NULL,  \
     0, 0, "label with the name of the VirtRigaud Provider that a VMMigration is to"}
// clang-format on

/* The configuration that they make, checked; borrows from them. */
int wm_label_settings_conf(const struct wm_label_settings *s, struct wm_label_conf *ret,
                           struct wm_error *err);

#endif
