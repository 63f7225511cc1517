/* Names come out of requests: a path is built only of what an object's name may hold. */
#ifndef WAYMARK_WEBHOOK_PATH_SAFE_H
#define WAYMARK_WEBHOOK_PATH_SAFE_H

#include <stdbool.h>
#include <string.h>

static inline bool wm_is_path_safe(const char *name)
{
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(name) &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

#endif
