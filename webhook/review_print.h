/* What `waymark-webhook review` says, in its formats.  Pure: everything goes to a buffer. */
#ifndef WAYMARK_WEBHOOK_REVIEW_PRINT_H
#define WAYMARK_WEBHOOK_REVIEW_PRINT_H

#include "review_object.h"

/* What was counted so far. */
struct wm_tally {
    size_t files, objects, without_rules, denied; /* objects that would be denied */
    size_t findings[WM_MODE_COUNT];
    size_t printed;                       /* objects with rules */
    uint64_t unknown[WM_RULE_MASK_WORDS]; /* rules that could not tell for at least one object */
    bool has_context;
    const struct wm_input *input; /* for what could not be read */
    const char *cwd;              /* names of files are made relative to it; "" = not known */
};
void wm_tally_add(struct wm_tally *t, const struct wm_reviewed *r);

/* begin, then every object before it is added to the tally, then end; each appends. */
struct wm_printer {
    const char *name;
    void (*begin)(const struct wm_tally *t, struct wm_buf *out);
    void (*object)(const struct wm_tally *t, const struct wm_reviewed *r, struct wm_buf *out);
    void (*end)(const struct wm_tally *t, struct wm_buf *out);
};
extern const struct wm_printer wm_text_printer, wm_yaml_printer, wm_json_printer, wm_sarif_printer;

/* "error", "warning", "note"; "none" for OFF. */
const char *wm_level_name(enum wm_mode mode);

/* The closing sentence. */
void wm_summary_print(const struct wm_tally *t, struct wm_buf *out);

/* The ids of a set of rules, each through `one`, with ", " between them. */
void wm_rule_ids(const uint64_t set[WM_RULE_MASK_WORDS], void (*one)(struct wm_buf *out, struct wm_str id),
                 struct wm_buf *out);

/* `path` as SARIF wants it: relative to `cwd` where it lies within, percent-encoded. */
void wm_sarif_uri(const char *path, const char *cwd, struct wm_buf *out);

#endif
