/* Looking up texts in a plan's lists, which may be as long as the object is large. */
#include <stdlib.h>

#include "plan_impl.h"

static int compare_text(struct wm_str a, struct wm_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int difference = n ? memcmp(a.p, b.p, n) : 0;

    return difference ? difference : (a.n > b.n) - (a.n < b.n);
}

static int compare(const void *pa, const void *pb)
{
    const struct wm_plan_text *a = pa, *b = pb;
    int difference = compare_text(a->text, b->text);

    return difference ? difference : (a->i > b->i) - (a->i < b->i);
}

struct wm_plan_texts wm_plan_texts(struct wm_json_value list, struct wm_str (*text_of)(struct wm_json_value))
{
    struct wm_plan_texts ret = {0};
    size_t count = wm_json_count(list), i = 0;

    if (count)
        ret.list = calloc(count, sizeof *ret.list);
    if (!ret.list)
        return ret;
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v), i++) {
        struct wm_str text = text_of(v);

        if (text.p)
            ret.list[ret.n++] = (struct wm_plan_text){text, i, v};
    }
    qsort(ret.list, ret.n, sizeof *ret.list, compare);
    return ret;
}

const struct wm_plan_text *wm_plan_find(const struct wm_plan_texts *in, struct wm_str text)
{
    size_t low = 0, high = in->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_text(in->list[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < in->n && wm_str_eq(in->list[low].text, text) ? &in->list[low] : NULL;
}
