#include "waymark/folder.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "waymark/buf.h"

bool wm_is_object_file(const char *name)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

bool wm_is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void fail_entry(const struct wm_folder_walk *walk, const FTSENT *e)
{
    struct wm_error err = {0};

    errno = e->fts_errno;
    wm_fail_errno(&err, WM_E_IO, e->fts_path, "cannot read");
    walk->failed(walk->ctx, &err);
}

static void visit(const struct wm_folder_walk *walk, FTS *tree, FTSENT *e)
{
    if (e->fts_level > 0 && e->fts_name[0] == '.') {
        fts_set(tree, e, FTS_SKIP);
        return;
    }
    if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
        fail_entry(walk, e);
    else if ((e->fts_info == FTS_F || e->fts_info == FTS_SLNONE) && walk->wanted(e->fts_name))
        walk->file(walk->ctx, e->fts_path);
}

void wm_folder_each(const char *path, const struct wm_folder_walk *walk)
{
    wm_auto_free char *root = wm_xstrdup(path);
    char *const roots[] = {root, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    FTSENT *e;

    while (tree && (e = fts_read(tree)))
        visit(walk, tree, e);
    if (tree)
        fts_close(tree);
}
