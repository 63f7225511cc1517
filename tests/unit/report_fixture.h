/* A migration with its objects on three clusters, put together by hand. */
#ifndef WAYMARK_TESTS_REPORT_FIXTURE_H
#define WAYMARK_TESTS_REPORT_FIXTURE_H

#include "tests/support/model_put.h"
#include "waymark/report.h"
#include "waymark/vm.h"

#define FIXTURE_NOW 1767323945 /* 2026-01-02T03:19:05Z */
#define FIXTURE_UID "0a1b2c3d-0000-4000-8000-000000000001"

struct fixture {
    struct model_sources sources;
    struct wm_model *model;
    struct wm_cluster_view clusters[3]; /* host, source, target */
    struct wm_world w;
    struct wm_migration_state st;
    struct wm_vm_state vm; /* of a VMMigration */
    struct wm_situation s;
    struct wm_history h;
};

/* The MigMigration or VMMigration of tests/golden/state/<state>.json, all clusters in good sight, no other
 * object. */
void fixture_begin(struct fixture *f, const char *state);
void fixture_end(struct fixture *f);

/* One object more in the model and in the tree; returns it. */
const struct wm_record *fixture_add(struct fixture *f, uint8_t cluster, enum wm_kind kind, int depth,
                                    const char *json);
/* A finished Backup, and a Restore with two volumes under way, which the phase waits for. */
void fixture_add_volumes(struct fixture *f);

/* The migration is in this phase since then; since_s 0 = it does not say. */
void fixture_phase(struct fixture *f, const char *phase, int64_t since_s);

/* wm_history_update, at this time. */
bool fixture_update(struct fixture *f, const char *verdict, int64_t now_s);

/* The whole report as it would be stored: object and status. */
void fixture_report(const struct fixture *f, struct wm_buf *out);

#endif
