/* What `waymark-aggregator analyze` says, in its formats.  Pure: everything goes to a buffer. */
#ifndef WAYMARK_AGGREGATOR_ANALYZE_PRINT_H
#define WAYMARK_AGGREGATOR_ANALYZE_PRINT_H

#include "analyze.h"
#include "dump.h"

struct wm_analysis_head {
    const struct wm_dump *dump;
    int64_t now_s;
    bool now_given; /* false: the youngest time in the dump */
};

/* begin, then every migration, then end; each appends. */
struct wm_analysis_printer {
    const char *name;
    void (*begin)(const struct wm_analysis_head *h, struct wm_analysis *a, struct wm_buf *out);
    void (*one)(struct wm_analysis *a, size_t i, struct wm_buf *out);
    void (*end)(const struct wm_analysis *a, struct wm_buf *out);
};
/* NULL = there is none of that name. */
const struct wm_analysis_printer *wm_analysis_printer(const char *name);

#endif
