/* Inside of the YAML reader: a document, and where its nodes stand. */
#ifndef WAYMARK_HOST_YAML_PLACE_H
#define WAYMARK_HOST_YAML_PLACE_H

#include "waymark/yaml.h"

struct wm_yaml_place {
    const cJSON *node;
    unsigned line, column;
};

struct wm_yaml {
    char *name; /* NULL = none */
    cJSON *root;
    struct wm_yaml_place *places; /* sorted by node once the document is complete */
    size_t n_places, cap_places;
};

/* "name:line:column"; `name` may be NULL. */
void wm_yaml_format_place(const char *name, unsigned line, unsigned column, char out[static 96]);

void wm_yaml_note_place(struct wm_yaml *y, const cJSON *node, unsigned line, unsigned column);
/* Once the document is complete. */
void wm_yaml_sort_places(struct wm_yaml *y);

#endif
