/* Objects into a model, without watches: one source a kind and cluster. */
#ifndef WAYMARK_TESTS_MODEL_PUT_H
#define WAYMARK_TESTS_MODEL_PUT_H

#include "waymark/model.h"

struct model_sources {
    uint16_t of[WM_CLUSTERS_MAX][WM_KIND_COUNT];
};

static inline uint16_t model_source(struct model_sources *s, struct wm_model *m, uint8_t cluster,
                                    enum wm_kind kind)
{
    if (!s->of[cluster][kind])
        s->of[cluster][kind] = wm_model_source(m, cluster, kind);
    return s->of[cluster][kind];
}

/* NULL when the object is refused. */
static inline const struct wm_record *model_put(struct model_sources *s, struct wm_model *m, uint8_t cluster,
                                                enum wm_kind kind, const char *json)
{
    return wm_model_put(m, model_source(s, m, cluster, kind), wm_str_of(json), NULL);
}

#endif
