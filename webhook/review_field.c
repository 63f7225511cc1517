#include "review_field.h"

#include <stdlib.h>

/* The piece of `field` up to the next separator, which *rest is set behind; brackets may hold dots. */
static struct wm_str next_piece(const char *field, const char **rest)
{
    bool bracket = *field == '[';
    const char *from = field + (bracket || *field == '.');
    size_t n = strcspn(from, bracket ? "]" : ".[");

    *rest = from + n + (bracket && from[n] == ']');
    return (struct wm_str){from, n};
}

static const cJSON *child_of(const cJSON *node, struct wm_str piece)
{
    const cJSON *child;
    int i = wm_str_digits(piece, -1);

    if (cJSON_IsArray(node))
        return i < 0 ? NULL : cJSON_GetArrayItem(node, i);
    cJSON_ArrayForEach(child, node) if (child->string && wm_str_is(piece, child->string)) return child;
    return NULL;
}

const cJSON *wm_field_nearest(const cJSON *object, const char *field)
{
    const cJSON *node = object;

    while (*field) {
        const cJSON *child = child_of(node, next_piece(field, &field));

        if (!child)
            break;
        node = child;
    }
    return node;
}
