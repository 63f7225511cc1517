/* spec.namespaces of a MigPlan: one walk, whatever the number. */
#include <stdlib.h>

#include "plan_impl.h"

/* Direct volume migration names a route dvm-<namespace>, and that is a DNS label, too. */
enum { ROUTE_NAMESPACE_MAX = WM_LABEL_VALUE_MAX - 4 };

struct wm_plan_mapping wm_plan_mapping_of(struct wm_json_value item)
{
    struct wm_str text = wm_json_plain(item);
    const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;

    if (!colon)
        return (struct wm_plan_mapping){text, text};
    size_t n = (size_t)(colon - text.p);
    struct wm_str target = {colon + 1, text.n - n - 1};

    if (n == 0 || target.n == 0 || memchr(target.p, ':', target.n))
        return (struct wm_plan_mapping){0};
    return (struct wm_plan_mapping){{text.p, n}, target};
}

static struct wm_str source_of(struct wm_json_value item)
{
    return wm_plan_mapping_of(item).source;
}

static struct wm_str target_of(struct wm_json_value item)
{
    return wm_plan_mapping_of(item).target;
}

/* An item's neighbours: first items with the same source and with the same target. */
struct walk {
    struct wm_check *c;
    struct wm_plan_texts sources, targets;
    bool direct_volumes;
};

/* One item at a time, so that findings come in the list's order.  False when it is no namespace at all. */
static bool check_name(struct wm_check *c, struct wm_json_value item, struct wm_plan_mapping m,
                       const char *field)
{
    struct wm_json_span value = wm_json_span_of(item);
    bool source = wm_is_dns_label(m.source);

    if (value.kind == WM_JSON_STRING && !m.source.p && memchr(value.text.p, ':', value.text.n)) {
        wm_report(c, &wm_plan_rows[PLAN_NAMESPACE_MAPPING], field, value,
                  "a mapping is source:destination, with one colon and a name on either side");
        return false;
    }
    if (source && wm_is_dns_label(m.target))
        return true;
    wm_report(c, &wm_plan_rows[PLAN_NAMESPACE_NAME], field, value,
              "the %s namespace is no name that a namespace can have", source ? "destination" : "source");
    return false;
}

static void check_duplicate(const struct walk *w, struct wm_json_value item, struct wm_plan_mapping m,
                            size_t i, const char *field)
{
    const struct wm_plan_text *twin = wm_plan_find(&w->sources, m.source);
    bool source = twin && twin->i < i;

    if (!source)
        twin = wm_plan_find(&w->targets, m.target);
    if (!twin || twin->i >= i)
        return;
    struct wm_str name = source ? m.source : m.target;

    wm_report(w->c, &wm_plan_rows[PLAN_DUPLICATE_NAMESPACE], field, wm_json_span_of(item),
              "the %s namespace " WM_STR_FMT " is also that of spec.namespaces[%zu], \"" WM_STR_FMT "\"",
              source ? "source" : "destination", WM_STR_ARG(name), twin->i,
              WM_STR_ARG(wm_json_plain(twin->item)));
}

static void check_item(const struct walk *w, struct wm_json_value item, size_t i)
{
    struct wm_plan_mapping m = wm_plan_mapping_of(item);
    struct wm_plan_field field = wm_plan_field("namespaces", i, NULL);

    if (!check_name(w->c, item, m, field.z))
        return;
    check_duplicate(w, item, m, i, field.z);
    if (w->direct_volumes && m.target.n > ROUTE_NAMESPACE_MAX)
        wm_report(w->c, &wm_plan_rows[PLAN_NAMESPACE_LENGTH], field.z, wm_json_span_of(item),
                  "the destination namespace has %zu characters, and the route dvm-%.8s... of direct volume "
                  "migration has room for %d",
                  m.target.n, m.target.p, ROUTE_NAMESPACE_MAX);
}

static void check_count(struct wm_check *c, size_t n)
{
    if (n == 0)
        wm_report(c, &wm_plan_rows[PLAN_NAMESPACES_EMPTY], "spec.namespaces", (struct wm_json_span){0},
                  "the plan names no namespace to migrate");
    if (n > c->policy->namespace_limit)
        wm_report(c, &wm_plan_rows[PLAN_NAMESPACE_LIMIT], "spec.namespaces", (struct wm_json_span){0},
                  "%zu namespaces, and the limit is %u, so the plan would never be Ready", n,
                  c->policy->namespace_limit);
}

void wm_plan_check_namespaces(struct wm_check *c)
{
    struct wm_json_value list = wm_spec(c, "namespaces");
    struct walk w = {.c = c, .direct_volumes = !wm_is_true(c->s->spec, "indirectVolumeMigration")};
    size_t i = 0;

    if (c->s->on == WM_ON_DELETE)
        return;
    check_count(c, wm_json_count(list));
    if (wm_plan_wants(c, PLAN_DUPLICATE_NAMESPACE)) {
        w.sources = wm_plan_texts(list, source_of);
        w.targets = wm_plan_texts(list, target_of);
    }
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v), i++)
        check_item(&w, v, i);
    free(w.sources.list);
    free(w.targets.list);
}
