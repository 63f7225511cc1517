/* A line on the terminal that says what a long command is at.  Edge (prints on stderr).
 *
 *     if (wm_ticker_due(&t)) fprintf(stderr, WM_TICKER_LINE "reading %s", name);
 *     wm_ticker_erase(&t);    before anything else is printed, and at the end */
#ifndef WAYMARK_TICKER_H
#define WAYMARK_TICKER_H

#include <stdbool.h>
#include <stdint.h>

#define WM_TICKER_LINE "\r\033[K"

struct wm_ticker {
    bool on, shown;
    int64_t next_ms;
};
/* Nothing is shown for what is over in half a second. */
struct wm_ticker wm_ticker(bool on);
/* True when the line is to be written anew. */
bool wm_ticker_due(struct wm_ticker *t);
void wm_ticker_erase(struct wm_ticker *t);

#endif
