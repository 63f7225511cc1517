#include "waymark/ticker.h"

#include <stdio.h>

#include "waymark/clock.h"

enum { AFTER_MS = 500, EVERY_MS = 100 };

struct wm_ticker wm_ticker(bool on)
{
    return (struct wm_ticker){.on = on, .next_ms = wm_mono_ms() + AFTER_MS};
}

bool wm_ticker_due(struct wm_ticker *t)
{
    int64_t now = t->on ? wm_mono_ms() : 0;

    if (!t->on || now < t->next_ms)
        return false;
    t->next_ms = now + EVERY_MS;
    t->shown = true;
    return true;
}

void wm_ticker_erase(struct wm_ticker *t)
{
    if (t->shown)
        fputs(WM_TICKER_LINE, stderr);
    t->shown = false;
}
