/* Texts whose form the controllers check, as they check it. */
#ifndef WAYMARK_RULES_FORMATS_H
#define WAYMARK_RULES_FORMATS_H

#include "waymark/json.h"

/* A container image as docker/distribution has it (mig-controller pkg/controller/mighook/regexp.go,
 * ReferenceRegexp): [domain[:port]/]path[:tag][@digest].  Linear. */
bool wm_is_image_reference(struct wm_str s);

/* A string span whose text is standard base64; line breaks do not count. */
bool wm_is_base64(struct wm_json_span s);

/* Why a string span is no http(s) URL, as a clause; NULL when it is one.  As Go's net/url, but that there
 * must be a host. */
const char *wm_url_fault(struct wm_json_span s);

/* A duration as Go's time.ParseDuration has it: "10m", "1h30m", "1.5h". */
bool wm_is_go_duration(struct wm_str s);

#endif
