#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "waymark/host.h"

const char *wm_env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* One read(2) into `out`.  Returns 1 while there is more, 0 at the end. */
static int read_some(int fd, const char *path, struct wm_buf *out, struct wm_error *err)
{
    char part[8192];
    ssize_t n = read(fd, part, sizeof part);

    if (n < 0 && errno == EINTR)
        return 1;
    if (n < 0)
        return wm_fail_errno(err, WM_E_IO, path, "cannot read");
    wm_buf_add(out, part, (size_t)n);
    if (wm_buf_check(out, err) < 0) {
        if (err)
            wm_fail(err, err->code, path, "%s", err->msg);
        return out->bad;
    }
    return n > 0;
}

int wm_file_read(const char *path, struct wm_buf *out, struct wm_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    if (fd < 0)
        return wm_fail_errno(err, errno == ENOENT ? WM_E_NOT_FOUND : WM_E_IO, path, "cannot open");
    while ((rc = read_some(fd, path, out, err)) > 0)
        ;
    close(fd);
    return rc;
}
