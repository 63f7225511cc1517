#include "yaml_place.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void wm_yaml_format_place(const char *name, unsigned line, unsigned column, char out[static 96])
{
    size_t n = name ? strlen(name) : 0, shown = 68;

    /* of a long path the end says more, and the line must not be what is cut off */
    if (n > shown)
        snprintf(out, 96, "...%s:%u:%u", name + n - shown, line, column);
    else if (name)
        snprintf(out, 96, "%s:%u:%u", name, line, column);
    else
        snprintf(out, 96, "%u:%u", line, column);
}

void wm_yaml_note_place(struct wm_yaml *y, const cJSON *node, unsigned line, unsigned column)
{
    if (y->n_places == y->cap_places) {
        size_t cap = y->cap_places ? y->cap_places * 2 : 32;
        struct wm_yaml_place *grown = wm_xcalloc(cap, sizeof *grown);

        if (y->n_places)
            memcpy(grown, y->places, y->n_places * sizeof *grown);
        free(y->places);
        y->places = grown;
        y->cap_places = cap;
    }
    y->places[y->n_places++] = (struct wm_yaml_place){node, line, column};
}

static int by_node(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct wm_yaml_place *)a)->node,
              y = (uintptr_t)((const struct wm_yaml_place *)b)->node;

    return (x > y) - (x < y);
}

void wm_yaml_sort_places(struct wm_yaml *y)
{
    qsort(y->places, y->n_places, sizeof *y->places, by_node);
}

static const struct wm_yaml_place *find_place(const struct wm_yaml *y, const cJSON *node)
{
    struct wm_yaml_place wanted = {.node = node};

    return y->n_places ? bsearch(&wanted, y->places, y->n_places, sizeof wanted, by_node) : NULL;
}

struct wm_yaml *wm_yaml_free(struct wm_yaml *y)
{
    if (y) {
        cJSON_Delete(y->root);
        free(y->places);
        free(y->name);
        free(y);
    }
    return NULL;
}

void wm_yaml_freep_(struct wm_yaml **pp)
{
    wm_yaml_free(*pp);
}

const cJSON *wm_yaml_root(const struct wm_yaml *y)
{
    return y->root;
}

unsigned wm_yaml_line(const struct wm_yaml *y, const cJSON *node)
{
    const struct wm_yaml_place *p = find_place(y, node);

    return p ? p->line : 0;
}

int wm_yaml_fail(const struct wm_yaml *y, const cJSON *node, struct wm_error *err, const char *fmt, ...)
{
    const struct wm_yaml_place *p = find_place(y, node);
    char where[96], text[256];
    va_list args;

    wm_yaml_format_place(y->name, p ? p->line : 1, p ? p->column : 1, where);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return wm_fail(err, WM_E_INVALID, where, "%s", text);
}
