#include "follow_ground.h"

#include <stdio.h>

/* --- life --- */

int ground_writes(struct ground *g)
{
    return fault_server_count(g->server, "PATCH /") + fault_server_count(g->server, "POST /") +
           fault_server_count(g->server, "PUT /") + fault_server_count(g->server, "DELETE /");
}

static bool may_write(void *ctx)
{
    struct ground *g = ctx;

    return g->may_write && !(g->one_write_only && ground_writes(g) > 0);
}

void ground_start(struct ground *g)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);
    struct wm_kube_access access = {0};

    g->follow = wm_follow_new(&g->opts);
    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(g->server));
    access.server = wm_buf_take(&url);
    struct wm_fleet_opts opts = {.user_agent = "test",
                                 .namespace_ = NS,
                                 .pod_volume_timeout_s = 3600,
                                 .changed = wm_follow_changed,
                                 .all_changed = wm_follow_all_changed,
                                 .object = wm_follow_object,
                                 .ctx = g->follow};

    assert_int_equal(wm_fleet_new(&opts, &access, &g->fleet, NULL), WM_OK);
    if (g->opts.reports)
        assert_int_equal(wm_reports_new(wm_fleet_kube(g->fleet, 0), g->follow, &g->reports, NULL), WM_OK);
}

void ground_begin(struct ground *g)
{
    memset(g, 0, sizeof *g);
    g->host = fake_api_start(NULL, 0, NULL);
    g->server = fake_api_server(g->host);
    g->opts = (struct wm_follow_opts){
        .conditions = true, .verdicts = true, .reports = true, .may_write = may_write, .ctx = g};
    wm_thresholds_default(&g->opts.thresholds);
    g->may_write = true;
}

void ground_stop(struct ground *g)
{
    g->reports = wm_reports_free(g->reports);
    g->fleet = wm_fleet_free(g->fleet);
    g->follow = wm_follow_free(g->follow);
}

void ground_finish(struct ground *g)
{
    ground_stop(g);
    g->host = fake_api_stop(g->host);
}

void ground_turn(struct ground *g)
{
    wm_fleet_tick(g->fleet);
    if (wm_fleet_synced(g->fleet) && wm_reports_looked(g->reports))
        wm_follow_turn(g->follow, g->fleet, NULL);
    wm_follow_wait(g->follow, 20);
}

void ground_turn_for(struct ground *g, int ms)
{
    for (int64_t end_ms = wm_mono_ms() + ms; wm_mono_ms() < end_ms;)
        ground_turn(g);
}

void ground_settle(struct ground *g)
{
    enum { SETTLED_MS = 500 };
    int before;

    do {
        before = ground_writes(g);
        ground_turn_for(g, SETTLED_MS);
    } while (ground_writes(g) != before);
}

/* --- what is stored --- */

bool ground_says(struct ground *g, const char *path, const char *text)
{
    wm_auto_json cJSON *object = fake_api_get(g->host, path);
    wm_auto_free char *json = object ? cJSON_PrintUnformatted(object) : NULL;

    return json && strstr(json, text);
}

bool ground_has_words(struct ground *g, const char *path, const char *type)
{
    return ground_says(g, path, type) && ground_says(g, path, "waymark.io/verdict");
}

int ground_patches_of(struct ground *g, const char *name)
{
    char text[200];

    snprintf(text, sizeof text, "PATCH " MTC "/migmigrations/%s ", name);
    return fault_server_count(g->server, text);
}

struct wm_follow_stats ground_stats_of(struct ground *g)
{
    struct wm_follow_stats s;

    wm_follow_stats(g->follow, &s);
    return s;
}
