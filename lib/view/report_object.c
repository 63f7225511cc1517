/* The report as an object: its name, what it refers to, and whether it says the same. */
#include <stdio.h>

#include "put.h"
#include "waymark/labels.h"
#include "waymark/report.h"
#include "waymark/vm.h"

/* --- name --- */

static const char MIG_END[] = ".mig", OTHER_END[] = ".vm", UID_END[] = ".uid";

static const char *end_of(const char *kind, const char *name)
{
    struct wm_str s = wm_str_of(name);

    if (strcmp(kind, wm_kinds[WM_KIND_MIGMIGRATION].kind) != 0)
        return OTHER_END;
    return wm_str_ends_in(s, MIG_END) || wm_str_ends_in(s, OTHER_END) || wm_str_ends_in(s, UID_END) ? MIG_END
                                                                                                    : "";
}

void wm_report_name(const char *kind, const char *name, const char *uid, char out[static WM_NAME_MAX + 1])
{
    const char *end = end_of(kind, name);

    if (strlen(name) + strlen(end) <= WM_NAME_MAX)
        snprintf(out, WM_NAME_MAX + 1, "%s%s", name, end);
    else
        snprintf(out, WM_NAME_MAX + 1, "%s%s", uid, UID_END);
}

/* --- a new one --- */

static void put_label(struct wm_buf *out, const char *key, const char *value)
{
    char label[WM_LABEL_VALUE_MAX + 1];

    if (wm_label_value_of(wm_str_of(value), label))
        wm_put_text(out, key, label);
}

/* What kind of object the migration is. */
static const struct wm_kind_info *kind_of(const struct wm_migration_state *st)
{
    return &wm_kinds[st->kind == WM_RUN_VM ? WM_KIND_VMMIGRATION : WM_KIND_MIGMIGRATION];
}

/* The keys that objects of the migration bear: one selector finds all of them. */
static void put_labels(struct wm_buf *out, const struct wm_situation *s)
{
    const struct wm_migration_state *st = s->state;

    wm_put_open(out, "labels", '{');
    put_label(out, wm_label_conf_default.plan, s->vm ? s->vm->project : st->plan);
    put_label(out, wm_label_conf_default.migration, st->name);
    put_label(out, wm_label_conf_default.uid, st->uid);
    wm_put_close(out, '}');
}

static void put_owner(struct wm_buf *out, const struct wm_migration_state *st)
{
    const struct wm_kind_info *kind = kind_of(st);
    char api_version[128];

    snprintf(api_version, sizeof api_version, "%s/%s", kind->group, kind->version);
    wm_put_open(out, "ownerReferences", '[');
    wm_put_open(out, NULL, '{');
    wm_put_text(out, "apiVersion", api_version);
    wm_put_text(out, "kind", kind->kind);
    wm_put_text(out, "name", st->name);
    wm_put_text(out, "uid", st->uid);
    wm_put_close(out, '}');
    wm_put_close(out, ']');
}

static void put_ref(struct wm_buf *out, const char *key, const char *kind, const char *namespace_,
                    const char *name, const char *uid)
{
    wm_put_open(out, key, '{');
    wm_put_text(out, "kind", kind);
    wm_put_text(out, "namespace", namespace_);
    wm_put_text(out, "name", name);
    wm_put_text(out, "uid", uid);
    wm_put_close(out, '}');
}

static void put_metadata(struct wm_buf *out, const struct wm_situation *s)
{
    const struct wm_migration_state *st = s->state;
    wm_name name;

    wm_report_name(kind_of(st)->kind, st->name, st->uid, name);
    wm_put_open(out, "metadata", '{');
    wm_put_text(out, "name", name);
    wm_put_text(out, "namespace", st->namespace_);
    put_labels(out, s);
    put_owner(out, st);
    wm_put_close(out, '}');
}

void wm_report_object(const struct wm_situation *s, struct wm_buf *out)
{
    const struct wm_migration_state *st = s->state;

    wm_buf_puts(out, "{");
    wm_put_text(out, "apiVersion", WM_REPORT_API_VERSION);
    wm_put_text(out, "kind", WM_REPORT_KIND);
    put_metadata(out, s);
    wm_put_open(out, "spec", '{');
    if (st->plan[0])
        put_ref(out, "planRef", wm_kinds[WM_KIND_MIGPLAN].kind, st->plan_namespace, st->plan, "");
    put_ref(out, "migrationRef", kind_of(st)->kind, st->namespace_, st->name, st->uid);
    wm_put_close(out, '}');
    wm_put_close(out, '}');
}

/* --- the same --- */

uint64_t wm_report_digest(struct wm_str status)
{
    wm_auto_index struct wm_json_index x = {0};

    return wm_json_index(status, &x, NULL) == WM_OK ? wm_json_digest(wm_json_root(&x, 0)) : 0;
}

uint64_t wm_report_stored_digest(struct wm_str report)
{
    static const char *const pointers[] = {"/status"};
    wm_auto_index struct wm_json_index x = {0};
    struct wm_json_span at[1];

    if (wm_json_locate_indexed(report, 1, pointers, at, 1, &x, NULL) < 0)
        return 0;
    return wm_json_digest(wm_json_root(&x, 0));
}
