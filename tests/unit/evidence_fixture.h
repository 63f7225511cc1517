/* What tests of evidence share: a model with details, one cluster, and how often something changed. */
#ifndef WAYMARK_TESTS_EVIDENCE_FIXTURE_H
#define WAYMARK_TESTS_EVIDENCE_FIXTURE_H

#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/situation.h"

#define META(ns, name)                                                                                       \
    "\"metadata\":{\"namespace\":\"" ns "\",\"name\":\"" name "\",\"uid\":\"uid of " name "\""
#define T1 "2026-11-21T07:18:00Z"
#define T2 "2026-11-21T08:18:00Z"
enum { T1_S = 1795245480, T2_S = T1_S + 3600 };

static struct wm_model *model;
static struct model_sources sources;
static int changes;

static inline void on_change(void *ctx, const struct wm_record *r, bool gone)
{
    (void)ctx;
    (void)r;
    (void)gone;
    changes++;
}

static inline int begin(void **state)
{
    struct wm_model_conf conf = {.detail = wm_detail_of, .detail_done = wm_detail_done, .changed = on_change};

    (void)state;
    model = wm_model_new(&conf);
    sources = (struct model_sources){0};
    changes = 0;
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    model = wm_model_free(model);
    return 0;
}

static inline const struct wm_record *put(enum wm_kind kind, const char *json)
{
    const struct wm_record *r = model_put(&sources, model, 0, kind, json);

    assert_non_null(r);
    return r;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
