/* The files of a folder and of the folders in it, in order of name.  Edge. */
#ifndef WAYMARK_FOLDER_H
#define WAYMARK_FOLDER_H

#include <stdbool.h>

#include "waymark/error.h"

struct wm_folder_walk {
    bool (*wanted)(const char *name); /* by the file's own name, without its folders */
    void (*file)(void *ctx, const char *path);
    void (*failed)(void *ctx, const struct wm_error *err); /* what cannot be looked into */
    void *ctx;
};
/* Names that begin with a dot are left out.  Links are followed, in circles only once. */
void wm_folder_each(const char *path, const struct wm_folder_walk *walk);

/* *.yaml, *.yml and *.json. */
bool wm_is_object_file(const char *name);
bool wm_is_folder(const char *path);

#endif
